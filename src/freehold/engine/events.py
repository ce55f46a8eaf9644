"""What happens during a run, as values. `execute` emits them; the journal writes them and `views` shows them."""

from collections.abc import Callable
from dataclasses import dataclass

from freehold.diagnostics import Diagnostic
from freehold.planning.change import Change


@dataclass(frozen=True, slots=True)
class ChangeStarted:
    """A change has everything it waited for and begins."""

    change: Change


@dataclass(frozen=True, slots=True)
class StepStarted:
    """One step of a change begins."""

    change: Change
    description: str


@dataclass(frozen=True, slots=True)
class StepReported:
    """A running step says how far it is: `rootfs: 45%`."""

    change: Change
    text: str


@dataclass(frozen=True, slots=True)
class ChangeInterrupted:
    """The system went away during a change; it will be looked at again and continued."""

    change: Change
    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class ChangeDone:
    """A change was carried out; `seconds` counts from its start."""

    change: Change
    seconds: float


@dataclass(frozen=True, slots=True)
class ChangeFailed:
    """A change failed at a step; the real system has what the steps before did."""

    change: Change
    step: str
    seconds: float
    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class ChangeSkipped:
    """A change was not begun: something it waits for failed, or the run was asked to stop."""

    change: Change
    reason: str


Event = (
    ChangeStarted
    | StepStarted
    | StepReported
    | ChangeInterrupted
    | ChangeDone
    | ChangeFailed
    | ChangeSkipped
)
Listener = Callable[[Event], None]
