"""What a task of a playbook answers."""

import pytest

from freehold.diagnostics import Diagnostic, Source
from freehold.engine.run import RunResult
from freehold.planning.change import FieldChange
from freehold.planning.plan import Plan
from freehold.planning.resource import Impact
from freehold.views.ansible_task import carried_out, failure, in_words, predicted
from tests.unit.views.estates import DONE, PARTLY, UNSETTLED, update

COMMAND = "freehold --lab -C house"


def answered(result: RunResult) -> dict[str, object]:
    plan = Plan(estate="maison", changes=tuple(o.change for o in result.outcomes), unchanged=3)
    return carried_out(plan, result, seconds=4.2, command=COMMAND)


def shown(*fields: FieldChange) -> tuple[str, str]:
    change = update("homelab", "llm", Impact.LIVE, *fields)
    (difference,) = predicted(Plan(estate="maison", changes=(change,)))["diff"]
    assert difference["before_header"] == "instance:homelab/llm"
    return difference["before"], difference["after"]


def test_nothing_to_do_is_not_changed() -> None:
    answer = predicted(Plan(estate="maison", unchanged=5))
    assert answer["changed"] is False
    assert answer["plan"]["unchanged"] == 5
    assert answer["diff"] == []


def test_a_clean_run_says_what_was_done_and_why() -> None:
    answer = answered(DONE)
    assert answer["changed"] is True
    assert "failed" not in answer
    assert answer["msg"] == "Applied: 5 created, 2 changed, 0 deleted in 4.2 s."
    changes = answer["changes"]
    assert isinstance(changes, list)
    assert len(changes) == len(DONE.outcomes)
    assert {"address", "action", "reason", "destroys_data"} == changes[0].keys()


def test_a_partly_done_run_has_failed_and_has_changed_something() -> None:
    answer = answered(PARTLY)
    assert answer["changed"] is True
    assert answer["failed"] is True
    assert "no space left on device" in str(answer["msg"])
    done, not_done = answer["changes"], answer["not_done"]
    assert isinstance(done, list)
    assert isinstance(not_done, list)
    assert len(done) + len(not_done) == len(PARTLY.outcomes)
    assert "volume:homelab/llm/models" in {change["address"] for change in not_done}


def test_what_did_not_last_is_a_failure() -> None:
    answer = answered(UNSETTLED)
    assert answer["failed"] is True
    assert f"    {COMMAND} plan" in str(answer["msg"])


def test_differences_are_lines_of_fields() -> None:
    before, after = shown(
        FieldChange("config.limits.cpu", "2", "4"),
        FieldChange("profiles", ["default"], ["default", "big"]),
        FieldChange("description", "", "two\nlines"),
        FieldChange("devices.gpu.type", None, "gpu"),
    )
    assert before == 'config.limits.cpu: 2\nprofiles: ["default"]\ndescription: ""\n'
    assert after == (
        'config.limits.cpu: 4\nprofiles: ["default", "big"]\n'
        'description: "two\\nlines"\ndevices.gpu.type: gpu\n'
    )


@pytest.mark.parametrize(
    "path",
    [
        "config.environment.DATABASE_URL",
        "config.cloud-init.user-data",
        "config.user.user-data",
        "config.raw.qemu",
        "inherited.config.environment.TOKEN",
        "devices.share.ceph.client_secret",
    ],
)
def test_what_may_be_a_secret_is_not_shown_but_that_it_differs_is(path: str) -> None:
    before, after = shown(FieldChange(path, "hunter2", "hunter3"))
    assert path in before
    assert "hunter" not in before + after
    assert before != after
    _, made = shown(FieldChange(path, None, "hunter2"))
    assert path in made
    assert "hunter" not in made


def test_problems_are_told_whole_and_without_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    problem = Diagnostic(
        code="unknown-key",
        summary="Unknown key",
        detail="There is no key `memry`.",
        source=Source("infra.yml", 7, 9, "domains.homelab", "        memry: 8GiB"),
        hint="Look:\n    freehold plan",
    )
    answer = failure([problem, problem], command=COMMAND)
    assert answer["failed"] is True
    assert answer["changed"] is False
    assert answer["msg"] == in_words([problem, problem], command=COMMAND)
    assert "--> infra.yml:7:9 (domains.homelab)" in answer["msg"]
    assert f"    {COMMAND} plan" in answer["msg"]
    assert answer["msg"].endswith("2 errors")
    assert "\x1b" not in answer["msg"]
