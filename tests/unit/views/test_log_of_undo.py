"""What the journal notes for `undo` is told in the timeline of a run."""

from io import StringIO

from freehold.engine.journal import PastRun
from freehold.views.log import render_run


def test_a_run_says_what_it_takes_back_and_which_snapshots_it_has() -> None:
    machines = {"home/desk": "run-x", "home/shelf": "run-y", "home/till": "run-x"}
    events = (
        {"time": 0.0, "event": "undo", "run": "20260301T140322.123-apply", "to": "the first"},
        {"time": 0.0, "event": "snapshots", "machines": machines},
        {"time": 0.0, "event": "snapshots", "machines": {}},
    )
    stream = StringIO()
    render_run(PastRun("a", "undo", 1, 0.0, 1.0, 0, False, {}, events), stream)
    lines = [line.strip() for line in stream.getvalue().splitlines()]
    assert lines[1:-1] == [
        "0.000 s  takes back 20260301T140322.123-apply: to what the first left",
        "0.000 s  snapshots: home/desk, home/till as run-x; home/shelf as run-y",
    ]
