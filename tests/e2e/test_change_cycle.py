"""An estate changes over its life. Every plan says precisely what was changed; every apply does it, and settles."""

import re
import shlex

import pytest

from tests.e2e.estate import TWO_MACHINES, Done, Estate, created, deleted, told

pytestmark = pytest.mark.lab


def changed(estate: Estate, *agreement: str) -> Done:
    """Apply, and check that afterwards everything is as declared."""
    done = estate.ok("apply", "--yes", *agreement)
    estate.settled()
    return done


def refused(estate: Estate, name: str, *words: str) -> None:
    """Without the confirmation nothing is changed, and the words to type are told."""
    before = estate.get("/instances?recursion=1&all-projects=true")
    done = estate.freehold("apply", "--yes", *words)
    assert done.code == 64
    assert f"--confirm {name}" in done.err
    assert "Nothing was changed." in done.err
    assert estate.get("/instances?recursion=1&all-projects=true") == before


@pytest.mark.slow
def test_every_change_is_told_precisely_and_done(estate: Estate) -> None:
    estate.write(TWO_MACHINES)
    changed(estate)

    # a domain that sorts first
    estate.edit(
        "domains:\n", "domains:\n  attic: {subnet_id: 12, machines: {box: {ip: 10.100.12.10}}}\n"
    )
    new = ("project:attic", "bridge:attic", "profile:attic/default", "instance:attic/box")
    zone = tuple(
        f"zones.attic.{key}" for key in ("admin", "bridge", "gateway", "internet", "subnet")
    )
    assert told(estate.plan()) == {"firewall:host": ("update", "live", zone), **created(*new)}
    changed(estate)

    # a limit, which takes effect while the machine runs
    estate.edit("512MiB", "256MiB")
    plan = estate.plan()
    assert told(plan) == {"instance:home/desk": ("update", "live", ("config.limits.memory",))}
    (field,) = plan["changes"][0]["fields"]
    assert (field["before"], field["after"]) == ("512MiB", "256MiB")
    pid = estate.get("/instances/home-desk/state?project=home")["pid"]
    changed(estate)
    assert estate.get("/instances/home-desk/state?project=home")["pid"] == pid

    # an image: the root disk is lost, which needs a confirmation of its own
    estate.edit("memory: 256MiB", "memory: 256MiB, image: test/other")
    plan = estate.plan()
    assert told(plan) == {"instance:home/desk": ("replace", "recreate", ("image",))}
    assert plan["changes"][0]["destroys_data"] is True
    refused(estate, "home/desk")
    changed(estate, "--confirm", "home/desk")

    # a machine is removed: an orphan until it is pruned
    estate.edit("    shelf: {ip: 10.100.11.11}\n", "")
    plan = estate.plan()
    assert told(plan) == {}
    assert plan["orphans"] == [
        {"address": "instance:home/shelf", "holds_data": True, "protected": False}
    ]
    assert estate.freehold("verify").code == 2
    assert told(estate.plan("--prune")) == deleted("instance:home/shelf")
    refused(estate, "home/shelf", "--prune")
    changed(estate, "--prune", "--confirm", "home/shelf")
    assert "home-shelf" not in estate.incus("list", "--project", "home", "-c", "n", "-f", "csv")

    # a machine is renamed
    estate.edit("desk:", "table:")
    plan = estate.freehold("plan", "--json")
    assert plan.code == 1
    assert [d["code"] for d in plan.document["diagnostics"]] == ["claimed"]
    plan = estate.plan("--prune")
    assert told(plan) == {**created("instance:home/table"), **deleted("instance:home/desk")}
    changed(estate, "--prune", "--confirm", "home/desk")
    assert estate.states()["home-table"] == ("running", ("10.100.11.10",))

    # one is broken by hand
    estate.incus("stop", "--project", "home", "--force", "home-table")
    estate.incus("config", "set", "--project", "attic", "attic-box", "limits.cpu=1")
    estate.incus("network", "set", "net-home", "ipv4.nat=false")
    assert told(estate.plan()) == {
        "bridge:home": ("update", "live", ("config.ipv4.nat",)),
        "instance:attic/box": ("update", "live", ("config.limits.cpu",)),
        "instance:home/table": ("update", "live", ("state",)),
    }
    verified = estate.freehold("verify")
    assert verified.code == 2
    assert "home/table" in verified.out
    assert estate.freehold("plan", "--detailed-exitcode").code == 2
    changed(estate)

    # the end
    gone = estate.freehold("destroy", "--yes")
    assert gone.code == 64
    assert re.search(r"--confirm \S+", gone.err)
    estate.ok("destroy", "--yes", "--confirm", "cottage")
    assert "home" not in estate.incus("project", "list", "-f", "csv", "-c", "n").split()
    assert estate.plan()["summary"]["create"] == 9


@pytest.mark.slow
def test_one_is_deleted_by_hand_with_all_that_it_had(estate: Estate) -> None:
    estate.write(TWO_MACHINES)
    changed(estate)
    estate.incus("delete", "--project", "home", "--force", "home-desk")
    assert told(estate.plan()) == created("instance:home/desk")
    changed(estate)
    assert estate.states()["home-desk"] == ("running", ("10.100.11.10",))


def test_what_is_protected_stays(estate: Estate) -> None:
    estate.write(TWO_MACHINES.replace("memory: 512MiB", "protect: true"))
    changed(estate)
    estate.edit("protect: true", "protect: true, image: test/other")
    done = estate.freehold("apply", "--yes", "--confirm", "home/desk")
    assert done.code == 1
    assert "error[protected]" in done.err
    assert "incus config unset --project home home-desk security.protection.delete" in done.err
    destroyed = estate.freehold("destroy", "--yes", "--confirm", "cottage")
    assert destroyed.code == 1
    assert "instance:home/desk is protected" in destroyed.err
    assert set(estate.states().values()) == {
        ("running", ("10.100.11.10",)),
        ("running", ("10.100.11.11",)),
    }


def machines(estate: Estate) -> str:
    return estate.incus("list", "--project", "home", "--format", "csv", "--columns", "ns")


@pytest.mark.slow
def test_what_is_protected_stays_when_infra_yml_forgets_it(estate: Estate) -> None:
    """The mark is on the objects, volumes too; the commands of the hints lift it."""
    estate.write(
        TWO_MACHINES.replace(
            "memory: 512MiB}", "protect: true, volumes: {papers: {path: /srv/papers}}}"
        )
    )
    changed(estate)
    estate.write(TWO_MACHINES.replace("desk: {ip: 10.100.11.10, memory: 512MiB}", ""))
    prune = ["apply", "--prune", "--yes", "--confirm", "home/desk", "--confirm", "home/desk/papers"]
    kept = estate.ok(*prune)
    assert kept.err.count("warning[protected-orphan]") == 2
    assert "home-desk,RUNNING" in machines(estate)

    commands = re.findall(r"incus (?:config|storage volume) unset [^;\n]+", kept.err)
    assert len(commands) == 3
    for command in commands:
        estate.incus(*shlex.split(command)[1:])
    estate.ok(*prune)
    assert "home-desk" not in machines(estate)
    assert "desk.papers" not in estate.incus(
        "storage", "volume", "list", "default", "--all-projects"
    )
