"""How long twenty Ansible tasks take in Incus instances, by Freehold's connection and by others.

Prints, for 1, 5 and 10 machines in one run, the median of several rounds in which the ways take turns:

    community.general.incus   the connection plugin of Ansible's community, with pipelining
    freehold.estate.incus     Freehold's, as `freehold sync` sets it up
    ssh, ControlPersist       OpenSSH, with pipelining (needs a way to Debian's packages for the lab)
    a script pushed           the same as one shell script on each machine: the limit

for a first run, which makes everything, and a second one, which finds it made. Every run begins without connections.
Then what each step of Freehold's connection saves, and `freehold apply` on the ten machines when nothing is to be done.
Run it as root: `make bench`. It fetches community.general (54 MB, once) into build/.
"""

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from provisioning.ways import (
    COMMUNITY_WAY,
    FREEHOLD_WAY,
    INSTANCES,
    PROJECT,
    SSH_WAY,
    STEPS,
    USER_KEY,
    Way,
    playbook,
)

from freehold.operations.lab import Lab
from freehold.system.unix_http import listener_pid

FREEHOLD = Path(sys.executable).parent / "freehold"
HERE = Path(__file__).parent
BUILD = HERE.parent / "build" / "provision"
COUNTS = (1, 5, 10)
SCRIPT = "a script pushed"
_FAILURES = 10  # plays of a way that may fail; each is repeated from the start
CLEAN = "rm -rf /srv/bench; userdel bench; groupdel bench; rm -rf /root/.ansible; true"

Times = dict[tuple[str, int], list[tuple[float, float]]]  # way and machines; first and second run


def estate(ssh: bool) -> str:
    """infra.yml: ten machines with something in each."""
    machines = "".join(f"      m{n}: {{ip: 10.100.0.{10 + n}}}\n" for n in range(len(INSTANCES)))
    packages = "    apt: [openssh-server]\n" if ssh else ""
    return f"""\
freehold: 1
name: bench
defaults:
  provision:
{packages}    files: [{{src: files/{USER_KEY}.pub, dest: /root/.ssh/authorized_keys, mode: "0600"}}]
domains:
  {PROJECT}:
    subnet_id: 0
    machines:
{machines}"""


class Failed(Exception):
    """A command of the benchmark ended with an error; the text is what it said."""


class Bench:
    """The estate in its lab, and the ways into it. `folder` holds the estate and what the ways write."""

    def __init__(self, lab: Lab, folder: Path, collections: Path) -> None:
        self.lab = lab
        self.folder = folder
        self.collections = collections
        self.failures: Counter[str] = Counter()  # by way; `incus exec` loses output now and then
        self.work = folder / "ways"
        (self.work / "runtime").mkdir(parents=True, mode=0o700)

    def bring_up(self, ssh: bool) -> None:
        """Machines, and the same in each as a user would have it put there."""
        (self.folder / "files").mkdir()
        key = self.work / USER_KEY
        _run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)])
        (self.folder / "files" / f"{USER_KEY}.pub").write_text(Path(f"{key}.pub").read_text())
        (self.folder / "infra.yml").write_text(estate(ssh))
        self.freehold("sync")
        self.freehold("apply", "--yes")

    def freehold(self, *arguments: str) -> float:
        environment = {**os.environ, "FREEHOLD_LAB": str(self.lab.root)}
        command = [str(FREEHOLD), "--lab", "-C", str(self.folder), *arguments]
        return _run(command, environment)

    def pair(self, way: Way | None, instances: Sequence[str]) -> tuple[float, float]:
        """Seconds of a first and of a second run; None: the script."""
        while True:
            self.everywhere(CLEAN, instances)
            try:
                return self.once(way, instances), self.once(way, instances)
            except Failed:
                if way is None or self.failures[way.name] == _FAILURES:
                    raise
                self.failures[way.name] += 1

    def once(self, way: Way | None, instances: Sequence[str]) -> float:
        """Seconds of one run, beginning without connections."""
        if way is None:
            return self.everywhere((HERE / "provisioning" / "tasks.sh").read_text(), instances)
        self.hang_up()
        command, environment = playbook(
            way, instances, self.work, self.collections, self.lab.socket
        )
        if way is not SSH_WAY:
            return _run(command, environment)
        started = time.perf_counter()
        words = [
            f"{name}={value}" for name, value in environment.items() if name.startswith("ANSIBLE_")
        ]
        with _quiet(self.work / "ssh.log"):  # the machines' network is the lab's alone
            code = self.lab.run(["env", *words, *command])
        if code:
            raise Failed((self.work / "ssh.log").read_text())
        return time.perf_counter() - started

    def everywhere(self, script: str, instances: Sequence[str]) -> float:
        """Seconds to run a script on all at once."""
        started = time.perf_counter()
        for process in [self._push(script, instance) for instance in instances]:
            assert process.wait() == 0
        return time.perf_counter() - started

    def _push(self, script: str, instance: str) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            ["incus", "exec", "--project", PROJECT, instance, "--", "sh", "-s"],
            env=self.lab.environment(), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert process.stdin is not None
        with process.stdin as given:
            given.write(script.encode())
        return process

    def hang_up(self) -> None:
        """End what a way keeps from run to run."""
        for path in self.work.glob("runtime/freehold/*.socket"):
            _end(listener_pid(path))
        for path in self.work.glob("control/*"):
            _end(listener_pid(path))


