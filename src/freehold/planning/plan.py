"""The plan as a value: the one answer to "what would change?", made by `planning.compare`. Pure.

Rendered by `views`, saved by `planning.saved`, carried out by `engine.execute`.
"""

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freehold.diagnostics import Diagnostic, has_errors
from freehold.planning.address import Address
from freehold.planning.change import Action, Change

if TYPE_CHECKING:  # most plans ask nothing more of the computer
    from freehold.planning.capacity import Fit


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """Something of ours that infra.yml no longer names. Deleted only when asked to (`--prune`); `stays` is what is left then."""

    address: Address
    holds_data: bool
    protected: bool
    stays: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        return {
            "address": str(self.address),
            "holds_data": self.holds_data,
            "protected": self.protected,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Changes in the order they are shown, orphans, and what keeps the plan from being applied.

    `unseen` are the kinds of resources that could not be looked at, `unreached` the hosts that did not answer: nothing is known of
    them. `capacity`: the computers as
    they are afterwards, when the plan asks more of them.
    """

    estate: str
    changes: tuple[Change, ...] = ()
    orphans: tuple[Orphan, ...] = ()
    unchanged: int = 0
    diagnostics: tuple[Diagnostic, ...] = ()
    unseen: tuple[str, ...] = ()
    unreached: tuple[str, ...] = ()
    capacity: "tuple[Fit, ...]" = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do: the one place that says so."""
        return not self.changes

    @property
    def not_measured(self) -> tuple[str, ...]:
        """What nothing is known of, in words: kinds, and hosts."""
        return (*self.unseen, *(f"host {name}" for name in self.unreached))

    @property
    def can_apply(self) -> bool:
        return not has_errors(self.diagnostics)

    @property
    def destructive(self) -> tuple[Change, ...]:
        """The changes that lose data and so need a confirmation of their own."""
        return tuple(change for change in self.changes if change.destroys_data)

    def summary(self) -> dict[str, int]:
        """Counts by action, as in the `plan --json` contract."""
        counts = Counter(change.action for change in self.changes)
        return {
            **{action.value: counts[action] for action in Action},
            "unchanged": self.unchanged,
            "orphans": len(self.orphans),
        }
