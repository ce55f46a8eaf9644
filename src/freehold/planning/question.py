"""What is to be compared. Made by `engine.planner`, answered by `planning.compare`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from freehold.diagnostics import Diagnostic
from freehold.planning.address import Address
from freehold.planning.resource import Desired, Kind, Observed
from freehold.planning.selection import Selection


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is compared: the two sides, the kinds' rules, and what the user asked for.

    `prune` deletes orphans too; `only_orphans` leaves everything else as it is. `destroy`: `desired` is empty and
    everything has to go, so that a protected resource is an error instead of something to keep. `unseen` are the kinds that
    cannot be looked at, and why, `unreached` the hosts of which that is so; `here` is the machine in which this process runs.
    """

    estate: str
    desired: Mapping[Address, Desired]
    observed: Mapping[Address, Observed]
    kinds: Mapping[str, Kind]
    selection: Selection = Selection()
    prune: bool = False
    only_orphans: bool = False
    destroy: bool = False
    unseen: Mapping[str, Diagnostic] = field(default_factory=dict)
    unreached: Mapping[str, Diagnostic] = field(default_factory=dict)
    here: Address | None = None
