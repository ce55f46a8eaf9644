"""What the rest of Freehold may ask of the host's routing: that marked packets go to a machine, and that it stays so.

Called by `providers.firewall.router`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Protocol

from freehold.diagnostics import BackendError, Diagnostic


class RoutingError(BackendError):
    """The host's routing cannot be read or changed."""

    def __init__(self, doing: str, reason: str, hint: str | None = None) -> None:
        super().__init__(
            Diagnostic(
                code="routing-refused",
                summary="The routing to the firewall machine cannot be read or changed",
                detail=f"{doing}: {reason}",
                hint=hint or "See what is wrong:\n    freehold doctor",
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Where packets between the domains of `base` go: to `router` on `bridge`, an instance of Incus that is kept running.

    `mark` is the bit that packets carry which are to go there; `notes` are its owner's, kept beside it.
    """

    base: str
    bridge: str
    router: str
    mark: int
    project: str
    instance: str
    notes: Mapping[str, Any] = field(default_factory=dict)

    def as_document(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Way":
        """Read `as_document`. Raises KeyError when it is none."""
        return cls(**{each.name: document[each.name] for each in fields(cls)})


class Routing(Protocol):
    """The routing of one host: this computer's or the lab's. A way is known by the name of the estate's table."""

    async def way(self, name: str) -> Way | None:
        """What is kept under this name; None for nothing. Raises RoutingError."""

    async def faults(self, name: str) -> list[str]:
        """In words, what of it is not so now; empty when all is. Raises RoutingError."""

    async def keep(self, name: str, way: Way) -> None:
        """Make it so, now and from now on: a process of ours sees to it. Raises RoutingError."""

    async def forget(self, name: str) -> None:
        """Let go of it; nothing is left behind. Raises RoutingError."""
