"""Which timers a computer has, and that what they run is this Freehold."""

import subprocess
import sys
from pathlib import Path

import pytest

from freehold.system.timers import job, place
from freehold.system.timers.process import ProcessTimers
from freehold.system.timers.systemd import SystemdTimers

INCUS = Path("/run/incus/unix.socket")


def test_units_are_for_a_computer_that_systemd_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, kind in ((tmp_path, SystemdTimers), (tmp_path / "none", ProcessTimers)):
        monkeypatch.setattr(place, "_SYSTEMD", folder)
        timers = place.timers_of_this_computer(INCUS)
        assert isinstance(timers, kind)
        made = timers.job("cottage", tmp_path)
        assert made.argv == (*job.own_program(), "-C", str(tmp_path), "snapshot", "due")
        assert (made.variables, made.every) == ({"INCUS_SOCKET": str(INCUS)}, 3600)


@pytest.mark.allow("process")
@pytest.mark.parametrize("is_installed", [True, False])
def test_the_program_is_this_freehold_from_anywhere(
    is_installed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_installed:
        alone = tmp_path / "python"
        alone.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        alone.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(alone))
    program = job.own_program()
    assert (len(program) == 1) is is_installed
    done = subprocess.run(
        [*program, "--help"], cwd="/", env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "snapshot" in done.stdout
