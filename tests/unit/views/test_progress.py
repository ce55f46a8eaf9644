"""Progress on a terminal, on odd ones, and in a file. A pseudo-terminal stands for the real one."""

import os
import pty
import re
import struct
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fcntl import ioctl
from io import StringIO
from typing import TextIO

import pytest

from freehold.diagnostics import Diagnostic
from freehold.engine.events import (
    ChangeDone,
    ChangeFailed,
    ChangeSkipped,
    ChangeStarted,
    StepStarted,
)
from freehold.planning.address import Address
from freehold.views.progress import Progress
from tests.unit.views.estates import CREATE_HOMELAB, EVENTS, HOSTILE, MIXED

PATIENCE = 30.0  # seconds
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Screen:
    """The other end of a pseudo-terminal: everything that was written to it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._read = b""
        self._thread = threading.Thread(target=self._follow)
        self._thread.start()

    def _follow(self) -> None:
        while True:
            try:
                chunk = os.read(self._descriptor, 65536)
            except OSError:  # EIO: the last writer is gone
                return
            if not chunk:
                return
            self._read += chunk

    def expect(self, text: str) -> None:
        """Return once it is shown."""
        until = time.monotonic() + PATIENCE
        while text not in ESCAPES.sub("", self._read.decode(errors="ignore")):
            assert time.monotonic() < until, self._read
            time.sleep(0.02)

    def finished(self) -> str:
        self._thread.join()
        return self._read.decode()


@contextmanager
def terminal(columns: int = 100, encoding: str = "utf-8") -> Iterator[tuple[TextIO, Screen]]:
    """A pseudo-terminal of that width. Read the screen after the block."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    screen = Screen(ours)
    try:
        with os.fdopen(theirs, "w", encoding=encoding) as stream:
            yield stream, screen
        screen.finished()
    finally:
        os.close(ours)


def shown(columns: int = 100, encoding: str = "utf-8", expected: str = "") -> str:
    """The raw output of a run with representative events that goes on until something is shown."""
    with terminal(columns, encoding) as (stream, screen), Progress(MIXED, stream) as progress:
        for event in EVENTS:
            progress(event)
        screen.expect(expected)
    return screen.finished()


def in_a_file() -> str:
    stream = StringIO()
    with Progress(MIXED, stream) as progress:
        for event in EVENTS:
            progress(event)
    return re.sub(r"\d+\.\d s ", "0.0 s ", stream.getvalue())


def test_in_a_file_a_line_for_each_end() -> None:
    lines = in_a_file().splitlines()
    assert lines[0] == "[ 1/10]    0.0 s  + project homelab: created in 0.0 s"
    assert lines[1].endswith(
        "! instance homelab/llm: Incus went away in the middle: POST /instances: connection reset; "
        "waiting for it"
    )
    assert lines[2].endswith("+ instance homelab/llm: created in 8.1 s")
    assert "failed after 0.0 s at `create volume llm.models`: Incus refused a request" in lines[3]
    assert lines[4].endswith("o instance pro/dev: not done, volume:homelab/llm/models was not done")
    assert len(lines) == 5
    assert "rootfs: 45%" not in "".join(lines)


