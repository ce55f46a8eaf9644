"""Wires for a test, and the firewall of their estate on them: real nft, real packets, no Incus."""

import asyncio
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from freehold.config.load import load
from freehold.model import Infra
from freehold.planning.compare import compare
from freehold.planning.plan import Plan
from freehold.planning.question import Question
from freehold.providers.firewall.provider import FirewallProvider
from freehold.system.nftables.boot import BootRules
from freehold.system.nftables.program import NftProgram
from tests.firewall.wires import Namespace, Wires

ESTATE = """
    freehold: 1
    name: cottage
    domains:
      admin: {subnet_id: 0, trust: admin, machines: {ctl: {ip: 10.100.0.10}}}
      perso: {subnet_id: 1, machines: {desk: {ip: 10.100.1.10}, tv: {ip: 10.100.1.11}}}
      pro: {subnet_id: 2, internet: false, machines: {dev: {ip: 10.100.2.10}, web: {ip: 10.100.2.11}}}
    """


def infra_of(folder: Path, text: str, policies: str = "") -> Infra:
    """The estate of an infra.yml; `policies` are lines of YAML."""
    written = textwrap.dedent(text)
    if policies:
        written += "policies:\n" + textwrap.dedent(policies)
    (folder / "infra.yml").write_text(written, encoding="utf-8")
    infra = load(folder).infra
    assert infra is not None
    return infra


class Firewall:
    """The firewall provider on one namespace."""

    def __init__(self, namespace: Namespace, folder: Path) -> None:
        self.boot = BootRules(folder / "boot", units=None)
        self.nftables = NftProgram(self.boot, namespace.prefix)
        self._provider = FirewallProvider(self.nftables)

    def plan(self, infra: Infra, *, destroy: bool = False) -> Plan:
        return asyncio.run(self._plan(infra, destroy))

    def apply(self, infra: Infra, *, destroy: bool = False) -> None:
        asyncio.run(self._apply(infra, destroy))

    async def _plan(self, infra: Infra, destroy: bool) -> Plan:
        seen = await self._provider.observe(infra)
        wanted = {} if destroy else self._provider.desired(infra, seen)
        return compare(
            Question(
                estate=infra.name, desired=wanted, observed=seen.observed,
                kinds=self._provider.kinds, destroy=destroy,
            )
        )  # fmt: skip

    async def _apply(self, infra: Infra, destroy: bool) -> None:
        for change in (await self._plan(infra, destroy)).changes:
            for step in self._provider.steps(infra.name, change):
                await step.run(lambda text: None)


@pytest.fixture
def infra(tmp_path: Path) -> Infra:
    """Three domains, no policies."""
    return infra_of(tmp_path, ESTATE)


@pytest.fixture
def with_policies(tmp_path: Path, infra: Infra) -> Callable[[str], Infra]:
    """The same estate with policies, written as in infra.yml."""

    def made(policies: str) -> Infra:
        return replace(infra, policies=infra_of(tmp_path, ESTATE, policies).policies)

    return made


@pytest.fixture
def wires(infra: Infra) -> Iterator[Wires]:
    """The estate's bridges and machines."""
    made = Wires(infra)
    try:
        yield made
    finally:
        made.end()


@pytest.fixture
def firewall(wires: Wires, tmp_path: Path) -> Firewall:
    """Its firewall, with nothing loaded yet."""
    return Firewall(wires.host, tmp_path)
