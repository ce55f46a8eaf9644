"""When is a machine up? When it really has the address that it is to have.

For a container the kernel shows its addresses. For a VM Incus shows the DHCP lease until the agent answers, so the agent
must be there too: only then does the state count processes.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from freehold.diagnostics import BackendError, Diagnostic
from freehold.model import MachineType
from freehold.planning.resource import Fields
from freehold.providers.protocol import Report
from freehold.system.incus.api import Incus

PATIENCE = {MachineType.CONTAINER: 60.0, MachineType.VM: 300.0}
"""Seconds, where infra.yml has no `boot_timeout`."""

_FIRST_PAUSE = 0.1  # each look costs the daemon ~10 ms of work, so the pauses grow
_LONGEST_PAUSE = 0.4


def addresses(state: Mapping[str, Any]) -> Iterator[str]:
    """The addresses that `GET /instances/NAME/state` shows, without loopback and link-local ones."""
    for network in (state.get("network") or {}).values():
        for address in network["addresses"]:
            if address["scope"] == "global":
                yield address["address"]


async def wait_for_address(incus: Incus, project: str, fields: Fields, report: Report) -> None:
    """Return once the machine has its declared address. Raises BackendError when it does not get it in time.

    `boot_timeout` of the fields is how long that may take, such as `600s`; empty: what is usual for its type.
    """
    machine = _Machine.of(project, fields)
    deadline = time.monotonic() + machine.patience
    pause, told = _FIRST_PAUSE, ""
    while True:
        look = _Look.of(
            machine, await incus.get(f"/instances/{machine.name}/state", project=project)
        )
        if look.is_up:
            return
        if look.waits_for != told:
            told = look.waits_for
            report(f"waiting for {told}")
        if time.monotonic() > deadline:
            raise BackendError(_not_up(machine, look))
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Machine:
    """What is waited for. `patience` are seconds."""

    project: str
    name: str
    is_vm: bool
    wanted: str
    patience: float

    @staticmethod
    def of(project: str, fields: Fields) -> "_Machine":
        machine_type = MachineType(fields["type"])
        declared = str(fields.get("boot_timeout") or "").removesuffix("s")
        return _Machine(
            project=project,
            name=fields["name"],
            is_vm=machine_type is MachineType.VM,
            wanted=fields["devices"]["eth0"]["ipv4.address"],
            patience=float(declared) if declared.isdecimal() else PATIENCE[machine_type],
        )

    @property
    def key(self) -> str:
        """As infra.yml names it: `homelab/llm`."""
        return f"{self.project}/{self.name.removeprefix(f'{self.project}-')}"


@dataclass(frozen=True, slots=True)
class _Look:
    """What one look at the machine's state showed."""

    wanted: str
    found: list[str]
    has_agent: bool

    @staticmethod
    def of(machine: _Machine, state: Mapping[str, Any]) -> "_Look":
        has_agent = not machine.is_vm or state["processes"] >= 0
        return _Look(machine.wanted, list(addresses(state)), has_agent)

    @property
    def has_address(self) -> bool:
        return self.wanted in self.found

    @property
    def is_up(self) -> bool:
        return self.has_address and self.has_agent

    @property
    def waits_for(self) -> str:
        """The lease comes first: it is there when the guest's network is up, long before the agent."""
        return "its agent (incus-agent)" if self.has_address else self.wanted


def _not_up(machine: _Machine, look: _Look) -> Diagnostic:
    has = f"it has {', '.join(look.found)}" if look.found else "it has no address at all"
    agent = "" if look.has_agent else ", and its agent (incus-agent) does not answer"
    longer = (
        f"If it only needs longer, give {machine.key} a longer `boot_timeout` than "
        f"{machine.patience:.0f}s in infra.yml."
    )
    return Diagnostic(
        code="machine-not-up",
        summary="A machine did not come up with its address",
        detail=f"{machine.name} was to have {machine.wanted} within {machine.patience:.0f} seconds; {has}{agent}.",
        hint=f"{_where_to_look(machine, look)}\n{longer}",
    )


def _where_to_look(machine: _Machine, look: _Look) -> str:
    """A command that can work: nothing runs in a VM whose agent does not answer."""
    place = f"--project {machine.project} {machine.name}"
    if look.has_agent:
        return f"Look inside (its network must be set up by DHCP):\n    incus exec {place} -- ip address"
    if look.has_address:
        return (
            "The guest runs; its image must start incus-agent. Look at its console (Ctrl+a q leaves it):\n"
            f"    incus console {place}"
        )
    return (
        "It may not boot at all: an image that is not signed needs `secure_boot: false`. Look at its console (Ctrl+a q "
        f"leaves it):\n    incus console {place}"
    )
