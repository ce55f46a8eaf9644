"""Resources: what should be (Desired), what is (Observed), and what each kind says about its own fields.

Providers make these values; `planning.plan` compares them. Fields are nested JSON-like mappings of the same shape
on both sides, normalised by the provider, so that equality means "as declared".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from freehold.diagnostics import Diagnostic
from freehold.planning.address import Address

Fields = Mapping[str, Any]


class Impact(StrEnum):
    """What a change of a field does to what runs, from mildest to hardest."""

    LIVE = "live"
    RESTART = "restart"
    RECREATE = "recreate"

    @property
    def rank(self) -> int:
        return _RANKS[self]


_RANKS = {Impact.LIVE: 0, Impact.RESTART: 1, Impact.RECREATE: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What the planner must know of a kind of resource.

    `rank` orders kinds inside a domain for display; `impact_of` answers for a dotted field path and the fields that are wanted;
    `holds_data` says that deleting or recreating one loses what users keep in it. `guards` are kinds whose resources come
    only when this one is as it should be, and go before it. `carries`: so does all else of its own domain. `shields` are kinds whose
    resources, where they stand on one of this kind that belongs to a host, are not changed before it is as it should be.
    """

    name: str
    rank: int
    holds_data: bool = False
    guards: frozenset[str] = frozenset()
    carries: bool = False
    shields: frozenset[str] = frozenset()
    impact_of: Callable[[str, Fields], Impact] = lambda path, fields: Impact.LIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """A resource as infra.yml wants it.

    `claims` are things only one resource can have at a time (an address, a subnet): a change that takes one
    waits for the change that gives it up. `on_creation`: what a plan says that makes it.
    """

    address: Address
    fields: Fields
    depends_on: frozenset[Address] = frozenset()
    claims: frozenset[str] = frozenset()
    protected: bool = False
    on_creation: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """A resource as the real system has it.

    `owned` is false for something of that name that carries no mark of this estate; `adopt` then says how to give
    it the mark. `foreign` lists things inside it that are not ours and keep it from being deleted. `in_place`: where it is not owned, what stands in its
    place, if that has other names; `adopt` then is what may be done about that, after "Choose another name, or". `stays`: what of it is still there
    when it was deleted.
    """

    address: Address
    fields: Fields
    owned: bool = True
    owner: str | None = None
    adopt: str | None = None
    depends_on: frozenset[Address] = frozenset()
    claims: frozenset[str] = frozenset()
    protected: bool = False
    unprotect: str | None = None
    has_data: bool = True
    foreign: tuple[str, ...] = ()
    in_place: tuple[str, ...] = ()
    stays: tuple[str, ...] = ()