def test_in_a_file_without_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fast path must not pay for a display that it does not show."""
    for name in [name for name in sys.modules if name.split(".")[0] == "rich"]:
        monkeypatch.delitem(sys.modules, name)
    in_a_file()
    assert "rich" not in sys.modules


def test_force_color_in_a_file_paints_and_does_not_animate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    text = in_a_file()
    assert "\x1b[32m+ project homelab" in text
    assert set(ESCAPES.findall(text)) <= {
        "\x1b[32m",
        "\x1b[33m",
        "\x1b[1;31m",
        "\x1b[1;33m",
        "\x1b[0m",
    }


def test_on_a_terminal_what_ended_stays_and_what_runs_is_drawn() -> None:
    with terminal() as (stream, screen), Progress(MIXED, stream) as progress:
        for event in EVENTS[:6]:
            progress(event)
        screen.expect("rootfs: 45%")
    raw = screen.finished()
    text = ESCAPES.sub("", raw)
    assert "+ project homelab: created in 0.0 s" in text
    assert "instance homelab/llm  create homelab-llm, rootfs: 45%" in text
    assert "1/10" in text
    assert raw.count("\x1b[?25l") == raw.count("\x1b[?25h") == 1  # the cursor is given back


def test_no_color_on_a_terminal_leaves_only_the_moving(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    raw = shown(expected="1/10")
    assert not re.search(r"\x1b\[[0-9;]*m", raw)
    assert "\x1b[?25l" in raw


@pytest.mark.parametrize("name", ["dumb", "unknown", ""])
def test_a_dumb_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("TERM", name)
    raw = shown()
    assert "\x1b" not in raw
    assert "created in 8.1 s" in raw


def test_a_terminal_without_unicode_gets_plain_lines() -> None:
    raw = shown(encoding="ascii")
    assert "\x1b[?25l" not in raw
    assert "created in 8.1 s" in raw


@pytest.mark.parametrize("columns", [0, 1, 20, 1000])
def test_any_width_will_do(columns: int) -> None:
    text = ESCAPES.sub("", shown(columns))
    assert "".join(["created", "in", "8.1", "s"]) in "".join(text.split())


def test_more_running_than_the_screen_has_lines() -> None:
    with terminal() as (stream, screen), Progress(MIXED, stream) as progress:
        for change in (*MIXED.changes, *HOSTILE.changes) * 3:
            progress(ChangeStarted(change))
        for number in range(40):
            twin = CREATE_HOMELAB[4]
            other = Address("homelab", "instance", f"m{number}")
            progress(StepStarted(replace(twin, address=other), "create"))
        screen.expect("more")
    assert "more" in ESCAPES.sub("", screen.finished())


def test_names_are_shown_as_they_are() -> None:
    with terminal() as (stream, screen), Progress(HOSTILE, stream) as progress:
        progress(ChangeStarted(HOSTILE.changes[0]))
        progress(StepStarted(HOSTILE.changes[0], "[bold]step[/bold] :smile: \x1b[2J"))
        screen.expect(":smile:")
        progress(ChangeDone(HOSTILE.changes[0], 1.0))
    raw = screen.finished()
    text = ESCAPES.sub("", raw)
    assert "[bold]dom[/bold]/\\x1b[31mred\\x07: changed in 1.0 s" in text
    assert "[bold]step[/bold] :smile: \\x1b[2J" in text
    assert "\x1b[2J" not in raw


def test_an_error_in_a_run_gives_the_terminal_back() -> None:
    with (
        terminal() as (stream, screen),
        pytest.raises(ValueError, match="outside"),
        Progress(MIXED, stream),
    ):
        raise ValueError("from outside")
    assert screen.finished().count("\x1b[?25h") == 1


def test_a_reader_that_goes_away_ends_no_run() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    stream = os.fdopen(writer, "w")
    with Progress(MIXED, stream) as progress:
        for event in EVENTS:
            progress(event)
    assert progress.finished == 4
    with pytest.raises(BrokenPipeError):
        stream.close()


def test_stopping_is_said_at_once() -> None:
    stream = StringIO()
    with Progress(MIXED, stream) as progress:
        progress.stopping()
        progress(ChangeSkipped(CREATE_HOMELAB[0], "the run was asked to stop"))
    assert "! stopping: what is under way is finished" in stream.getvalue().splitlines()[0]


def test_a_problem_of_several_lines_takes_one() -> None:
    change = MIXED.changes[0]
    problem = Diagnostic(
        code="x", summary="A task failed", detail="role web, task “Run”:\n  exit code 3\n"
    )
    stream = StringIO()
    with Progress(MIXED, stream) as progress:
        progress(ChangeStarted(change))
        progress(ChangeFailed(change, "provision", 1.0, (problem,)))
    assert "A task failed: role web, task “Run”: exit code 3\n" in stream.getvalue()
