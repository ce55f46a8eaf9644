"""What `verify --leaks` says of real packets out of real networks, when something is not as usual; Docker alone is a stand-in (`docker_api.py`)."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from freehold.operations.leaks.prove import behind_vpns, prove
from freehold.operations.leaks.report import Finding, LeakReport, Moment, Proof, Verdict
from freehold.planning.selection import Selection
from freehold.system.targets import Ended
from freehold.system.targets.fake import FakeTargets
from tests.media.docker_api import OTHER, Docker, docker
from tests.provider.estate import infra_of

pytestmark = pytest.mark.lab

ESTATE = """
    freehold: 1
    name: maison
    hosts: {cortex: {address: 203.0.113.20}}
    services:
      vpn: {on: cortex, service: gluetun}
      torrents: {on: cortex, service: qbittorrent}
    """
NOBODY = "http://127.0.0.1:9/"
SOONER = {"seconds": 1.0, "patience": 60.0}
"""Than on a host: nobody is far away here."""


def proved(target: Docker) -> LeakReport:
    def ask(command: Sequence[str], given: bytes) -> Ended:
        request = {**json.loads(given), **SOONER}
        done = target.run(list(command), json.dumps(request).encode())
        return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())

    targets = FakeTargets()
    targets.fake("cortex").answers = ask
    infra = infra_of(Path(), ESTATE)
    return asyncio.run(prove(infra, behind_vpns(infra, Selection()), targets, NOBODY, lambda _: None))  # fmt: skip


@dataclass(frozen=True)
class Seen:
    report: LeakReport
    proof: Proof
    moments: dict[Moment, Finding]

    @property
    def results(self) -> dict[str, str]:
        return {each.value: one.verdict.value for each, one in self.moments.items() if each is not Moment.ADDRESS}  # fmt: skip


def seen(target: Docker) -> Seen:
    report = proved(target)
    [proof] = report.proofs
    return Seen(report, proof, {each.moment: each for each in proof.findings})


@pytest.mark.slow
def test_a_vpn_that_takes_another_server_holds_and_that_is_said(tmp_path: Path) -> None:
    with docker(tmp_path) as target:
        target.next_server = OTHER
        found = seen(target)
    assert set(found.results.values()) == {"holds"}, found.proof
    assert found.moments[Moment.RESTART].why.endswith(f"; the VPN's server is another one, {OTHER}")
    assert found.proof.back
    assert found.report.holds


def test_the_port_of_the_vpns_server_is_no_licence(tmp_path: Path) -> None:
    with docker(tmp_path, leaks="192.0.2.77") as target:
        found = seen(target)
    assert set(found.results.values()) == {"LEAKS"}, found.proof
    for each in (Moment.UP, Moment.DOWN, Moment.RESTART):
        assert {(one.to, one.port) for one in found.moments[each].leaks} == {("192.0.2.77", 443)}


def test_a_vpn_that_dies_at_its_restart_was_not_watched(tmp_path: Path) -> None:
    with docker(tmp_path) as target:
        target.dies = True
        found = seen(target)
    assert found.results == {"tunnel up": "holds", "tunnel cut": "holds", "restart": "not measured"}
    assert "in another network" in found.moments[Moment.RESTART].why
    assert not found.report.holds


@pytest.mark.slow
def test_a_tunnel_that_mends_itself_was_not_cut(tmp_path: Path) -> None:
    with docker(tmp_path, mends=True) as target:
        found = seen(target)
    assert found.results == {"tunnel up": "holds", "tunnel cut": "not measured", "restart": "holds"}
    assert "came back by itself" in found.moments[Moment.DOWN].why


@pytest.mark.slow
def test_whom_dockers_own_resolver_asks_is_not_seen(tmp_path: Path) -> None:
    with docker(tmp_path, resolver="127.0.0.11") as target:
        found = seen(target)
    assert found.moments[Moment.UP].verdict is Verdict.NOT_MEASURED
    assert "127.0.0.11" in found.moments[Moment.UP].why


@pytest.mark.slow
def test_a_docker_that_goes_away_at_the_restart_takes_no_leak_with_it(tmp_path: Path) -> None:
    with docker(tmp_path, leaks="192.0.2.77") as target:
        target.away = True
        found = seen(target)
        assert len(target.processes) == 2, "all runs again, once Docker answers"
    assert found.results == {"tunnel up": "LEAKS", "tunnel cut": "LEAKS", "restart": "not measured"}
    assert found.proof.back
