"""The lab's first process: it makes the namespaces, starts incusd in them and collects what ends.

Started by `lab.py` as a program of its own (`python -m freehold.operations.lab.holder ROOT`), detached from whoever
asked for the lab. It is process 1 of the lab's PID namespace, so when it ends, by whatever cause, the kernel ends
every other process of the lab: nothing can be left behind. It is told what to do by signals:

    SIGTERM   stop the machines, then incusd, then end
    SIGUSR1   start incusd again, which has ended
"""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from freehold.operations.lab.daemon import daemon_argv, daemon_environment, daemon_program
from freehold.operations.lab.layout import Layout
from freehold.operations.lab.record import write_holder
from freehold.operations.lab.rooms import furnish
from freehold.system import namespaces
from freehold.system.host_agent.charge import SUFFIX
from freehold.system.host_agent.process import agent_argv, agent_environment
from freehold.system.processes import search_path

WATCHED = {signal.SIGCHLD, signal.SIGTERM, signal.SIGUSR1}
# Seconds for machines to stop; then they end as if by a power cut. A machine that is asked while it still boots never
# hears it, and Incus alone would wait 30 s for that one.
GRACE = 15.0
NEW = (
    namespaces.CLONE_NEWPID | namespaces.CLONE_NEWNS | namespaces.CLONE_NEWNET | namespaces.CLONE_NEWUTS
)  # fmt: skip


def main(root: Path) -> int:
    """Make the namespaces and leave process 1 behind in them. The exit code of the process that was started."""
    place = Layout(root)
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)  # before the fork: none may be missed
    try:
        namespaces.unshare(NEW)
    except OSError as error:
        say(f"the kernel refused new namespaces: {error}")
        return 1
    recorded, record = os.pipe()
    if child := os.fork():
        write_holder(place, child)
        os.write(record, b".")
        return 0
    # Both processes see the same mounts: /proc must stay as it is until the record of this process is written.
    os.close(record)
    if not os.read(recorded, 1):
        return 1
    os.close(recorded)
    return _first_process(place)


def _first_process(place: Layout) -> int:
    try:
        furnish(place)
        load_firewall(place)
        supervisor = Supervisor(place)
        supervisor.start()
        keep_ways(place)
        keep_agents(place)
    except OSError as error:
        say(f"the lab's namespaces could not be set up: {error}")
        return 1
    supervisor.run()
    return 0


def load_firewall(place: Layout) -> None:
    """Load what is to stand before the first machine starts. Raises OSError: without it no machine may."""
    for rules in sorted(place.firewall.glob("*.json")):
        argv = ["nft", "--json", "--file", str(rules)]
        done = subprocess.run(
            argv, capture_output=True, text=True, check=False, env={"PATH": search_path()}
        )
        if done.returncode != 0:
            raise OSError(f"nft refuses {rules}: {done.stderr.strip()}")


def keep_ways(place: Layout) -> None:
    """Have the routing to firewall machines kept again (`system.routing`); a keeper waits for its bridge by itself."""
    for way in sorted(place.firewall.glob("*.way")):
        argv = [sys.executable, "-I", str(place.firewall / "keeper.py"), "watch", str(way)]
        os.posix_spawn(argv[0], argv, os.environ, setsigmask=[], setsid=True)


def keep_agents(place: Layout) -> None:
    """Have control machines' agents again (`system.host_agent`)."""
    for charge in sorted(place.firewall.glob(f"*{SUFFIX}")):
        argv = agent_argv(charge)
        os.posix_spawn(argv[0], argv, os.environ | agent_environment(), setsigmask=[], setsid=True)


class Supervisor:
    """Process 1: one incusd, and all orphans of the lab. Nothing that fails here may end the machines."""

    def __init__(self, place: Layout) -> None:
        self._place = place
        self._daemon: int | None = None  # incusd's PID as seen inside the lab

    def start(self) -> None:
        """Start incusd with no signal blocked and in a session of its own. Raises OSError."""
        program = daemon_program()
        if program is None:
            raise FileNotFoundError("incusd is not installed")
        self._place.daemon_ended.unlink(missing_ok=True)
        self._end_leftovers()
        log = os.open(self._place.daemon_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            self._daemon = os.posix_spawn(
                program, daemon_argv(program), daemon_environment(program, self._place),
                file_actions=[(os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2)],
                setsigmask=[], setsid=True,
            )  # fmt: skip
        finally:
            os.close(log)

    def _end_leftovers(self) -> None:
        """End every dnsmasq of an incusd that was killed; the new one starts its own.

        One whose bridge was just being made is noted nowhere, so that Incus itself never ends it: it would keep the
        bridge's address, and the bridge would stay unavailable.
        """
        networks = os.fsencode(self._place.incus / "networks")
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                command = (process / "cmdline").read_bytes()
                if b"dnsmasq" in command.split(b"\0")[0] and networks in command:
                    os.kill(int(process.name), signal.SIGKILL)

    def run(self) -> None:
        """Obey signals until told to stop."""
        while (got := signal.sigwait(WATCHED)) != signal.SIGTERM:
            if got == signal.SIGCHLD:
                self._collect()
            elif self._daemon is None:
                try:
                    self.start()
                except OSError as error:
                    self._note(f"incusd could not be started: {error}")
        self._stop()

    def _collect(self) -> None:
        """Take note of every child that has ended; orphans of the whole lab become children of process 1."""
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == self._daemon:
                    self._daemon = None
                    how = os.waitstatus_to_exitcode(ended[1])
                    self._note(
                        f"incusd ended ({f'signal {-how}' if how < 0 else f'exit code {how}'})"
                    )

    def _stop(self) -> None:
        """On SIGPWR incusd stops all machines, notes which ran so that the next start brings them back, and ends."""
        until = time.monotonic() + GRACE
        if self._daemon is not None:
            os.kill(self._daemon, signal.SIGPWR)
        while self._daemon is not None and (left := until - time.monotonic()) > 0:
            signal.sigtimedwait({signal.SIGCHLD}, left)
            self._collect()

    def _note(self, text: str) -> None:
        say(text)
        with suppress(OSError):  # a full disk
            self._place.daemon_ended.write_text(text + "\n")


def say(text: str) -> None:
    """Standard error is the lab's log."""
    with suppress(OSError):
        sys.stderr.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S')} {text}\n")
        sys.stderr.flush()


if __name__ == "__main__":
    # Not sys.exit: as process 1 there is nothing to clean up, and the kernel does the rest.
    code = main(Path(sys.argv[1]))
    os._exit(code)
