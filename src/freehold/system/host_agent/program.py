"""Has the agent of an estate run on this host. Made by `cli` for this computer, by `operations.lab` for the lab.

What it is to do stands in a file (`charge.py`). Where systemd runs the computer a unit runs it (`unit.py`), elsewhere it is
a process of its own (`process.py`).
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from freehold.diagnostics import BackendError
from freehold.system.files import write_atomically
from freehold.system.host_agent.agents import AgentState, own_code
from freehold.system.host_agent.charge import SUFFIX, Charge
from freehold.system.host_agent.client import AgentClient
from freehold.system.host_agent.messages import HostRefused, HostUnseen
from freehold.system.host_agent.problems import explained, failed
from freehold.system.nftables import boot
from freehold.system.routing import program as routing
from freehold.system.unix_http import listener_pid

STATE = Path("/var/lib/freehold/agent")
_SYSTEMD = Path("/run/systemd/system")  # sd_booted(3)
_UNITS = Path("/etc/systemd/system")
_PATIENCE = 15.0  # seconds for it to answer
_PAUSE = 0.05

ChargeOf = Callable[[str, str], Charge]
"""Makes what an agent is to do from an estate and its network."""


class Runner(Protocol):
    """How agents are run. `charge` is the file, `socket` where it listens."""

    def start(self, charge: Path, socket: Path) -> None:
        """Start it, in the place of one that runs. Raises OSError, BackendError."""

    def stop(self, charge: Path, socket: Path) -> None:
        """End it, and do not start it again. Raises OSError, BackendError."""

    def stays(self, charge: Path) -> bool:
        """Whether it is started when the host is."""

    def clean(self) -> None:
        """Take away what is left once there is no agent any more. Raises OSError, BackendError."""


class AgentProgram:
    """The agents whose charges are in `folder`."""

    def __init__(self, folder: Path, charge_of: ChargeOf, runner: Runner) -> None:
        self._folder = folder
        self._charge_of = charge_of
        self._runner = runner

    @classmethod
    def of_this_computer(cls, incus: Path) -> "AgentProgram":
        """With a unit, if systemd started this computer. `incus` is the socket of Incus."""
        from freehold.system.host_agent.process import ProcessRunner
        from freehold.system.host_agent.unit import UnitRunner

        is_systemd = _SYSTEMD.is_dir()

        def charge_of(estate: str, base: str) -> Charge:
            return Charge(
                estate=estate,
                base=base,
                listen=f"/run/freehold/{estate}/agent.socket",
                incus=str(incus),
                rules=str(boot.STATE),
                ways=str(routing.STATE),
                units=str(_UNITS) if is_systemd else "",
            )

        return cls(STATE, charge_of, UnitRunner(STATE, _UNITS) if is_systemd else ProcessRunner())

    def socket(self, estate: str) -> Path:
        return Path(self._charge_of(estate, "").listen)

    async def read(self, estate: str) -> AgentState | None:
        with explained("reading what the agent is to do"):
            charge = Charge.read(self._path(estate))
        if charge is None:
            return None
        stays = await asyncio.to_thread(self._runner.stays, self._path(estate))
        same = charge == self._charge_of(estate, charge.base)
        try:
            said = await AgentClient(self.socket(estate)).ask("hello")
        except (HostUnseen, HostRefused):
            return AgentState(charge.base, is_current=same, answers=False, stays=stays)
        current = same and (said["code"], said["base"]) == (own_code(), charge.base)
        return AgentState(charge.base, is_current=current, answers=True, stays=stays)

    async def keep(self, estate: str, base: str) -> None:
        await asyncio.to_thread(self._keep, estate, base)

    async def forget(self, estate: str) -> None:
        await asyncio.to_thread(self._forget, estate)

    def _keep(self, estate: str, base: str) -> None:
        path, socket = self._path(estate), self.socket(estate)
        with explained("starting the agent"):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(path, self._charge_of(estate, base).dump(), mode=0o600)
            self._runner.start(path, socket)
        until = time.monotonic() + _PATIENCE
        while listener_pid(socket) is None:
            if time.monotonic() > until:
                raise BackendError(failed("starting the agent", "it does not answer"))
            time.sleep(_PAUSE)

    def _forget(self, estate: str) -> None:
        with explained("ending the agent"):
            self._runner.stop(self._path(estate), self.socket(estate))
            self._path(estate).unlink(missing_ok=True)
            if self._folder.is_dir() and not any(self._folder.glob(f"*{SUFFIX}")):
                self._runner.clean()
                if not any(self._folder.iterdir()):
                    self._folder.rmdir()

    def _path(self, estate: str) -> Path:
        return self._folder / f"{estate}{SUFFIX}"