def measure(bench: Bench, ways: dict[str, Way | None], counts: Sequence[int], rounds: int) -> Times:
    """The ways take turns, so that a busy moment hits all alike. Ctrl-C ends it with what there is."""
    found: Times = defaultdict(list)
    with suppress(KeyboardInterrupt):
        _measure(bench, ways, counts, rounds, found)
    return found


def _measure(
    bench: Bench, ways: dict[str, Way | None], counts: Sequence[int], rounds: int, found: Times
) -> None:
    for _ in range(rounds):
        for count in counts:
            for name, way in ways.items():
                pair = bench.pair(way, INSTANCES[:count])
                found[name, count].append(pair)
                print(
                    f"{count:>3} machines  {name:<40}{pair[0]:7.2f}{pair[1]:7.2f}", file=sys.stderr
                )


def report(found: Times, base: str) -> None:
    """Medians, and the ratio to the way called `base`."""
    counts = list(dict.fromkeys(count for _, count in found))
    names = list(dict.fromkeys(name for name, _ in found))
    for number, run in enumerate(("first run", "second run, nothing changes")):
        print(f"\n{run:<40}" + "".join(f"{f'{count} machines':>20}" for count in counts))
        for name in names:
            cells = []
            for count in counts:
                times = [[pair[number] for pair in found[each, count]] for each in (name, base)]
                if not all(times):
                    cells.append("not measured")
                    continue
                ours, other = map(statistics.median, times)
                cells.append(f"{ours:.2f} s  x {ours / other:.2f}")
            print(f"  {name:<38}" + "".join(f"{cell:>20}" for cell in cells))


def community() -> Path:
    """community.general as the package `ansible` has it, in build/."""
    if not (BUILD / "ansible_collections").exists():
        lock = str(HERE / "provision.lock")
        _run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--require-hashes", "-r", lock, "-d", str(BUILD)])  # fmt: skip
        (wheel,) = BUILD.glob("ansible-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            members = [
                n
                for n in archive.namelist()
                if n.startswith("ansible_collections/community/general/")
            ]
            archive.extractall(BUILD, members)
        wheel.unlink()
    return BUILD


def _run(command: Sequence[str], environment: dict[str, str] | None = None) -> float:
    """Seconds it took; a failure ends the benchmark."""
    started = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise Failed(f"{command[:4]} failed:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    return time.perf_counter() - started


def _end(pid: int | None) -> None:
    if pid is not None:
        with suppress(ProcessLookupError):  # it has just ended by itself
            os.kill(pid, signal.SIGTERM)
        while Path(f"/proc/{pid}").exists():
            time.sleep(0.01)


@contextmanager
def _quiet(log: Path) -> Iterator[None]:
    """Standard output of programs started here goes into a file."""
    sys.stdout.flush()
    kept = os.dup(1)
    with log.open("wb") as file:
        os.dup2(file.fileno(), 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--machines", type=int, nargs="*", default=COUNTS)
    parser.add_argument(
        "--no-ssh", action="store_true", help="without OpenSSH, which needs packages"
    )
    options = parser.parse_args()
    ways: dict[str, Way | None] = {way.name: way for way in (COMMUNITY_WAY, FREEHOLD_WAY)}
    ways |= {SCRIPT: None} if options.no_ssh else {SSH_WAY.name: SSH_WAY, SCRIPT: None}
    print(
        f"machine: {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; medians of {options.rounds}"
    )
    with tempfile.TemporaryDirectory(prefix="fh-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)  # machines run as other users and have to pass through
        lab = Lab(Path(folder, "lab"))
        lab.start(egress=not options.no_ssh)
        try:
            Path(folder, "estate").mkdir()
            bench = Bench(lab, Path(folder, "estate"), community())
            bench.bring_up(ssh=not options.no_ssh)
            report(measure(bench, ways, options.machines, options.rounds), COMMUNITY_WAY.name)
            steps: dict[str, Way | None] = {way.name: way for way in STEPS}
            report(measure(bench, steps, (1,), options.rounds), COMMUNITY_WAY.name)
            applies = [bench.freehold("apply", "--yes") for _ in range(5)]
            bench.hang_up()
            print(
                f"\napply, {len(INSTANCES)} machines, nothing to do: {statistics.median(applies):.2f} s"
            )
            for name, count in bench.failures.items():
                print(f"plays that failed and were repeated: {count} of {name}")
        finally:
            lab.reset()


if __name__ == "__main__":
    main()
