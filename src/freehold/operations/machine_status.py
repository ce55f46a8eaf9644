"""What `status` shows, as values: made by `operations.status`, rendered by `views.status`. Pure."""

from dataclasses import dataclass

from freehold.planning.address import Address

MISSING = "missing"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """An estate's machines; `changes` counts what apply would do, `problems` what keeps it from being done."""

    estate: str
    machines: tuple[MachineStatus, ...] = ()
    orphans: tuple[Address, ...] = ()
    changes: int = 0
    problems: int = 0

    @property
    def as_declared(self) -> bool:
        """Whether nothing is to be done, nothing is in the way, and every machine really has its address."""
        return (
            not self.changes
            and not self.problems
            and all(machine.is_running and machine.has_its_address for machine in self.machines)
        )
