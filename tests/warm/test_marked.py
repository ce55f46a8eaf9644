"""What a marked command does and writes, run by this computer's own shell."""

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from freehold.system.warm import marked
from freehold.system.warm.machine import Finished, Machine
from freehold.system.warm.marked import Heard, Marked


@pytest.fixture
def one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Marked:
    monkeypatch.setattr(marked, "_ROOM", str(tmp_path))
    return Marked(Machine("/nowhere", "estate", "one"))


def run(
    one: Marked, command: Sequence[str], *, given: bool = False
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(one.words(command, given=given), capture_output=True, check=False)


def left(tmp_path: Path) -> list[str]:
    return [path.name for path in tmp_path.iterdir()]


@pytest.mark.parametrize("code", [0, 3, 126, 127, 255])
def test_it_tells_how_the_command_ended(one: Marked, tmp_path: Path, code: int) -> None:
    done = run(one, ["sh", "-c", f"printf out; echo bad >&2; exit {code}"])

    heard = one.heard(done.stdout)
    assert (heard.output, heard.code, done.returncode) == (b"out", code, code)
    assert done.stderr == b"bad\n"
    assert left(tmp_path) == []


def test_what_the_shell_says_of_a_killed_command_is_not_taken_for_its_own(one: Marked) -> None:
    done = run(one, ["sh", "-c", "kill -9 $$"])
    assert (one.heard(done.stdout).code, done.stderr) == (137, b"")


def test_a_program_that_is_not_there(one: Marked) -> None:
    done = run(one, ["no-such-program"])
    assert (one.heard(done.stdout).code, done.returncode) == (127, 127)
    assert b"not found" in done.stderr


def test_its_input_is_read_and_gone(one: Marked, tmp_path: Path) -> None:
    Path(one.input).write_bytes(b"in\x00\xff")
    assert one.heard(run(one, ["cat"], given=True).stdout).output == b"in\x00\xff"
    assert left(tmp_path) == []


def test_without_its_input_it_does_not_begin(one: Marked) -> None:
    done = run(one, ["echo", "ran"], given=True)
    assert done.stdout == b""
    assert one.has_lost_its_input(Finished(done.returncode, done.stdout, done.stderr))


def test_a_command_that_was_stopped_never_begins(one: Marked, tmp_path: Path) -> None:
    mark = Path(one.input.removesuffix(".input"))
    mark.symlink_to("stopped")
    done = run(one, ["touch", str(tmp_path / "ran")])
    assert (done.stdout, done.stderr) == (b"", b"")
    assert left(tmp_path) == []


def test_a_command_that_runs_is_known_by_its_process(one: Marked) -> None:
    process = subprocess.Popen(
        one.words(["sleep", "60"], given=False), stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    heard = one.heard(process.stdout.readline())
    assert heard == Heard(b"", process.pid, None)
    assert Path(one.input.removesuffix(".input")).is_symlink()
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()


def test_what_is_written_after_the_end_belongs_to_the_command(one: Marked) -> None:
    done = run(one, ["sh", "-c", "echo first; (sleep 0.3; echo late) &"])
    assert one.heard(done.stdout) == Heard(b"first\nlate\n", one.heard(done.stdout).began, 0)


def test_words_that_look_like_another_mark_are_output(one: Marked) -> None:
    other = Marked(Machine("/nowhere", "estate", "two"))
    mark = other.input.removesuffix(".input")
    done = run(one, ["printf", f"\n{mark} ended 5\n"])
    assert one.heard(done.stdout).output == f"\n{mark} ended 5\n".encode()
