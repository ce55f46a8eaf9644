"""Runs that are interrupted, killed, doubled, or lose their Incus: the next apply converges, nothing else is touched."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from freehold.system.unix_http import ask, listener_pid
from tests.e2e.estate import THREE_DOMAINS, TWO_MACHINES, Estate, told
from tests.e2e.terminal import Terminal

pytestmark = pytest.mark.lab


def test_of_two_applies_at_once_the_second_is_told_who_is_at_work(estate: Estate) -> None:
    estate.write(THREE_DOMAINS)
    first = estate.start_apply()
    second = estate.freehold("apply", "--yes")
    assert second.code == 1
    assert "error[locked]: Another run is at work on this estate" in second.err
    assert f"`freehold apply` (process {first.pid} on " in second.err
    assert "has been at work for " in second.err
    assert " s." in second.err
    assert estate.freehold("plan").code == 0, "looking is allowed meanwhile"
    assert estate.end_of(first).code == 0
    estate.settled()
    assert len(estate.runs()) == 1


@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(0.0, marks=pytest.mark.slow),
        pytest.param(0.1, marks=pytest.mark.slow),
        0.3,
        pytest.param(0.8, marks=pytest.mark.slow),
    ],
)
def test_after_a_kill_the_next_apply_converges(estate: Estate, seconds: float) -> None:
    estate.write(THREE_DOMAINS)
    process = estate.start_apply()
    time.sleep(seconds)
    process.kill()
    killed = estate.end_of(process)
    assert killed.code == -signal.SIGKILL

    assert "no end written" in estate.ok("log").out
    applied = estate.ok("apply", "--yes")
    assert "warning[lock-taken-over]" in applied.err
    assert f"process {process.pid} on" in applied.err
    estate.settled()
    assert "lock-taken-over" not in estate.ok("apply", "--yes").err
    runs = estate.ok("log", "--json").document["runs"]
    assert runs[-1]["exit_code"] is None, "the run that was killed"
    assert all(run["exit_code"] == 0 for run in runs[:-1])


@pytest.mark.slow
def test_what_incus_still_does_for_nobody_is_waited_for(estate: Estate) -> None:
    """As after a kill: the daemon goes on with the last request of whoever is gone."""
    estate.write(TWO_MACHINES)
    estate.ok("apply", "--yes")
    estate.edit("512MiB", "640MiB")
    path = "/1.0/instances/home-desk/backups?project=home"
    begun = ask(estate.lab.socket, "POST", path, {"name": "before"}).body
    applied = estate.ok("apply", "--yes")
    assert "Waiting for what Incus is still doing: " in applied.err
    assert ask(estate.lab.socket, "GET", begun["operation"]).body["metadata"]["status"] == "Success"
    estate.settled()


@pytest.mark.slow
def test_a_kill_in_the_middle_of_destroy(estate: Estate) -> None:
    estate.write(THREE_DOMAINS)
    estate.ok("apply", "--yes")
    process = estate.start("destroy", "--yes", "--confirm", "cottage")
    while len(estate.runs()) < 2:
        time.sleep(0.01)
    time.sleep(0.6)
    process.kill()
    estate.end_of(process)
    estate.ok("destroy", "--yes", "--confirm", "cottage")
    assert estate.plan()["summary"]["unchanged"] == 0


def test_an_interrupt_finishes_what_runs_and_says_where_it_stopped(estate: Estate) -> None:
    estate.write(THREE_DOMAINS)
    process = estate.start_apply()
    process.send_signal(signal.SIGINT)
    stopped = estate.end_of(process)
    assert stopped.code == 4, stopped
    assert "! stopping: what is under way is finished, nothing new is begun" in stopped.err
    assert "The run was stopped after " in stopped.err
    assert "Run the same command again" in stopped.err
    assert stopped.err.splitlines()[-1].startswith("Stopped: ")
    assert "stopped" in estate.ok("log").out

    done = sum(": created in " in line for line in stopped.err.splitlines())
    rest = estate.plan()
    assert rest["summary"]["unchanged"] >= done > 0
    assert rest["summary"]["create"] > 0
    estate.ok("apply", "--yes")
    estate.settled()


def test_sigterm_at_the_very_beginning_is_an_interrupt_too(estate: Estate) -> None:
    estate.write(TWO_MACHINES)
    process = estate.start("apply", "--yes")
    while not (runs := estate.runs()) or "change-started" not in runs[0].read_text():
        time.sleep(0.002)
    process.terminate()
    stopped = estate.end_of(process)
    assert stopped.code in (1, 4), stopped
    assert "Stopped: " in stopped.err
    estate.ok("apply", "--yes")
    estate.settled()


def test_a_second_ctrl_c_ends_it_at_once(estate: Estate) -> None:
    estate.write(THREE_DOMAINS)
    terminal = Terminal(estate.argv("apply", "--yes"), estate.folder, estate.environment())
    terminal.expect("project home: created")
    terminal.interrupt()
    terminal.expect("! stopping")
    terminal.interrupt()
    pressed = time.monotonic()
    assert terminal.wait() == 1
    assert time.monotonic() - pressed < 10
    assert "error[ended-at-once]" in terminal.seen, terminal.seen + estate.bug()
    assert "Run the same command again" in terminal.seen
    assert "stopped" in estate.ok("log").out
    applied = estate.ok("apply", "--yes")
    assert "lock-taken-over" not in applied.err, "it gave the lock back"
    estate.settled()


@pytest.mark.parametrize(
    ("seconds", "by"),
    [
        (0.1, signal.SIGKILL),
        pytest.param(0.2, signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param(0.7, signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param(1.1, signal.SIGTERM, marks=pytest.mark.slow),
    ],
)
def test_an_incus_that_restarts_in_the_middle_is_waited_for(
    estate: Estate, seconds: float, by: signal.Signals
) -> None:
    estate.write(THREE_DOMAINS)
    process = estate.start_apply()
    time.sleep(seconds)
    estate.lab.restart_daemon(by)
    applied = estate.end_of(process)
    assert applied.code == 0, applied
    assert "Applied: " in applied.err
    estate.settled()


@pytest.mark.slow
def test_an_incus_that_is_away_for_a_while_is_waited_for(estate: Estate) -> None:
    estate.write(THREE_DOMAINS)
    process = estate.start_apply()
    time.sleep(0.5)
    estate.lab.kill_daemon()
    time.sleep(4)
    assert process.poll() is None
    estate.lab.start()
    applied = estate.end_of(process)
    assert applied.code == 0, applied
    assert "waiting for it" in applied.err
    estate.settled()


def test_without_an_incus_every_verb_says_so(estate: Estate) -> None:
    estate.write(TWO_MACHINES)
    estate.lab.kill_daemon()
    began = time.monotonic()
    for verb in ("plan", "apply", "verify", "status"):
        done = estate.freehold(verb, *(["--yes"] if verb == "apply" else []))
        assert done.code == 1, done
        assert "error[incus-unavailable]: Incus cannot be reached" in done.err
        assert str(estate.lab.socket) in done.err
        assert "hint: " in done.err
    assert time.monotonic() - began < 30, "nobody waits long for what is not there"
    estate.lab.start()
    assert told(estate.plan()) != {}


def wait_until_it_only_waits(process: "subprocess.Popen[str]") -> None:
    """For an answer, in epoll_wait(2); before that it imports modules."""
    waiting = Path(f"/proc/{process.pid}/wchan")
    while "poll" not in waiting.read_text():
        assert process.poll() is None, "Incus does not answer, so it waits"
        time.sleep(0.02)


def hears_ctrl_c(process: "subprocess.Popen[str]") -> bool:
    """Whether it has a handler for SIGINT (proc_pid_status(5)). Python has one before it runs any code of ours."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) & 1 << (signal.SIGINT - 1))


