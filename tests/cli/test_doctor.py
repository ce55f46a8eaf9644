"""`freehold doctor`, as typed: on this computer, whatever it is."""

import json
from pathlib import Path

from tests.cli.conftest import Freehold

RESULTS = {"ok", "warning", "error", "not measured"}


def test_scripts_get_the_contract(freehold: Freehold) -> None:
    done = freehold("doctor", "--json")
    answer = json.loads(done.stdout)
    assert (answer["schema"], answer["kind"]) == (1, "doctor")
    assert all(check.keys() == {"name", "result", "detail", "remedy"} for check in answer["checks"])
    assert {check["result"] for check in answer["checks"]} <= RESULTS
    found = {check["name"]: check for check in answer["checks"]}
    assert len(found) == len(answer["checks"])
    assert found["incus"]["result"] == "error"
    assert found.keys() >= {"reverse path", "br_netfilter", "docker", "ufw", "leftover tables"}
    assert "This is a bug" not in done.stdout
    assert done.returncode == 1


def test_people_get_a_line_for_each_and_what_to_do(freehold: Freehold) -> None:
    done = freehold("doctor")
    assert done.returncode == 1
    assert "There is no infra.yml" in done.stdout
    assert "freehold lab start" in done.stdout
    assert done.stdout.splitlines()[-1].startswith(f"{len(_names(freehold))} checks: ")


def test_the_estate_is_what_it_compares_with(freehold: Freehold) -> None:
    freehold("init", "estate")
    assert "workstation: 4 domains, 4 machines." in freehold("-C", "estate", "doctor").stdout


def test_a_wrong_estate_is_an_error_of_its_own(freehold: Freehold, tmp_path: Path) -> None:
    (tmp_path / "infra.yml").write_text("freehold: 1\n")
    answer = json.loads(freehold("doctor", "--json").stdout)
    assert answer["checks"][0]["name"] == "estate"
    assert answer["checks"][0]["result"] == "error"


def test_the_lab_that_does_not_run_is_an_error(freehold: Freehold) -> None:
    done = freehold("doctor", "--lab", "--json")
    found = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert done.returncode == 1
    assert found["lab"]["result"] == "error"
    assert found["docker"]["result"] == "not measured", (
        "this computer's firewalls are not the lab's"
    )
    assert found["docker"]["detail"] == "The lab is not running."


def _names(freehold: Freehold) -> list[str]:
    return [check["name"] for check in json.loads(freehold("doctor", "--json").stdout)["checks"]]
