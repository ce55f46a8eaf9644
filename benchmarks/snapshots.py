"""How long snapshots of twenty running machines take, beside a loop of `incus` commands.

Prints, for btrfs and for dir storage, the medians of several rounds in which the ways take turns on the same machines:

    create    `freehold snapshot create all`; `incus snapshot create` for one machine after the other
    restore   `freehold snapshot restore all --no-copy`; `incus snapshot restore` in a loop
    delete    `freehold snapshot delete all`; `incus snapshot delete` in a loop

Freehold's times are those of the whole process. After a restore it has shut the machines down and waited until each has its address
again; Incus has switched them off and on, and waits for nothing. The third way runs the commands of
the loop all at once, in the background of a shell. Run it as root: `make bench`.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from shapes import IMAGE, Shape

from freehold.operations.lab import Lab
from freehold.operations.lab.images import ensure_image

FREEHOLD = Path(sys.executable).parent / "freehold"
SHAPE = Shape(4, 5)
MACHINES = [(domain, machine) for domain, _, machines in SHAPE.all() for machine, _ in machines]
AGREED = [word for domain, machine in MACHINES for word in ("--confirm", f"{domain}/{machine}")]
OURS = {
    "create": ("--name", "ours"),
    "restore": ("--name", "ours", "--no-copy", "--yes", *AGREED),
    "delete": ("--name", "ours", "--yes"),
}
REST = {
    "create": 1.0,
    "restore": 5.0,
    "delete": 1.0,
}  # seconds, for what still starts or is written

Times = dict[tuple[str, str], list[float]]  # verb and way to seconds


@contextmanager
def temporary_lab(storage: str) -> Iterator[Lab]:
    """A lab of its own under a short path, with the image in it; nothing of it stays."""
    with tempfile.TemporaryDirectory(prefix="fh-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)  # machines run as other users and have to pass through
        lab = Lab(Path(folder, "lab"))
        lab.start(storage=storage)
        try:
            ensure_image(lab, IMAGE, lambda text: None)
            yield lab
        finally:
            lab.reset()


class Bench:
    """Twenty machines that run, and the ways to their snapshots."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "FREEHOLD_LAB": str(lab.root),
            "INCUS_SOCKET": str(lab.socket),
        }
        (folder / "infra.yml").write_text(SHAPE.infra_yml(), encoding="utf-8")
        self.freehold("apply", "--yes")

    def freehold(self, *words: str) -> None:
        self._run([str(FREEHOLD), "--lab", "-C", str(self.folder), *words])

    def loop(self, verb: str, name: str) -> None:
        """One `incus` command after the other, as in a script."""
        self._run(["sh", "-e", "-c", "\n".join(commands(verb, name))])

    def at_once(self, verb: str, name: str) -> None:
        """All of them in the background, then waited for."""
        self._run(["sh", "-c", "\n".join([*(f"{c} &" for c in commands(verb, name)), "wait"])])

    def _run(self, argv: list[str]) -> None:
        done = subprocess.run(argv, env=self.environment, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{argv[:4]} failed:\n{done.stdout}\n{done.stderr}")


def commands(verb: str, name: str) -> list[str]:
    """The `incus` commands for all machines."""
    return [
        f"incus snapshot {verb} --project {domain} {domain}-{machine} {name} >/dev/null"
        for domain, machine in MACHINES
    ]


def measure(bench: Bench, rounds: int) -> Times:
    """Seconds of every round, by verb and way."""
    found: Times = defaultdict(list)

    def timed(verb: str, way: str, work: Callable[[], object]) -> None:
        os.sync()
        time.sleep(REST[verb])
        started = time.perf_counter()
        work()
        found[verb, way].append(time.perf_counter() - started)

    for _ in range(rounds):
        for verb, words in OURS.items():
            timed(verb, "loop", partial(bench.loop, verb, "of-the-loop"))
            timed(verb, "at once", partial(bench.at_once, verb, "at-once"))
            timed(verb, "freehold", partial(bench.freehold, "snapshot", verb, "all", *words))
    return found


def report(storage: str, found: Times) -> None:
    """Medians, and the ratios that the aim speaks of."""
    print(f"\n{storage}, {SHAPE.domains * SHAPE.machines} machines")
    for verb in ("create", "restore", "delete"):
        ours, loop, at_once = (
            statistics.median(found[verb, way]) for way in ("freehold", "loop", "at once")
        )
        print(
            f"  {verb:<8} {ours:6.2f} s   {ours / loop:.2f} x loop ({loop:.2f} s)"
            f"   {ours / at_once:.2f} x all at once ({at_once:.2f} s)"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="on btrfs; on dir a third of them")
    parser.add_argument("--storage", choices=["btrfs", "dir"], help="only this one")
    arguments = parser.parse_args()
    print(f"machine: {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for storage in [arguments.storage] if arguments.storage else ["btrfs", "dir"]:
        rounds = arguments.rounds if storage == "btrfs" else max(1, arguments.rounds // 3)
        with temporary_lab(storage) as lab, tempfile.TemporaryDirectory() as folder:
            report(storage, measure(Bench(lab, Path(folder)), rounds))


if __name__ == "__main__":
    main()
