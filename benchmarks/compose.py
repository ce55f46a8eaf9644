"""How long services take from nothing to healthy, and a run with nothing to do, beside `docker compose up` over SSH.

Two hosts of a lab, entered by real SSH, and N services of a small Python program with a file each; half of them need another one, which
is on the other host. Prints the medians of several rounds in which the ways take turns, each beginning with an empty
Docker that has the image:

    freehold apply       the whole process: the look, the files, start in the order of needs, health, the look afterwards
    docker compose up    the same files and Compose files, brought to both hosts at once, and `up --detach --wait` there, each by
                         an `ssh` of its own; it knows no needs and starts all at once

then the same again when nothing is to be done. Run it as root on a computer that does nothing else: `make bench`.
"""

import argparse
import os
import statistics
from collections import defaultdict
from collections.abc import Callable

from two_hosts import TwoHosts, two_hosts

FREEHOLD, PLAIN = "freehold apply", "docker compose up"
Times = dict[tuple[str, str], list[float]]  # what was to be done and the way, to seconds


def measured(made: TwoHosts, rounds: int) -> Times:
    """The seconds of each way, by turns."""
    times: Times = defaultdict(list)
    ways: dict[str, Callable[[], float]] = {FREEHOLD: made.apply, PLAIN: made.plain}
    for number in range(rounds):
        for way in sorted(ways, reverse=bool(number % 2)):
            made.clean()
            times["nothing to healthy", way].append(ways[way]())
            times["nothing to do", way].append(ways[way]())
    return times


def report(times: Times) -> None:
    """Medians, spread, and what they are to the plain way's."""
    for (what, way), seconds in sorted(times.items(), reverse=True):
        median = statistics.median(seconds)
        spread = f"({min(seconds):.2f} to {max(seconds):.2f})"
        ratio = median / statistics.median(times[what, PLAIN])
        print(f"  {what:20} {way:20} {median:6.2f} s  {spread:18} x {ratio:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--services", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(f"machine: {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{options.services} services on two hosts, medians of {options.rounds} rounds (lowest to highest)")  # fmt: skip
    with two_hosts(options.services) as made:
        report(measured(made, options.rounds))


if __name__ == "__main__":
    main()
