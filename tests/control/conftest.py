"""A host in a network namespace, its agent as a real process, and what a control machine has of it."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from freehold.model import Infra
from freehold.planning.compare import compare
from freehold.planning.plan import Plan
from freehold.planning.question import Question
from freehold.providers.firewall.provider import FirewallProvider, WayIn
from freehold.system.host_agent.charge import SUFFIX, Charge
from freehold.system.host_agent.client import AgentClient
from freehold.system.host_agent.filters import AgentNftables
from freehold.system.host_agent.process import agent_argv, agent_environment
from freehold.system.unix_http import listener_pid
from tests.firewall.conftest import ESTATE, infra_of
from tests.firewall.wires import Namespace

Value = TypeVar("Value")
TABLE = "freehold-cottage"
POLICY = "- {from: pro/dev, to: perso/desk, ports: [8080, 9000-9010]}\n- {from: perso, to: internet, ports: [53], protocol: udp}"


class Host:
    """A namespace and the agent in it. `folder` has what a host's /var/lib/freehold has."""

    def __init__(self, folder: Path, incus: Path | None = None) -> None:
        self.namespace = Namespace()
        self.folder = folder
        self.charge = Charge(
            estate="cottage",
            base="10.100.0.0/16",
            listen=str(folder / "agent.s"),
            incus=str(incus or folder / "incus.s"),
            rules=str(folder),
            ways=str(folder),
        )
        self.client = AgentClient(folder / "agent.s")
        self.nftables = AgentNftables(self.client)
        self.log = folder / "log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        path = self.folder / f"cottage{SUFFIX}"
        path.write_text(self.charge.dump())
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.namespace.prefix, *agent_argv(path)],
                env=os.environ | agent_environment(), stderr=log, start_new_session=True,
            )  # fmt: skip
        assert becomes_true(lambda: listener_pid(self.client.path) is not None, 20), (
            self.log.read_text()
        )

    def end(self, by: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(by)
            self.process.wait(20)
            self.process = None

    def loaded(self) -> str:
        """The table as nft shows it to people; empty when there is none."""
        done = subprocess.run(
            [*self.namespace.prefix, "nft", "list", "table", "inet", TABLE],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.stdout

    def plan(self, infra: Infra, *, destroy: bool = False) -> Plan:
        return asyncio.run(self._plan(FirewallProvider(self.nftables), infra, destroy))

    def apply(
        self, infra: Infra, *ways: WayIn, destroy: bool = False, patience: float = 15
    ) -> None:
        asyncio.run(self._apply(infra, ways, destroy, patience))

    async def _plan(self, provider: FirewallProvider, infra: Infra, destroy: bool) -> Plan:
        seen = await provider.observe(infra)
        wanted = {} if destroy else provider.desired(infra, seen)
        return compare(
            Question(
                estate=infra.name, desired=wanted, observed=seen.observed, kinds=provider.kinds,
                destroy=destroy,
            )
        )  # fmt: skip

    async def _apply(
        self, infra: Infra, ways: tuple[WayIn, ...], destroy: bool, patience: float
    ) -> None:
        provider = FirewallProvider(self.nftables, lambda: ways, patience)
        for change in (await self._plan(provider, infra, destroy)).changes:
            for step in provider.steps(infra.name, change):
                await step.run(lambda text: None)


def becomes_true(condition: Callable[[], bool], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not (met := condition()) and time.monotonic() < until:
        time.sleep(0.02)
    return met


def wait(work: Awaitable[Value]) -> Value:
    async def run() -> Value:
        return await work

    return asyncio.run(run())


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    made = Host(tmp_path)
    try:
        made.start()
        yield made
    finally:
        made.end()
        made.namespace.end()


@pytest.fixture
def infra(tmp_path: Path) -> Infra:
    return infra_of(tmp_path, ESTATE)


@pytest.fixture
def opened(tmp_path: Path) -> Infra:
    """The same estate with policies."""
    return infra_of(tmp_path, ESTATE, POLICY)
