"""What the project promises first: one command, four machines with their addresses, and nothing to do afterwards."""

import pytest

from tests.e2e.estate import Estate
from tests.e2e.events import Events

pytestmark = pytest.mark.lab

ADDRESSES = {
    "admin-ansible": "10.100.0.10",
    "homelab-llm": "10.100.3.10",
    "perso-desktop": "10.100.1.10",
    "pro-dev": "10.100.2.10",
}


def test_the_workstation_comes_up_as_declared_and_stays_so_without_a_write(estate: Estate) -> None:
    estate.ok("init", ".", "--blueprint", "workstation")
    applied = estate.ok("apply", "--yes")
    assert "Plan: 20 to create, 0 to change, 0 to delete, 0 unchanged, 0 orphans." in applied.out
    assert "Applied: 20 created, 0 changed, 0 deleted" in applied.err

    assert estate.states() == {name: ("running", (address,)) for name, address in ADDRESSES.items()}
    for address in ADDRESSES.values():
        assert estate.lab.run(["ping", "-c1", "-W2", address]) == 0, address
    shown = estate.ok("status").out
    assert all(name.replace("-", "/") in shown for name in ADDRESSES)

    with Events(estate.lab.socket) as events:
        again = estate.ok("apply", "--yes")
        estate.settled()
        estate.incus("project", "set", "pro", "user.note=a-real-write")
        events.wait_for("project-updated")
    assert "Nothing to do: everything is as infra.yml says." in again.out
    written = [event["metadata"].get("action") for event in events.heard]
    assert written == ["project-updated"], "only the write that shows that writes are counted"
