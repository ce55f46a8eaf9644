"""How long apply takes on a real Incus, beside a shell script and beside the least that the API allows.

Prints, for 4 domains of 1 and of 5 machines each, in one run on the same storage:

    from nothing   `freehold apply --yes`, (a) a script of `incus` commands, (b) a concurrent REST script
    no-op apply    the whole process, nothing to do
    plan           the whole process on the finished estate

All three make the same things and wait until every machine has its address. Run it as root: `make bench`.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from shapes import Shape, rest_delete, shell_script

from freehold.operations.lab import Lab
from freehold.operations.lab.images import ensure_image

FREEHOLD = Path(sys.executable).parent / "freehold"


@contextmanager
def temporary_lab() -> Iterator[Lab]:
    """A lab of its own under a short path, with the image in it; nothing of it stays."""
    with tempfile.TemporaryDirectory(prefix="fh-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)  # machines run as other users and have to pass through
        lab = Lab(Path(folder, "lab"))
        lab.start()
        try:
            ensure_image(lab, "debian/13", lambda text: None)
            yield lab
        finally:
            lab.reset()


def seconds(work: Callable[[], object]) -> float:
    """Wall time of `work`."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


class Bench:
    """The three ways, on one lab."""

    def __init__(self, lab: Lab, folder: Path, shape: Shape) -> None:
        self.lab = lab
        self.folder = folder
        self.shape = shape
        (folder / "infra.yml").write_text(shape.infra_yml(), encoding="utf-8")
        self.environment = {
            **os.environ,
            "FREEHOLD_LAB": str(lab.root),
            "INCUS_SOCKET": str(lab.socket),
        }

    def freehold(self, *arguments: str) -> None:
        self._run([str(FREEHOLD), "--lab", "-C", str(self.folder), *arguments])

    def shell(self) -> None:
        self._run(["sh", "-e", "-c", shell_script(self.shape)])

    def rest(self) -> None:
        shape = (str(self.shape.domains), str(self.shape.machines))
        script = str(Path(__file__).with_name("shapes.py"))
        self._run([sys.executable, script, str(self.lab.socket), *shape])

    def clean(self) -> None:
        asyncio.run(rest_delete(self.lab.socket, self.shape))

    def _run(self, argv: list[str]) -> None:
        done = subprocess.run(argv, env=self.environment, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{argv[:4]} failed:\n{done.stdout}\n{done.stderr}")


def measure(bench: Bench, rounds: int) -> dict[str, list[float]]:
    """Seconds of every round; the ways take turns so that a busy moment hits all alike."""
    found: dict[str, list[float]] = {
        "freehold": [],
        "shell": [],
        "rest": [],
        "noop": [],
        "plan": [],
    }
    for _ in range(rounds):
        found["rest"].append(seconds(bench.rest))
        bench.clean()
        found["shell"].append(seconds(bench.shell))
        bench.clean()
        found["freehold"].append(seconds(lambda: bench.freehold("apply", "--yes")))
        found["noop"] += [seconds(lambda: bench.freehold("apply", "--yes")) for _ in range(3)]
        found["plan"] += [seconds(lambda: bench.freehold("plan")) for _ in range(3)]
        bench.clean()
    return found


def report(shape: Shape, found: dict[str, list[float]]) -> None:
    """Medians, and the ratios that the aims speak of."""
    median = {name: statistics.median(values) for name, values in found.items()}
    ours, shell, rest = median["freehold"], median["shell"], median["rest"]
    print(f"\n{shape.domains} domains x {shape.machines} machines")
    print(f"  from nothing   {ours:6.2f} s   {ours / shell:.2f} x shell script ({shell:.2f} s)")
    print(f"                             {ours / rest:.2f} x REST script ({rest:.2f} s)")
    for name in ("noop", "plan"):
        value = median[name]
        print(
            f"  {name:<14} {value:6.2f} s   {value / shell:.3f} x shell script, "
            f"{value / rest:.3f} x REST script (fastest {min(found[name]):.2f} s)"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    print(f"machine: {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, storage btrfs")
    with temporary_lab() as lab, tempfile.TemporaryDirectory() as folder:
        warm = Bench(
            lab, Path(folder), Shape(1, 1)
        )  # the first machine unpacks the image: not measured
        warm.rest()
        warm.clean()
        for shape in (Shape(4, 1), Shape(4, 5)):
            report(shape, measure(Bench(lab, Path(folder), shape), rounds))


if __name__ == "__main__":
    main()
