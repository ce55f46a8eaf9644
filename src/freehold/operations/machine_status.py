"""What `status` shows, as values: made by `operations.status` and `host_status`, rendered by `views.status`. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from freehold.planning.address import Address

MISSING = "missing"
UNKNOWN = "unknown"
"""Of what is on a host that does not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineStatus:
    """A declared machine beside the real one.

    `name` is the instance's (`homelab-llm`), `machine` the user's (`homelab/llm`). `state` is Incus's word in lower
    case, or `missing`. `addresses` are the global ones it really has; `drift` the paths of fields that differ.
    """

    name: str
    machine: str
    domain: str
    type: str
    image: str
    state: str
    declared_address: str
    addresses: tuple[str, ...] = ()
    drift: tuple[str, ...] = ()

    @property
    def exists(self) -> bool:
        return self.state != MISSING

    @property
    def is_running(self) -> bool:
        return self.state == "running"

    @property
    def has_its_address(self) -> bool:
        return self.declared_address in self.addresses


class HostState(StrEnum):
    """Whether a host lets us in; `missing` is one that Freehold itself makes (in the lab) and has not yet."""

    REACHABLE = "reachable"
    UNREACHABLE = "unreachable"
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostStatus:
    """A declared host beside the real one.

    `address`, `user` and `port` are the declared way in. `system` is what it calls its operating system; `problem` why it could not be
    entered. `drift` are the paths of what differs inside; of a host that is not reachable nothing is known.
    """

    name: str
    address: str
    user: str
    port: int
    state: HostState
    system: str = ""
    problem: str = ""
    drift: tuple[str, ...] = ()

    @property
    def is_reachable(self) -> bool:
        return self.state is HostState.REACHABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStatus:
    """A declared service beside the real one.

    `state` is `healthy`, or `running` for one without a health check; else Docker's word, `missing` or `unknown`. `serves` says whether it is as
    it should be. `ports` are `PUBLISHED:PORT/PROTOCOL`; `drift` the paths of fields that differ.
    """

    name: str
    target: str
    image: str
    state: str
    serves: bool
    ports: tuple[str, ...] = ()
    drift: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """An estate's machines, hosts and services; `changes` counts what apply would do, `problems` what keeps it from being done."""

    estate: str
    machines: tuple[MachineStatus, ...] = ()
    hosts: tuple[HostStatus, ...] = ()
    services: tuple[ServiceStatus, ...] = ()
    orphans: tuple[Address, ...] = ()
    changes: int = 0
    problems: int = 0

    @property
    def as_declared(self) -> bool:
        """Whether nothing is to be done or in the way, every machine has its address, every host lets us in and every service serves."""
        return (
            not self.changes
            and not self.problems
            and all(machine.is_running and machine.has_its_address for machine in self.machines)
            and all(host.is_reachable for host in self.hosts)
            and all(service.serves for service in self.services)
        )
