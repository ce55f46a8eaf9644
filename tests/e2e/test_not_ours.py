"""What carries no mark of this estate is never touched; a message says how to give it one."""

import pytest

from tests.e2e import foreign
from tests.e2e.estate import TWO_MACHINES, Done, Estate

pytestmark = pytest.mark.lab


def adoptions(refused: Done) -> list[list[str]]:
    """The commands to copy that give things to this estate, after the word `incus`."""
    typed = "freehold lab run -- incus "
    lines = [line.strip() for line in refused.err.splitlines()]
    return [line.removeprefix(typed).split() for line in lines if line.startswith(typed)]


def test_an_unmarked_project_is_refused_with_the_command_that_adopts_it(estate: Estate) -> None:
    estate.incus("project", "create", "home", "-c", "features.images=false", "-c", "user.note=old")
    before = estate.get("/projects/home")
    estate.write(TWO_MACHINES)
    assert estate.freehold("plan").code == 1
    refused = estate.freehold("apply", "--yes")
    assert refused.code == 1
    assert "error[not-ours]" in refused.err
    assert "project:home exists and carries no mark of an estate" in refused.err
    assert estate.get("/projects/home") == before

    (command,) = adoptions(refused)
    estate.incus(*command)
    estate.ok("apply", "--yes")
    estate.settled()
    assert estate.get("/projects/home")["config"]["user.note"] == "old"


def test_the_commands_that_adopt_all_kinds_work(estate: Estate) -> None:
    estate.write(TWO_MACHINES.replace("memory: 512MiB", "volumes: {data: {path: /srv/data}}"))
    estate.ok("apply", "--yes")
    unset = "user.freehold.estate"
    estate.incus("project", "unset", "home", unset)
    estate.incus("network", "unset", "net-home", unset)
    estate.incus("storage", "volume", "unset", "--project", "home", "default", "desk.data", unset)
    estate.incus("config", "unset", "--project", "home", "home-desk", unset)
    refused = estate.freehold("apply", "--yes")
    assert refused.code == 1
    commands = adoptions(refused)
    assert len(commands) == 4, refused.err
    for command in commands:
        estate.incus(*command)
    estate.settled()


def test_what_another_estate_made_is_refused(estate: Estate) -> None:
    estate.write(TWO_MACHINES)
    estate.ok("apply", "--yes")
    before = estate.get("/instances?recursion=1&all-projects=true")
    estate.edit("name: cottage", "name: castle")
    refused = estate.freehold("apply", "--yes", "--prune", "--confirm", "castle")
    assert refused.code == 1
    assert refused.err.count("belongs to the estate `cottage`") == 5, refused.err
    destroyed = estate.freehold("destroy", "--yes", "--confirm", "castle")
    assert destroyed.code == 0
    assert "Nothing to do" in destroyed.out
    assert estate.get("/instances?recursion=1&all-projects=true") == before


@pytest.mark.slow
def test_a_strangers_container_in_our_project_keeps_the_project(estate: Estate) -> None:
    estate.write(TWO_MACHINES)
    estate.ok("apply", "--yes")
    foreign.put_into(estate.lab, "home", "stranger")
    before = foreign.instance(estate.lab.socket, "home", "stranger")
    assert estate.freehold("verify").code == 0, "what is not ours is not our business"
    refused = estate.freehold("destroy", "--yes", "--confirm", "cottage")
    assert refused.code == 1
    assert "project:home holds instance stranger, which Freehold did not create" in refused.err
    estate.settled()
    assert foreign.instance(estate.lab.socket, "home", "stranger") == before


def test_a_strangers_bridge_on_our_addresses_is_told(estate: Estate) -> None:
    estate.incus(
        "network", "create", "br-other", "ipv4.address=10.100.11.1/24", "ipv6.address=none"
    )
    estate.write(TWO_MACHINES)
    refused = estate.freehold("apply", "--yes")
    assert refused.code == 1
    assert "the bridge br-other, which is not ours, has 10.100.11.0/24" in refused.said
    assert "home" not in estate.incus("project", "list", "-c", "n", "-f", "csv").split()
