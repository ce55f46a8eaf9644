"""The program that stays in a machine: commands, input, output, ends; nothing lost and nothing left."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from freehold.system.warm.target import frames
from tests.warm.local_program import PYTHON, LocalProgram


@pytest.fixture
def program() -> Iterator[LocalProgram]:
    program = LocalProgram(PYTHON)
    yield program
    program.stop()


def test_output_errors_and_code_come_apart(program: LocalProgram) -> None:
    answer = program.run("/bin/sh", "-c", "echo out; echo bad >&2; exit 3")

    assert (answer.output, answer.errors, answer.code) == (b"out\n", b"bad\n", 3)


def test_a_signal_counts_from_128(program: LocalProgram) -> None:
    assert program.run("/bin/sh", "-c", "kill -9 $$").code == 128 + signal.SIGKILL


def test_input_reaches_the_command_and_ends(program: LocalProgram) -> None:
    content = bytes(range(256)) * 20_000  # five megabytes, far more than a pipe holds

    assert program.run("cat", given=content).output == content


def test_without_input_a_reader_sees_its_end(program: LocalProgram) -> None:
    assert program.run("/bin/sh", "-c", "cat; echo over").output == b"over\n"


def test_a_command_that_reads_nothing_of_much_input_ends(program: LocalProgram) -> None:
    assert program.run("/bin/true", given=b"x" * 1_000_000).code == 0


def test_a_command_that_is_not_there_is_told(program: LocalProgram) -> None:
    assert "No such file" in program.run("/nowhere/program").done["failure"]


def test_requests_run_at_once(program: LocalProgram, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    waiting = program.begin(frames.RUN, _words("cat", str(gate)))

    assert program.run("/bin/sh", "-c", f"echo through > {gate}").code == 0
    assert program.end(waiting).output == b"through\n"


def test_three_hundred_at_once_lose_nothing(program: LocalProgram) -> None:
    numbers = [
        program.begin(frames.RUN, _words("/bin/sh", "-c", f"echo {n}; echo -{n} >&2; exit {n % 9}"))
        for n in range(300)
    ]

    for n, number in enumerate(numbers):
        answer = program.end(number)
        assert (answer.output, answer.errors) == (f"{n}\n".encode(), f"-{n}\n".encode())
        assert answer.code == n % 9


def test_much_output_of_several_arrives_whole(program: LocalProgram) -> None:
    size = 20_000_000
    numbers = [
        program.begin(frames.RUN, _words("head", "-c", str(size), "/dev/zero")) for _ in range(3)
    ]

    assert [len(program.end(number).output) for number in numbers] == [size] * 3


def test_a_command_is_ended_with_all_that_it_started(program: LocalProgram, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = f"sleep 60 & echo $! >> {pids}; sleep 60 & echo $! >> {pids}; wait"
    number = program.begin(frames.RUN, _words("/bin/sh", "-c", script))
    children = _wait_for_lines(pids, 2)

    program.kill(number)

    assert program.end(number).code == 128 + signal.SIGTERM
    _wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children))


def test_who_will_not_end_is_killed(program: LocalProgram, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    script = f"trap '' TERM; touch {ready}; while :; do sleep 1; done"
    number = program.begin(frames.RUN, _words("/bin/sh", "-c", script))
    _wait_until(ready.exists)
    program.kill(number)
    program.kill(number)

    assert program.end(number).code == 128 + signal.SIGKILL


def test_a_daemon_that_keeps_the_output_open_holds_nobody_up(program: LocalProgram) -> None:
    started = time.monotonic()
    answer = program.run("/bin/sh", "-c", "sleep 60 & echo $!")

    assert time.monotonic() - started < 30
    os.kill(int(answer.output), signal.SIGKILL)


def test_output_that_comes_after_the_end_of_the_shell_is_there(program: LocalProgram) -> None:
    answer = program.run("/bin/sh", "-c", "(sleep 0.3; echo late) & echo early")

    assert answer.output == b"early\nlate\n"


def test_it_ends_with_the_keeper_and_leaves_what_runs(tmp_path: Path) -> None:
    program = LocalProgram(PYTHON)
    done = tmp_path / "done"
    started = tmp_path / "started"
    program.begin(frames.RUN, _words("/bin/sh", "-c", f"touch {started}; sleep 1; touch {done}"))
    _wait_until(started.exists)

    assert program.hang_up() == 0
    _wait_until(done.exists)


def test_files_go_in_and_come_out(program: LocalProgram, tmp_path: Path) -> None:
    content = os.urandom(3_000_000)
    path = str(tmp_path / "file")

    assert program.end(program.begin(frames.PUT, {"path": path}, content)).code == 0
    assert program.end(program.begin(frames.GET, {"path": path})).output == content


def test_a_new_file_belongs_to_its_owner_alone(program: LocalProgram, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    program.end(program.begin(frames.PUT, {"path": str(path)}, b"hush"))

    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_cannot_be_written_is_told(program: LocalProgram, tmp_path: Path) -> None:
    path = str(tmp_path / "nowhere" / "file")

    answer = program.end(program.begin(frames.PUT, {"path": path}, b"x" * 600_000))

    assert "No such file" in answer.done["failure"]


def test_a_file_that_is_not_there_is_told(program: LocalProgram, tmp_path: Path) -> None:
    answer = program.end(program.begin(frames.GET, {"path": str(tmp_path / "nothing")}))

    assert answer.code != 0
    assert b"No such file" in answer.errors


def test_a_folder_that_was_made_anew_is_where_commands_begin(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    program = LocalProgram(PYTHON, folder=home)
    try:
        home.rename(tmp_path / "old")
        home.mkdir()
        (home / "here").touch()
        look = "import os; print(os.getcwd(), os.listdir())"

        assert program.run("ls").output == b"here\n"
        assert program.payload(look).output == f"{home} ['here']\n".encode()
    finally:
        program.stop()


def test_nothing_stays_open(program: LocalProgram, tmp_path: Path) -> None:
    def open_files() -> int:
        program.run("/bin/true")  # by its end what came before is tidied up, too
        return len([*Path(f"/proc/{program.pid}/fd").iterdir()])

    program.payload("print(1)")
    before = open_files()
    for _ in range(20):
        program.run("/bin/true", given=b"x")
        program.payload("print(1)")
        program.end(program.begin(frames.PUT, {"path": str(tmp_path / "f")}, b"x"))
        program.end(program.begin(frames.GET, {"path": str(tmp_path / "f")}))

    assert open_files() == before
    assert not [entry for entry in _children(program.pid) if entry]


def _words(*words: str) -> dict[str, object]:
    return {"words": words, "python": None, "environment": {}}


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def _wait_for_lines(path: Path, count: int) -> list[int]:
    _wait_until(lambda: path.exists() and len(path.read_text().split()) == count)
    return [int(word) for word in path.read_text().split()]


def _wait_until(condition: object, seconds: float = 20.0) -> None:
    assert callable(condition)
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)
