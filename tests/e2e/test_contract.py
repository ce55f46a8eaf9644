"""What scripts rely on: exit codes, the shape of JSON documents, what --limit and --only leave out."""

import subprocess

import pytest

from tests.e2e.estate import THREE_DOMAINS, TWO_MACHINES, Estate, created, told
from tests.e2e.shapes import PLAN, STATUS, VALIDATE, deviations

pytestmark = pytest.mark.lab


def test_documents_are_as_in_the_contract_and_alone_on_standard_output(estate: Estate) -> None:
    estate.write(TWO_MACHINES)
    assert deviations(estate.ok("plan", "--json").document, PLAN) == []
    made = estate.ok("apply", "--yes", "--json").document
    assert (made["schema"], made["kind"], made["exit_code"]) == (1, "run", 0)
    assert {change["status"] for change in made["changes"]} == {"done"}
    nothing = estate.ok("--json", "apply", "--yes").document
    assert nothing["changes"] == []

    estate.edit("memory: 512MiB", "memory: 256MiB, image: test/other")
    estate.edit("      shelf: {ip: 10.100.11.11}\n", "")
    plan = estate.ok("plan", "--json").document
    assert deviations(plan, PLAN) == []
    assert [field["path"] for field in plan["changes"][0]["fields"]] == [
        "config.limits.memory",
        "image",
    ]
    assert plan["orphans"][0]["address"] == "instance:home/shelf"
    assert plan["summary"] == {
        "create": 0, "update": 0, "replace": 1, "delete": 0, "unchanged": 4, "orphans": 1,
    }  # fmt: skip

    status = estate.ok("status", "--json").document
    assert deviations(status, STATUS) == []
    (machine,) = status["machines"]
    assert machine["addresses"] == ["10.100.11.10"]
    assert machine["drift"] == ["config.limits.memory", "image"]

    valid = estate.ok("validate", "--json").document
    assert deviations(valid, VALIDATE) == []
    assert valid["valid"] is True
    for words in (("orphans", "--json"), ("log", "--json"), ("lab", "status", "--json")):
        assert estate.ok(*words).document["schema"] == 1
    verified = estate.freehold("verify", "--json")
    assert (verified.code, verified.document["clean"]) == (2, False)


def test_every_exit_code(estate: Estate) -> None:
    estate.write(TWO_MACHINES.replace("home:", "home_1:"))
    invalid = estate.freehold("validate", "--json")
    assert invalid.code == 3
    assert deviations(invalid.document, VALIDATE) == []
    assert invalid.document["valid"] is False
    assert invalid.document["diagnostics"][0]["line"] == 5
    for verb in ("plan", "apply", "verify", "status", "destroy", "orphans"):
        done = estate.freehold(verb)
        assert done.code == 3, (verb, done)
        assert "infra.yml:5:" in done.err

    estate.write(TWO_MACHINES)
    assert estate.freehold("plan").code == 0
    assert estate.freehold("plan", "--detailed-exitcode").code == 2
    assert estate.freehold("verify").code == 2
    unasked = estate.freehold("apply", "--json")
    assert (unasked.code, unasked.out) == (64, "")
    assert "Nobody agreed to this" in unasked.err
    assert told(estate.plan()) != {}

    for wrong in (("plan", "--nonsense"), ("aply",), ("apply", "--limit"), ("log", "last")):
        done = estate.freehold(*wrong)
        assert done.code == 64, (wrong, done)
    typing_error = estate.freehold("plan", "--limit", "hom")
    assert typing_error.code == 64
    assert "Did you mean `home`?" in typing_error.err
    assert "Did you mean `home/desk`?" in estate.freehold("plan", "--limit", "home/dsk").err
    assert "Did you mean `bridge`?" in estate.freehold("plan", "--only", "bridges").err

    subprocess.run(["rm", estate.folder / "infra.yml"], check=True)
    assert estate.freehold("plan").code == 3
    assert estate.freehold("-C", "nowhere", "plan").code == 3


@pytest.mark.slow
def test_limit_and_only_touch_nothing_else(estate: Estate) -> None:
    estate.write(THREE_DOMAINS)
    lodge = (
        "firewall:host",
        "project:lodge",
        "bridge:lodge",
        "profile:lodge/default",
        "instance:lodge/till",
    )
    assert told(estate.plan("--limit", "lodge")) == created(*lodge)
    assert told(estate.plan("--limit", "lodge/till")) == created(*lodge)
    only = told(estate.plan("--only", "project", "--only", "bridge"))
    assert set(only) == {
        f"{k}:{d}" for k in ("project", "bridge") for d in ("home", "lodge", "mill")
    }

    estate.ok("apply", "--yes", "--limit", "lodge")
    projects = set(estate.incus("project", "list", "-c", "n", "-f", "csv").split())
    assert projects & {"home", "lodge", "mill"} == {"lodge"}
    assert estate.freehold("verify", "--limit", "lodge").code == 0
    assert estate.freehold("verify").code == 2
    estate.ok("apply", "--yes", "--only", "project")
    assert set(told(estate.plan("--limit", "mill"))) == {
        "bridge:mill", "profile:mill/default", "instance:mill/wheel",
    }  # fmt: skip


def test_a_reader_that_goes_away_ends_it_quietly_and_before_anything_is_changed(
    estate: Estate,
) -> None:
    estate.write(TWO_MACHINES)
    process = estate.start("apply", "--yes")
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "cannot be written" not in err
    assert "Traceback" not in err
    assert told(estate.plan()) != {}
