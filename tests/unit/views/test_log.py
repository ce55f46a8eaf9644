"""Past runs, for people and for scripts."""

import json
from dataclasses import replace
from io import StringIO

import pytest

from freehold.engine.journal import PastRun
from freehold.views.log import render_run, render_runs, run_log_document, runs_log_document
from tests.unit.views.conftest import CASES, Golden
from tests.unit.views.estates import RUNS, past_run


@pytest.mark.parametrize("width", [None, "80", "20"])
def test_the_table_of_runs(
    golden: Golden, monkeypatch: pytest.MonkeyPatch, width: str | None
) -> None:
    if width:
        monkeypatch.setenv("COLUMNS", width)
    name = f"log-{width}-columns" if width else "log"
    golden(name, lambda stream: render_runs(RUNS[: 4 if width == "80" else 5], stream))


def test_no_runs() -> None:
    stream = StringIO()
    render_runs((), stream)
    assert stream.getvalue() == "No run was made here yet.\n"


@pytest.mark.parametrize(("name", "run"), [("done", RUNS[0]), ("hostile", RUNS[4])])
def test_a_timeline(golden: Golden, name: str, run: PastRun) -> None:
    golden(f"log-run-{name}", lambda stream: render_run(run, stream))


def test_what_a_program_said_on_two_lines_has_no_escapes() -> None:
    stream = StringIO()
    failed = {"event": "change-failed", "time": 1.0, "address": "a:b/c", "problems": ["One: a\nb"]}
    render_run(replace(past_run(1), events=(failed,)), stream)
    assert "One: a b" in stream.getvalue()
    assert "\\n" not in stream.getvalue()


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (past_run(0), "done"),
        (past_run(1), "failed"),
        (past_run(4), "partly applied"),
        (past_run(4, stopped=True), "stopped"),
        (past_run(None), "no end written"),
        (past_run(9), "exit 9"),
    ],
)
def test_the_result_in_words(run: PastRun, words: str) -> None:
    (document,) = runs_log_document([run])["runs"]
    assert document["result"] == words


def test_json_of_runs_and_of_one() -> None:
    documents = {"runs": runs_log_document(RUNS[:2]), "run": run_log_document(RUNS[0])}
    expected = json.loads((CASES / "log.json").read_text(encoding="utf-8"))
    assert json.loads(json.dumps(documents)) == expected