def wait_for_the_first_line_of_ours(process: "subprocess.Popen[str]") -> None:
    """It takes Python's handler away until everything is imported."""
    began = time.monotonic()
    while not hears_ctrl_c(process):
        time.sleep(0.001)
    while hears_ctrl_c(process) and time.monotonic() - began < 2:
        time.sleep(0.001)


def test_ctrl_c_at_any_moment_of_the_start_shows_no_traceback(estate: Estate) -> None:
    estate.write(TWO_MACHINES)
    for tenths in range(5):
        process = estate.start("plan")
        wait_for_the_first_line_of_ours(process)
        time.sleep(tenths / 10)
        process.send_signal(signal.SIGINT)
        assert "Traceback" not in estate.end_of(process).err


def test_ctrl_c_while_it_only_looks(estate: Estate) -> None:
    estate.write(TWO_MACHINES)
    daemon = listener_pid(estate.lab.socket)
    assert daemon is not None
    os.kill(daemon, signal.SIGSTOP)
    try:
        process = estate.start("plan")
        wait_until_it_only_waits(process)
        process.send_signal(signal.SIGINT)
        done = estate.end_of(process)
    finally:
        os.kill(daemon, signal.SIGCONT)
    assert done.code == 1
    assert "error[stopped]: Stopped" in done.err
