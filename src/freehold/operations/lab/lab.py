"""The lab: a throwaway host on this machine, made of namespaces with a real Incus daemon in them.

Called by the `lab` commands, by every verb run with `--lab`, and by the tests. All state is in one folder (`layout.py`);
the processes hang on one, the holder (`holder.py`). Everything here may be repeated: what is already so is left alone.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import freehold
from freehold.diagnostics import BackendError, FreeholdError, UsageError
from freehold.operations.lab import api, checks, entrance, problems
from freehold.operations.lab.debian import HOST
from freehold.operations.lab.egress import process as egress_process
from freehold.operations.lab.layout import default_root, layout, open_folder
from freehold.operations.lab.limits import Registry
from freehold.operations.lab.options import Options, recorded, settle
from freehold.operations.lab.record import is_dying, read_holder
from freehold.operations.lab.status import LabStatus, look
from freehold.system import namespaces
from freehold.system.files import locked
from freehold.system.processes import ProcessIdentity, search_path

if TYPE_CHECKING:
    from freehold.model import Infra
    from freehold.operations.lab.egress.machines import Egress
    from freehold.providers.lab_hosts.lab import Packages
    from freehold.system.docker_user import DockerUser
    from freehold.system.host_agent.program import AgentProgram
    from freehold.system.nftables import Nftables
    from freehold.system.routing import Routing
    from freehold.system.timers.process import ProcessTimers

PATIENCE = 60.0  # seconds for Incus to answer, and for machines to stop
DYING = 5.0  # seconds within which a killed holder is gone
PAUSE = 0.02  # seconds between two looks
HOST_IMAGE_VARIABLE = "FREEHOLD_LAB_HOST_IMAGE"
TIMER_VARIABLE = "FREEHOLD_TIMER_SECONDS"  # how often timers go off, instead of every hour


@dataclass(frozen=True, slots=True)
class Started:
    """What `start` did. `fresh`: it was not running before. `notices`: what was changed on the machine, to be told."""

    fresh: bool
    notices: tuple[str, ...] = ()


class Lab:
    """The lab in one folder: `root`, else $FREEHOLD_LAB, else the system's folder for it.

    Raises UsageError when the folder's path is too long for unix sockets.
    """

    def __init__(self, root: Path | None = None, limits: Registry | None = None) -> None:
        self._place = layout(root or default_root())
        self._limits = limits or Registry()

    @property
    def root(self) -> Path:
        return self._place.root

    @property
    def socket(self) -> Path:
        """The unix socket of the lab's Incus, to be used from anywhere on the machine."""
        return self._place.socket

    @property
    def running(self) -> bool:
        return read_holder(self._place) is not None

    def start(self, storage: str | None = None, egress: bool | None = None) -> Started:
        """Return when Incus answers and its storage is there. `storage`: btrfs (a new lab's default) or dir.

        `egress`: whether there is to be a way to packages from now on; None leaves it as it is, off in a new lab.
        Raises BackendError when the machine cannot run a lab or it does not come up, UsageError for another storage
        than the lab has.
        """
        if found := checks.refusals():
            raise BackendError(*found)
        with problems.explained(self.root):
            open_folder(self.root)
            with locked(self._place.lock):
                options = settle(self._place, storage, egress)
                entrance.renew(self._place)
                if self.running and self._revive(options):
                    self.timers().start_all()
                    return Started(fresh=False, notices=self._see_to_egress(options))
                notices = self._limits.raise_for(str(self.root), os.getpid())
                try:
                    self._launch()
                    self._await_incus()
                    api.ensure_storage(self.socket, options)
                except BaseException:  # also when interrupted: half a lab is of no use
                    self._stop()
                    raise
                self.timers().start_all()
                return Started(fresh=True, notices=(*notices, *self._see_to_egress(options)))

    def stop(self) -> None:
        """Stop all machines, then everything; put the machine's limits back. Machines' data stays."""
        if not self._place.root.exists():
            return
        _require_root()
        with problems.explained(self.root), locked(self._place.lock):
            self._stop()

    def reset(self) -> None:
        """Stop, and delete the lab with all its machines; the cache of images stays. Deletes only what is a lab's.

        Raises UsageError when the folder holds something that is not a lab.
        """
        if not self._place.root.exists():
            return
        _require_root()
        with problems.explained(self.root), locked(self._place.lock):
            self._stop()
            if recorded(self._place) is None and self._place.incus.exists():
                raise UsageError(problems.not_a_lab(self.root))
            for path in self._place.everything:
                _delete(path)
        with suppress(OSError):  # something that is not the lab's lies in it
            self.root.rmdir()

    def status(self) -> LabStatus:
        """What the lab is now; of an Incus that does not answer, version and machines are None."""
        return look(self._place)

    def run(self, argv: Sequence[str]) -> int:
        """Run a command inside the lab, with this process's input and output; its exit code.

        The `incus` client finds the lab's Incus there. Raises UsageError when the lab is not running.
        """
        _require_root()
        holder = self._holder()
        folder = os.getcwd()
        if not os.path.isdir(
            f"/proc/{holder.pid}/root{folder}"
        ):  # mounted after the lab was started
            folder = "/"
        command = namespaces.enter_argv(holder.pid, argv, folder)
        code = subprocess.run(command, env=self.environment(), check=False).returncode
        return code if code >= 0 else 128 - code

    def environment(self) -> dict[str, str]:
        """This process's variables, made to lead the `incus` client to the lab."""
        variables = {
            key: value for key, value in os.environ.items() if not key.startswith("INCUS_")
        }
        return variables | {
            "PATH": f"{search_path()}{os.pathsep}/opt/incus/bin",
            "INCUS_DIR": str(self._place.incus),
            "INCUS_SOCKET": str(self.socket),
            "INCUS_CONF": str(self._place.client),
        }

    def equip(self, infra: "Infra") -> "Infra":
        """The estate as it is in this lab: with egress for its machines, where the lab has it. Asks and changes nothing."""
        if (egress := self._egress()) is None:
            return infra
        from freehold.operations.lab.egress.machines import with_egress

        return with_egress(infra, egress)

    def _egress(self) -> "Egress | None":
        options, place = recorded(self._place), self._place
        if options is None or not options.egress or not place.egress.is_dir():
            return None
        from freehold.operations.lab.egress.machines import Egress

        files = frozenset(os.listdir(place.egress))
        return Egress(place.egress_socket, place.egress, files)

    @property
    def host_image(self) -> str:
        """What its hosts are made from: $FREEHOLD_LAB_HOST_IMAGE, else a Debian with a way in by SSH and little more."""
        return os.environ.get(HOST_IMAGE_VARIABLE) or HOST

    def ssh_options(self) -> tuple[str, ...]:
        """The words of ssh's command line that lead to the hosts that are played here."""
        return ("-F", str(entrance.settings_file(self._place)))

    def entrance(self) -> entrance.LabEntrance:
        """The way in, as the provider of lab hosts asks for it."""
        return entrance.LabEntrance(self._place)

    def packages(self, infra: "Infra") -> "Packages":
        """What way to packages its hosts get: one where the lab has egress. Asks and changes nothing."""
        from freehold.operations.lab.egress.hosts import packages

        return packages(infra, self._egress())

    def nftables(self) -> "Nftables":
        """The packet filter of the lab's network. Raises UsageError when the lab is not running."""
        from freehold.system.nftables.boot import BootRules
        from freehold.system.nftables.program import NftProgram

        prefix = namespaces.enter_argv(self._holder().pid, [], "/")
        return NftProgram(BootRules(self._place.firewall, units=None), prefix)

    def docker_user(self) -> "DockerUser":
        """Docker's chain in the lab's network. Raises UsageError when the lab is not running."""
        from freehold.system.docker_user import DockerUser

        return DockerUser(namespaces.enter_argv(self._holder().pid, [], "/"))

    def routing(self) -> "Routing":
        """The routing of the lab's network. Raises UsageError when the lab is not running."""
        from freehold.system.routing.program import RoutingProgram

        prefix = namespaces.enter_argv(self._holder().pid, [], "/")
        return RoutingProgram(self._place.firewall, None, self.socket, prefix)

    def agents(self) -> "AgentProgram":
        """The agents for control machines in the lab. Raises UsageError when the lab is not running."""
        from freehold.system.host_agent.process import ProcessRunner
        from freehold.system.host_agent.program import AgentProgram

        prefix = namespaces.enter_argv(self._holder().pid, [], "/")
        return AgentProgram(self._place.firewall, self._place.charge, ProcessRunner(prefix))

    def timers(self) -> "ProcessTimers":
        """The timers of the estates in the lab, which end with it. Raises UsageError when the lab is not running."""
        return self._timers(self._holder().pid)

    def _timers(self, life: int | None = None) -> "ProcessTimers":
        from freehold.system.timers.job import HOUR, own_program
        from freehold.system.timers.process import ProcessTimers

        seconds = os.environ.get(TIMER_VARIABLE, "")
        every = float(seconds) if seconds.isdigit() and int(seconds) else HOUR
        program, variables = (*own_program(), "--lab"), {"FREEHOLD_LAB": str(self.root)}
        return ProcessTimers(self._place.firewall, program, variables, every=every, life=life)

    def kill_daemon(self) -> None:
        """End incusd at once (SIGKILL), machines keep running; it stays away until `start` or `restart_daemon`."""
        self._end_daemon(signal.SIGKILL)

    def restart_daemon(self, by: signal.Signals = signal.SIGKILL) -> None:
        """End incusd (`by` SIGTERM: as a service manager does) and start it again; returns when it answers.

        Machines keep running.
        """
        self._end_daemon(by)
        self._wake_daemon()
        self._await_incus()

    def _end_daemon(self, by: signal.Signals) -> None:
        from freehold.system.unix_http import listener_pid

        self._holder()
        if (pid := listener_pid(self.socket)) is not None:
            os.kill(pid, by)
        _await(self._place.daemon_ended.exists, PATIENCE)

    def _holder(self) -> ProcessIdentity:
        if (found := read_holder(self._place)) is None:
            raise UsageError(problems.not_running(self.root))
        return found[0]

    def _launch(self) -> None:
        """Start the holder, which at once detaches itself, so that it outlives this process."""
        for stale in (self._place.holder, self._place.daemon_ended, self._place.socket):
            stale.unlink(missing_ok=True)
        program = [sys.executable, "-P", "-m", "freehold.operations.lab.holder", str(self.root)]
        variables = os.environ | {"PYTHONPATH": str(Path(freehold.__file__).parents[1])}
        with self._place.log.open("ab") as log:
            launched = subprocess.run(
                program, env=variables, cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, check=False,
            )  # fmt: skip
        if launched.returncode != 0:
            raise BackendError(problems.did_not_start(self._place))

    def _revive(self, options: Options) -> bool:
        """Bring the running lab's Incus back if it has ended; False when the lab itself is about to end.

        A holder that was killed a moment ago still counts as running, and its Incus may even answer once more.
        """
        if is_dying(self._holder()) and _await(lambda: not self.running, PATIENCE):
            return False
        try:
            if self._place.daemon_ended.exists():
                self._wake_daemon()
            self._await_incus()
            api.ensure_storage(self.socket, options)
        except FreeholdError:
            if _await(lambda: not self.running, DYING):
                return False
            raise
        return True

    def _see_to_egress(self, options: Options) -> tuple[str, ...]:
        """What is to be told. When it fails, the lab runs nevertheless."""
        if options.egress:
            return egress_process.ensure(self._place)
        egress_process.end(self._place)
        return ()

    def _wake_daemon(self) -> None:
        """Have the holder start incusd again. The note goes first: who waits must not take it for a new one."""
        self._place.daemon_ended.unlink(missing_ok=True)
        self._holder().signal(signal.SIGUSR1)

    def _await_incus(self) -> None:
        def settled() -> bool:
            return not self.running or self._place.daemon_ended.exists() or api.answers(self.socket)

        _await(settled, PATIENCE)
        if not self.running or not api.answers(self.socket):
            raise BackendError(problems.did_not_start(self._place))

    def _stop(self) -> None:
        self._timers().stop_all()
        egress_process.end(self._place)
        if (found := read_holder(self._place)) is not None:
            found[0].signal(signal.SIGTERM)
            if not _await(lambda: not self.running, PATIENCE):
                found[0].signal(signal.SIGKILL)
                _await(lambda: not self.running, PATIENCE)
        for stale in (self._place.holder, self._place.daemon_ended, self._place.socket):
            stale.unlink(missing_ok=True)
        if (tree := namespaces.cgroup2_mount()) is not None:
            _await(lambda: namespaces.remove_cgroup(tree / self._place.cgroup), 5.0)
        self._limits.release(str(self.root), lambda other: Lab(Path(other)).running)


def _await(condition: Callable[[], bool], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not (met := condition()) and time.monotonic() < until:
        time.sleep(PAUSE)
    return met


def _require_root() -> None:
    if found := [problem for problem in checks.refusals() if problem.code == "lab-needs-root"]:
        raise BackendError(*found)


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
