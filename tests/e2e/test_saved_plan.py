"""`plan --out FILE` and `apply FILE`: exactly what was shown, or nothing."""

import json

import pytest

from tests.e2e.estate import TWO_MACHINES, Estate, told

pytestmark = pytest.mark.lab


@pytest.fixture
def saved(estate: Estate) -> Estate:
    """A running estate, and a saved plan to give `desk` less memory."""
    estate.write(TWO_MACHINES)
    estate.ok("apply", "--yes")
    estate.edit("512MiB", "256MiB")
    shown = estate.ok("plan", "--out", "saved.plan")
    assert "config.limits.memory: 512MiB → 256MiB" in shown.out
    return estate


def test_a_saved_plan_does_what_it_showed_and_not_what_was_written_since(saved: Estate) -> None:
    saved.edit("256MiB", "128MiB")
    saved.edit("shelf: {ip: 10.100.11.11}", "shelf: {ip: 10.100.11.12}")
    applied = saved.ok("apply", "--yes", "saved.plan")
    assert "config.limits.memory: 512MiB → 256MiB" in applied.out
    assert "1 changed" in applied.err
    left = saved.plan()
    assert told(left).keys() == {"instance:home/desk", "instance:home/shelf"}
    assert left["changes"][0]["fields"][0]["before"] == "256MiB"

    again = saved.freehold("apply", "--yes", "saved.plan")
    assert again.code == 1, "it was done: it does not hold any more"
    assert "Different now: instance:home/desk." in again.err


def test_a_saved_plan_is_refused_when_a_machine_was_changed_by_hand(saved: Estate) -> None:
    saved.incus("config", "set", "--project", "home", "home-shelf", "limits.cpu=1")
    before = saved.get("/instances?recursion=1&all-projects=true")
    done = saved.freehold("apply", "--yes", "saved.plan")
    assert done.code == 1
    assert "error[stale-plan]" in done.err
    assert "Different now: instance:home/shelf. Nothing was changed." in done.err
    assert saved.get("/instances?recursion=1&all-projects=true") == before


def test_a_saved_plan_needs_the_same_agreements(saved: Estate) -> None:
    saved.edit("256MiB", "256MiB, image: test/other")
    saved.ok("plan", "--out", "saved.plan")
    refused = saved.freehold("apply", "--yes", "saved.plan")
    assert refused.code == 64
    assert "--confirm home/desk" in refused.err
    saved.ok("apply", "--yes", "--confirm", "home/desk", "saved.plan")
    saved.settled()


def test_what_is_not_a_saved_plan_is_a_usage_error(saved: Estate) -> None:
    whole = (saved.folder / "saved.plan").read_text()
    document = json.loads(whole)
    broken = {
        "truncated": whole[: len(whole) // 2],
        "empty": "",
        "another document": json.dumps({"schema": 1, "kind": "status", "machines": []}),
        "only the contract": json.dumps({k: v for k, v in document.items() if k != "inputs"}),
        "another version": json.dumps({**document, "schema": 99}),
        "a list": "[1, 2]",
        "sources that are none": json.dumps(
            {**document, "inputs": {**document["inputs"], "sources": 3}}
        ),
        "infra.yml": (saved.folder / "infra.yml").read_text(),
    }
    for what, text in broken.items():
        (saved.folder / "broken").write_text(text)
        done = saved.freehold("apply", "--yes", "broken")
        assert done.code == 64, (what, done)
        assert "error[not-a-plan]" in done.err, what
    missing = saved.freehold("apply", "--yes", "nowhere")
    assert missing.code == 64
    assert "No such file" in missing.err
    limited = saved.freehold("apply", "--yes", "saved.plan", "--limit", "home")
    assert limited.code == 64


def test_a_plan_cannot_be_saved_where_nothing_can_be_written(saved: Estate) -> None:
    done = saved.freehold("plan", "--out", "nowhere/saved.plan")
    assert done.code == 1
    assert "error[cannot-write]" in done.err
    assert "nowhere/saved.plan" in done.err
