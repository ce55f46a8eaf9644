"""Into real machines of a real Incus: nothing is lost, whatever goes away comes back, nothing stays."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from freehold.system.warm.entrance import Entrance
from freehold.system.warm.failures import NoPython, NoSuchFile, OutcomeUnknown, WayFailed
from freehold.system.warm.machine import Finished
from freehold.system.warm.shell_line import Command
from tests.warm.machines import BARE, ONE, TWO, WATCHED, Machines, wait_until

pytestmark = pytest.mark.lab


def shell(script: str) -> Command:
    return Command(("/bin/sh", "-c", script))


def test_three_hundred_at_once_lose_nothing(machines: Machines) -> None:
    much = "x" * 200_000

    def ask(number: int) -> Finished:
        way = machines.way((ONE, TWO)[number % 2])
        script = f"head -c {len(much)} /dev/zero | tr '\\0' x; echo {number}; echo -{number} >&2"
        try:
            return way.run(shell(f"{script}; exit {number % 7}"))
        finally:
            way.close()

    with ThreadPoolExecutor(300) as pool:
        answers = list(pool.map(ask, range(300)))

    for number, answer in enumerate(answers):
        output = f"{much}{number}\n".encode()
        assert answer == Finished(number % 7, output, f"-{number}\n".encode())


@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
def test_large_files_go_through_whole(machines: Machines, tmp_path: Path, warm: bool) -> None:
    source = tmp_path / "large"
    with source.open("wb") as file:
        for number in range(200):
            file.write(os.urandom(1 << 12) * 256 + bytes([number]))
    entrance = Entrance(machines.machine(), warm=warm)

    with source.open("rb") as file:
        entrance.push(file, "/root/large")
    with (tmp_path / "back").open("wb") as file:
        entrance.fetch("/root/large", file)
    entrance.run(shell("rm /root/large"), b"")
    entrance.close()

    assert (tmp_path / "back").read_bytes() == source.read_bytes()
    if machines.keeper is not None:
        assert _peak_memory(machines.keeper) < source.stat().st_size // 2


@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
def test_files_behave_the_same_both_ways(machines: Machines, warm: bool) -> None:
    entrance = Entrance(machines.machine(), warm=warm)
    content = bytes(range(256))
    entrance.push(io.BytesIO(content), "/root/it")
    entrance.push(io.BytesIO(b""), "/root/empty")
    entrance.run(shell("ln -s it /root/link; mkdir -p /root/folder"), b"")

    for path, wanted in (("/root/it", content), ("/root/link", content), ("/root/empty", b"")):
        into = io.BytesIO(b"what was there before")
        entrance.fetch(path, into)
        assert into.getvalue() == wanted
    mode = entrance.run(shell("stat -c '%a %U %G' /root/it"), b"").output
    assert mode == b"600 root root\n"
    for path in ("/root/nothing", "/root/folder"):
        with pytest.raises(NoSuchFile):
            entrance.fetch(path, io.BytesIO())
    with pytest.raises(WayFailed):
        entrance.push(io.BytesIO(b"x"), "/nowhere/it")
    entrance.run(shell("rm -r /root/it /root/link /root/empty /root/folder"), b"")
    entrance.close()


@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
def test_commands_behave_the_same_both_ways(machines: Machines, warm: bool) -> None:
    entrance = Entrance(machines.machine(), warm=warm)
    content = os.urandom(300_000)

    assert entrance.run(Command(("cat",)), content).output == content
    assert entrance.run(shell("echo out; echo bad >&2; exit 3"), b"") == Finished(
        3, b"out\n", b"bad\n"
    )
    assert entrance.run(shell("kill -9 $$"), b"").code == 137
    for code in (126, 127, 255):
        assert entrance.run(shell(f"echo out; exit {code}"), b"") == Finished(code, b"out\n", b"")
    looks = entrance.run(shell("id -u; pwd; echo $HOME $USER $LANG; umask"), b"").output
    assert looks == b"0\n/root\n/root root C.UTF-8\n0022\n"
    entrance.close()


def test_a_machine_without_python_is_entered_all_the_same(machines: Machines) -> None:
    entrance = Entrance(machines.machine(BARE), warm=True)

    assert entrance.run(shell("cat; echo out"), b"in ").output == b"in out\n"
    entrance.push(io.BytesIO(b"text"), "/root/it")
    into = io.BytesIO()
    entrance.fetch("/root/it", into)
    entrance.close()

    assert into.getvalue() == b"text"
    assert "freehold" not in machines.seen_inside("ls -A /tmp", BARE)


def test_a_machine_that_gets_its_python_is_warm_from_then_on(machines: Machines) -> None:
    way = machines.way(BARE)
    with pytest.raises(NoPython):
        way.run(shell("true"))
    machines.incus("file", "push", "-q", "/bin/true", f"{BARE}/usr/bin/python3")
    with pytest.raises(NoPython):
        way.run(shell("true"))
    machines.incus("file", "delete", f"{BARE}/usr/bin/python3")
    way.close()


@pytest.mark.slow
def test_what_incus_loses_sight_of_runs_once_and_is_heard(machines: Machines) -> None:
    """It says of every eighth command that it has no process of its own, though it runs."""
    entrance = Entrance(machines.machine(WATCHED), warm=False)
    for number in range(80):
        script = f"cat; echo {number} | tee -a /root/cold; echo bad >&2; exit {number % 4}"
        given = b"in " * (number % 2)
        answer = entrance.run(shell(script), given)
        assert answer == Finished(number % 4, given + f"{number}\n".encode(), b"bad\n")
    entrance.close()

    ran = machines.seen_inside("cat /root/cold", WATCHED).split()
    assert ran == [str(number) for number in range(80)]


@pytest.mark.slow
def test_a_program_that_incus_loses_sight_of_is_started_again(machines: Machines) -> None:
    for number in range(20):
        way = machines.way(WATCHED)
        assert way.run(shell(f"echo {number} | tee -a /root/warm")).output == f"{number}\n".encode()
        way.close()
        machines.end_keeper()

    ran = machines.seen_inside("cat /root/warm", WATCHED).split()
    assert ran == [str(number) for number in range(20)]
    wait_until(lambda: machines.programs(WATCHED) == [])


def test_a_machine_that_restarts_between_two_commands(machines: Machines) -> None:
    way = machines.way()
    assert way.run(shell("echo 1")).output == b"1\n"

    machines.incus("restart", "--force", ONE)

    assert way.run(shell("echo 2")).output == b"2\n"
    way.close()


def test_a_machine_that_restarts_during_a_command(machines: Machines) -> None:
    way = machines.way()
    during = _begin(lambda: way.run(shell("touch /root/begun; sleep 60")))
    wait_until(lambda: "begun" in machines.seen_inside("ls /root"))

    machines.incus("restart", "--force", ONE)

    assert isinstance(during(), OutcomeUnknown)
    assert way.run(shell("rm /root/begun; echo 2")).output == b"2\n"
    way.close()


@pytest.mark.slow
def test_a_frozen_machine_holds_nobody_up(machines: Machines) -> None:
    way = machines.way()
    during = _begin(lambda: way.run(shell("touch /root/begun; sleep 60")))
    wait_until(lambda: "begun" in machines.seen_inside("ls /root"))
    machines.incus("pause", ONE)
    try:
        much = machines.way(patience=12.0)
        with pytest.raises(WayFailed, match="frozen"):
            much.run(Command(("cat",)), os.urandom(10_000_000))
        much.close()
        outcome = during()
    finally:
        machines.incus("resume", ONE)

    assert isinstance(outcome, OutcomeUnknown)
    assert way.run(shell("rm /root/begun; echo 2")).output == b"2\n"
    way.close()


def test_a_machine_that_starts_is_waited_for(machines: Machines) -> None:
    machines.incus("stop", "--force", ONE)
    way = machines.way()
    during = _begin(lambda: way.run(shell("echo up")))
    time.sleep(1.5)

    machines.incus("start", ONE)

    assert during() == Finished(0, b"up\n", b"")
    way.close()


@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
def test_patience_ends(machines: Machines, warm: bool) -> None:
    machines.incus("stop", "--force", TWO)
    entrance = Entrance(machines.machine(TWO, patience=1.0), warm=warm)
    try:
        with pytest.raises(WayFailed, match="not running"):
            entrance.run(shell("true"), b"")
    finally:
        entrance.close()
        machines.incus("start", TWO)


@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
def test_a_machine_that_is_not_there_is_told_at_once(machines: Machines, warm: bool) -> None:
    entrance = Entrance(machines.machine("nobody"), warm=warm)
    started = time.monotonic()

    with pytest.raises(WayFailed, match="not found"):
        entrance.run(shell("true"), b"")
    assert time.monotonic() - started < 10
    entrance.close()


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
def test_a_daemon_that_restarts_between_two_commands(
    machines: Machines, by: signal.Signals, warm: bool
) -> None:
    entrance = Entrance(machines.machine(), warm=warm)
    assert entrance.run(shell("echo 1"), b"").output == b"1\n"

    machines.lab.restart_daemon(by)

    assert entrance.run(shell("echo 2"), b"").output == b"2\n"
    entrance.close()


@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
def test_a_daemon_that_restarts_during_a_command(machines: Machines, warm: bool) -> None:
    entrance = Entrance(machines.machine(), warm=warm)
    during = _begin(lambda: entrance.run(shell("touch /root/begun; sleep 20"), b""))
    wait_until(lambda: "begun" in machines.seen_inside("ls /root"))

    machines.lab.restart_daemon(signal.SIGKILL)

    assert isinstance(during(), OutcomeUnknown)
    assert entrance.run(shell("rm /root/begun; echo 2"), b"").output == b"2\n"
    entrance.close()


def test_a_daemon_that_is_away_for_a_while_is_waited_for(machines: Machines) -> None:
    way = machines.way()
    way.run(shell("true"))
    machines.lab.kill_daemon()
    during = _begin(lambda: way.run(shell("echo back")))
    time.sleep(1.0)

    machines.lab.start()

    assert during() == Finished(0, b"back\n", b"")
    way.close()


def test_a_keeper_that_is_killed_during_a_command(machines: Machines) -> None:
    way = machines.way()
    during = _begin(lambda: way.run(shell("touch /root/begun; sleep 20")))
    wait_until(lambda: "begun" in machines.seen_inside("ls /root"))

    machines.end_keeper(signal.SIGKILL)

    assert isinstance(during(), OutcomeUnknown)
    assert way.run(shell("rm /root/begun; echo 2")).output == b"2\n"
    way.close()


def test_a_keeper_that_is_killed_between_two_commands(machines: Machines) -> None:
    way = machines.way()
    way.run(shell("true"))

    machines.end_keeper(signal.SIGKILL)

    assert way.run(shell("echo 2")).output == b"2\n"
    way.close()


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGKILL])
def test_the_program_ends_with_its_keeper(machines: Machines, by: signal.Signals) -> None:
    way = machines.way()
    way.run(shell("true"))
    assert len(machines.programs()) == 1

    machines.end_keeper(by)

    wait_until(lambda: not machines.programs())
    way.close()


def test_who_hangs_up_ends_the_command(machines: Machines) -> None:
    way = machines.way()
    _begin(lambda: way.run(shell("sleep 4321")))
    wait_until(
        lambda: "sleep 4321" in machines.seen_inside("cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    )

    way.close()

    wait_until(
        lambda: "sleep 4321" not in machines.seen_inside("cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    )


def test_a_new_python_in_the_machine_is_taken_up(machines: Machines) -> None:
    way = machines.way()
    python = "/usr/bin/python3"
    payload = Command(("/bin/sh", "-c", python), python)
    parents = [way.run(payload, b"import os; print(os.getppid())").output for _ in range(2)]
    way.run(
        shell(
            "mkdir -p /usr/local/lib/python3.13/dist-packages; touch /usr/local/lib/python3.13/dist-packages/n.py"
        )
    )
    found = way.run(payload, b"import n; print('found')")
    wait_until(lambda: parents[0].decode().strip() not in machines.programs())
    afterwards = way.run(payload, b"import os; print(os.getppid())").output
    way.run(shell("rm -r /usr/local/lib/python3.13/dist-packages/[n_]*"))
    way.close()

    assert parents[0] == parents[1]
    assert found.output == b"found\n"
    assert afterwards != parents[0]


def test_secrets_stay_out_of_sight(machines: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOMEBODYS_TOKEN", "hunter2")
    way = machines.way()
    payload = (
        b"import os, time; password = 'hunter2'; open('/root/begun', 'w').close()\n"
        b"while os.path.exists('/root/begun'): time.sleep(0.05)\n"
        b"print('ended')"
    )
    python = "/usr/bin/python3"
    during = _begin(lambda: way.run(Command(("/bin/sh", "-c", python), python), payload))
    wait_until(lambda: "begun" in machines.seen_inside("ls /root"))

    inside = machines.seen_inside("cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ | tr '\\0' ' '")
    keeper = Path(f"/proc/{machines.keeper}")
    outside = (keeper / "cmdline").read_bytes() + (keeper / "environ").read_bytes()

    assert b"hunter2" not in outside
    assert "hunter2" not in inside
    machines.seen_inside("rm /root/begun")
    assert during() == Finished(0, b"ended\n", b"")
    way.close()


def test_an_idle_keeper_ends(machines: Machines, tmp_path: Path) -> None:
    own = tmp_path / "own.socket"
    started = subprocess.run(
        [sys.executable, "-m", "freehold.system.warm.keeper", machines.lab.socket, own, "0.5"],
        stdout=subprocess.PIPE, check=True, timeout=20,
    )  # fmt: skip

    assert started.stdout == b"ready"
    wait_until(lambda: not own.exists())


def test_a_folder_of_somebody_else_is_not_trusted(machines: Machines) -> None:
    folder = Path(os.environ["XDG_RUNTIME_DIR"], "freehold")
    folder.mkdir()
    folder.chmod(0o777)

    with pytest.raises(WayFailed, match="nobody else may enter"):
        machines.way().run(shell("true"))
    folder.chmod(0o700)


def _begin(action: Callable[[], object]) -> Callable[[], object]:
    """Do it in the background; a function that waits for what came of it, an error too."""
    found: list[object] = []

    def work() -> None:
        try:
            found.append(action())
        except (WayFailed, OSError) as error:
            found.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()

    def outcome() -> object:
        thread.join(90)
        return found[0]

    return outcome


def _peak_memory(pid: int) -> int:
    """Bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024
