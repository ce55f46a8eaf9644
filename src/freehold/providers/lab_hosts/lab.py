"""What the lab lends to the hosts that it plays. Made by `operations.lab`, used by the modules beside this one.

Nothing here knows where the lab is: tests give something else.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from freehold.model import MachineType
from freehold.providers.protocol import Report

DEFAULT_IMAGE = "debian/13-host"


Leave = Callable[[str], Awaitable[None]]
"""Ends what is open to a host, before it is switched off: who asks it next enters anew."""


async def nothing_open(host: str) -> None:
    """For whoever enters no host."""


class Images(Protocol):
    """Where the image of a host comes from."""

    async def source(
        self, image: str, machine_type: MachineType, report: Report
    ) -> Mapping[str, object]:
        """The `source` of a create request to Incus. Raises BackendError when there is no such image."""


class Entrance(Protocol):
    """The way by SSH from this computer to the hosts."""

    def public_key(self) -> str:
        """The line of authorized_keys that opens a host. Raises OSError, BackendError."""

    def forget(self, declared: str) -> None:
        """What answers at this address from now on has another key than what answered there before."""

    async def answers(self, declared: str, port: int) -> bool:
        """Whether an SSH server greets at this port of the host with this declared address."""


@dataclass(frozen=True, slots=True)
class Packages:
    """A host's way to packages: devices as Incus keeps them, variables for whoever logs in, a folder of settings as seen inside."""

    devices: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    settings: str = ""
