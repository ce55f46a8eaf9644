"""Runs read back from a folder in which not everything can be read."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from freehold.diagnostics import ExitCode
from freehold.engine.journal import Journal, past_runs, runs_folder

NOBODY = 65534


def ran(folder: Path, verb: str) -> Path:
    journal = Journal(folder, verb)
    journal.finished(ExitCode.DONE)
    return runs_folder(folder) / f"{journal.run}.jsonl"


def test_what_is_gone_or_no_file_is_passed_over(tmp_path: Path) -> None:
    ran(tmp_path, "apply")
    runs = runs_folder(tmp_path)
    (runs / "20990101T000000.000-apply.jsonl").mkdir()
    (runs / "20990101T000000.001-apply.jsonl").symlink_to(runs / "gone")
    assert [run.verb for run in past_runs(tmp_path)] == ["apply"]


@pytest.fixture
def open_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that anybody may enter, as one's own is after `sudo freehold apply`."""
    for parent in (tmp_path, *tmp_path.parents[:3]):
        parent.chmod(0o755)
    yield tmp_path
    os.seteuid(0)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be somebody without permission")
def test_a_run_of_somebody_else_hides_no_other(open_folder: Path) -> None:
    foreign, own = ran(open_folder, "destroy"), ran(open_folder, "apply")
    for path in (own.parent, own.parent.parent):
        path.chmod(0o755)
    own.chmod(0o644)
    assert stat.S_IMODE(foreign.stat().st_mode) == 0o600
    os.seteuid(NOBODY)
    assert [run.verb for run in past_runs(open_folder)] == ["apply"]
