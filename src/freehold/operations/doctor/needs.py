"""What an estate asks of the computer that carries it, in numbers. Pure; used by the checks that compare.

What one machine asks is told by `planning.capacity_demand`, which plans use too.
"""

from dataclasses import dataclass

from freehold.model import Infra
from freehold.planning.capacity_demand import (
    CONTAINER_DISK,
    CONTAINER_MEMORY,
    machine_demand,
    services_memory,
)

ASSUMED_MACHINES = 10  # what is compared with when there is no infra.yml


@dataclass(frozen=True, slots=True)
class Needs:
    """`memory`, `disk`: bytes when every machine takes all that infra.yml grants it. `known`: infra.yml was read."""

    known: bool
    machines: int
    virtual_machines: int
    memory: int
    disk: int

    @property
    def whose(self) -> str:
        """`4 machines`, for sentences."""
        if not self.known:
            return f"an estate of {self.machines} machines"
        return f"{self.machines} machine{'' if self.machines == 1 else 's'}"


def needs_of(infra: Infra | None) -> Needs:
    """The needs of the estate, or of an assumed one when there is no infra.yml."""
    if infra is None:
        count = ASSUMED_MACHINES
        return Needs(False, count, 0, count * CONTAINER_MEMORY, count * CONTAINER_DISK)
    demands = [
        machine_demand(domain, machine, services_memory(infra, machine.key))
        for domain in infra.domains
        for machine in domain.machines
    ]
    return Needs(
        known=True,
        machines=len(demands),
        virtual_machines=sum(each.is_vm for each in demands),
        memory=sum(each.memory for each in demands),
        disk=sum(each.disk for each in demands),
    )
