"""How a run ended, as it is told to people."""

from io import StringIO

import pytest

from freehold.engine.run import RunResult
from freehold.views.run import render_result
from tests.unit.views.conftest import Golden
from tests.unit.views.estates import DONE, PARTLY, STOPPED, UNSETTLED


def rendered(result: RunResult) -> list[str]:
    stream = StringIO()
    render_result(result, stream, estate="maison", seconds=4.2)
    return stream.getvalue().splitlines()


@pytest.mark.parametrize(
    ("name", "result"),
    [("done", DONE), ("partly", PARTLY), ("stopped", STOPPED), ("unsettled", UNSETTLED)],
)
def test_a_whole_ending(golden: Golden, name: str, result: RunResult) -> None:
    golden(
        f"run-{name}",
        lambda stream: render_result(result, stream, estate="maison", seconds=4.2),
    )


def test_a_clean_run_is_one_line() -> None:
    assert rendered(DONE) == ["Applied: 5 created, 2 changed, 0 deleted in 4.2 s."]


def test_every_failure_is_repeated_with_its_step() -> None:
    text = "\n".join(rendered(PARTLY))
    assert "failed: volume homelab/llm/models at `create volume llm.models`" in text
    assert "no space left on device" in text
    assert rendered(PARTLY)[-1].startswith("Failed: 1 failed, 1 not done of 7 changes;")


def test_a_stopped_run_says_where_and_how_to_go_on() -> None:
    text = " ".join(rendered(STOPPED))
    assert "stopped after 3 of 6 changes" in text
    assert "Run the same command again" in text
    assert rendered(STOPPED)[-1].startswith("Stopped: ")


def test_nothing_to_do_is_a_clean_end() -> None:
    assert rendered(RunResult(())) == ["Applied: 0 created, 0 changed, 0 deleted in 4.2 s."]


def test_hints_name_commands_as_they_were_typed() -> None:
    stream = StringIO()
    command = "freehold --lab -C house"
    render_result(UNSETTLED, stream, estate="maison", seconds=4.2, command=command)
    assert f"    {command} plan" in stream.getvalue()
