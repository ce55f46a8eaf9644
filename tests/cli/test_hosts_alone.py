"""An estate of hosts alone, steered from a computer without Incus: nothing of machines is looked at, and nothing stands in the way."""

import json
import socket
from pathlib import Path

import pytest

from tests.cli.conftest import Freehold


@pytest.fixture
def estate(tmp_path: Path) -> str:
    """One host, at a port of this computer where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    text = f"freehold: 1\nname: pis\nhosts:\n  cortex: {{address: 127.0.0.1, ssh: {{port: {port}}}, provision: {{apt: [git]}}}}\n"
    (tmp_path / "infra.yml").write_text(text)
    return text


def test_it_is_planned_without_incus(freehold: Freehold, estate: str) -> None:
    done = freehold("plan", "--json")
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    changes = {each["address"] for each in plan["changes"]}
    assert "file:host/inventory/hosts.yml" in changes
    assert not {each for each in changes if each.startswith(("firewall", "project"))}
    assert plan["not_measured"] == ["host cortex"]


def test_what_can_be_done_is_done_and_the_host_is_named(
    freehold: Freehold, estate: str, tmp_path: Path
) -> None:
    done = freehold("apply", "--yes")
    assert done.returncode == 4, done.stderr
    assert "host-unreachable" in done.stderr
    assert (tmp_path / "inventory/hosts.yml").exists()
    for verb in ("status", "orphans"):
        assert freehold(verb).returncode == 0, verb


def test_doctor_does_not_ask_for_it(freehold: Freehold, estate: str) -> None:
    (incus,) = (
        each
        for each in json.loads(freehold("doctor", "--json").stdout)["checks"]
        if each["name"] == "incus"
    )
    assert incus["result"] == "ok"


def test_one_machine_needs_it(freehold: Freehold, estate: str, tmp_path: Path) -> None:
    more = "domains: {home: {subnet_id: 1, machines: {box: {}}}}\n"
    (tmp_path / "infra.yml").write_text(estate + more)
    done = freehold("plan")
    assert done.returncode == 1
    assert "incus-unavailable" in done.stderr
