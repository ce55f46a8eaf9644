"""One difference between desired and observed, as a value: shown, saved and carried out exactly. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from freehold.planning.address import Address
from freehold.planning.resource import Fields, Impact


class Action(StrEnum):
    """What is to be done; `symbol` is how people see it."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"

    @property
    def symbol(self) -> str:
        return {"create": "+", "update": "~", "replace": "±", "delete": "-"}[self.value]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A single field: dotted path, value before and after (None: absent), and what changing it does."""

    path: str
    before: Any
    after: Any
    impact: Impact | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Everything apply needs to know about one resource; it decides nothing beyond this.

    `waits_for` are the addresses whose changes must be done before. `claims_from` are those that hold what this one
    is to have (an IP address) and only need to have let go of it; `lets_go` says that others wait so for this one.
    Two machines can swap addresses that way.
    """

    address: Address
    action: Action
    reason: str
    impact: Impact | None = None
    destroys_data: bool = False
    fields: tuple[FieldChange, ...] = ()
    desired: Fields | None = None
    observed: Fields | None = None
    waits_for: frozenset[Address] = frozenset()
    claims_from: frozenset[Address] = frozenset()
    lets_go: bool = False


def differences(before: Fields, after: Fields) -> Iterator[tuple[str, Any, Any]]:
    """Each leaf that differs, as (dotted path, before, after), in the order of paths."""
    yield from _walk("", before, after)


def _walk(prefix: str, before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            path = f"{prefix}.{key}" if prefix else key
            yield from _walk(path, before.get(key), after.get(key))
    elif before != after:
        yield from _leaves(prefix, before, after)


def _leaves(prefix: str, before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    """A mapping that appears or goes is told leaf by leaf; an empty one is nothing."""
    if isinstance(before, Mapping) and after is None:
        yield from _walk(prefix, before, {})
    elif isinstance(after, Mapping) and before is None:
        yield from _walk(prefix, {}, after)
    elif before or after or not (_is_empty(before) and _is_empty(after)):
        yield prefix, before, after


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, Mapping | Sequence) and not len(value))
