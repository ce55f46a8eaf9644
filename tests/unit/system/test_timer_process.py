"""A timer as a process of its own: it goes off again whatever happens to a run, and leaves nothing when it ends."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from freehold.diagnostics import BackendError
from freehold.system.timers.api import TimerState
from freehold.system.timers.job import Job, path_of, read_run, socket_of
from freehold.system.timers.process import ProcessTimers
from freehold.system.unix_http import listener_pid

pytestmark = pytest.mark.allow("process", "connection")

PROGRAM = """\
#!/bin/sh
cd {folder}
mkdir running || echo twice >> called
trap 'echo told >> called; rmdir running; exit 7' TERM
echo "$SAID $@" >> called
echo "words"
. ./ending
rmdir running
exit "${{code:-0}}"
"""
PATIENCE = 60.0  # seconds


class Host:
    """A folder for timers, and a program that notes how it is called and does what `ending` says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.program = folder / "freehold"
        self.program.write_text(PROGRAM.format(folder=folder))
        self.program.chmod(0o755)
        self.ending("")
        self.timers = self.timers_with(None)

    def timers_with(self, life: int | None) -> ProcessTimers:
        variables = {"SAID": "called"}
        return ProcessTimers(
            self.folder / "timer", [str(self.program)], variables, every=1.0, life=life
        )

    def ending(self, script: str) -> None:
        new = self.folder / "ending.new"
        new.write_text(script)
        new.replace(self.folder / "ending")

    def keep(self, timers: ProcessTimers | None = None) -> None:
        asyncio.run((timers or self.timers).keep(self.job()))

    def job(self) -> Job:
        return self.timers.job("cottage", self.folder / "estate")

    def read(self) -> TimerState | None:
        return asyncio.run(self.timers.read("cottage"))

    def forget(self) -> None:
        asyncio.run(self.timers.forget("cottage"))

    @property
    def path(self) -> Path:
        return path_of(self.folder / "timer", "cottage")

    @property
    def pid(self) -> int | None:
        return listener_pid(socket_of(self.path))

    @property
    def calls(self) -> list[str]:
        called = self.folder / "called"
        return called.read_text().splitlines() if called.exists() else []

    def ended_with(self, code: int) -> Callable[[], bool]:
        def met() -> bool:
            last = read_run(self.path)
            return last is not None and last.code == code

        return met


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    made = Host(tmp_path)
    yield made
    made.forget()
    assert made.pid is None


def becomes_true(condition: Callable[[], bool]) -> bool:
    until = time.monotonic() + PATIENCE
    while not (met := condition()) and time.monotonic() < until:
        time.sleep(0.02)
    return met


def test_it_goes_off_again_and_again_and_tells_how_that_ended(host: Host) -> None:
    assert host.read() is None
    host.keep()
    state = host.read()
    assert state is not None
    assert (state.job, state.runs) == (host.job(), True)

    assert becomes_true(host.ended_with(0))
    for ending, code in (("code=3", 3), ("kill -9 $$", -9)):
        host.ending(f"rmdir running; {ending}; mkdir running")
        assert becomes_true(host.ended_with(code))
    state = host.read()
    assert state is not None
    assert state.last is not None
    assert (state.last.output, abs(state.last.at.timestamp() - time.time()) < PATIENCE) == ("words", True)  # fmt: skip
    assert set(host.calls) == {f"called -C {host.folder}/estate snapshot due"}
    assert len(host.calls) >= 3


def test_a_program_that_is_gone_is_told_and_may_come_back(host: Host) -> None:
    away = host.folder / "away"
    host.program.rename(away)
    host.keep()
    assert becomes_true(host.ended_with(127))
    state = host.read()
    assert state is not None
    assert state.last is not None
    assert state.last.output == f"{host.program}: No such file or directory"
    away.rename(host.program)
    assert becomes_true(host.ended_with(0))


def test_a_long_run_is_alone(host: Host) -> None:
    host.ending("sleep 2.5")
    host.keep()
    assert becomes_true(lambda: len(host.calls) >= 2)
    assert "twice" not in host.calls


def test_one_that_was_killed_is_seen_and_started_again(host: Host) -> None:
    host.keep()
    first = host.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert becomes_true(lambda: host.pid is None)
    assert host.read() == TimerState(host.job(), runs=False, last=read_run(host.path))

    host.timers.start_all()
    second = host.pid
    host.timers.start_all()
    assert host.pid == second is not None, "one of them is enough"


def test_all_are_stopped_and_come_back(host: Host) -> None:
    host.keep()
    host.timers.stop_all()
    assert host.pid is None
    state = host.read()
    assert state is not None
    assert not state.runs
    host.timers.start_all()
    assert host.pid is not None


def test_what_it_runs_ends_with_it(host: Host) -> None:
    host.ending("sleep 30 & wait $!")
    host.keep()
    assert becomes_true(lambda: bool(host.calls))
    host.forget()
    assert host.calls[-1] == "told"
    assert not (host.folder / "timer").exists()


def test_it_ends_with_the_process_that_it_was_started_for(host: Host) -> None:
    with subprocess.Popen(["sleep", "60"]) as life:
        host.keep(host.timers_with(life.pid))
        assert host.pid is not None
        life.kill()
        life.wait()
        assert becomes_true(lambda: host.pid is None)


def test_it_is_not_started_for_a_process_that_has_ended(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("freehold.system.timers.process._PATIENCE", 0.5)
    with subprocess.Popen(["true"]) as life:
        life.wait()
        with pytest.raises(BackendError) as refused:
            host.keep(host.timers_with(life.pid))
    assert refused.value.diagnostics[0].code == "timer-failed"


def test_nothing_of_the_surroundings_goes_along(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAID", "a secret")
    monkeypatch.setenv("TOKEN", "a secret")
    host.keep()
    assert b"a secret" not in Path(f"/proc/{host.pid}/environ").read_bytes()
    assert becomes_true(host.ended_with(0))
    assert host.calls[0].startswith("called -C")


def test_a_folder_that_cannot_be_written_is_told(host: Host) -> None:
    (host.folder / "timer").write_text("in the way")
    with pytest.raises(BackendError) as refused:
        host.keep()
    assert refused.value.diagnostics[0].code == "timer-failed"
    (host.folder / "timer").unlink()


def test_what_another_version_wrote_counts_as_none(host: Host) -> None:
    host.path.parent.mkdir()
    for text in ("", "[]", "{}", '{"estate": "cottage", "variables": 3}'):
        host.path.write_text(text)
        assert host.read() is None
