"""What the firewall costs: loading, changing and reading the rules, and each packet, for 10 to 1,000 domains.

Prints figures and ratios to (a) no rules at all, (b) a rule for each pair of domains, as somebody writes them first, and
(c) the same with a first rule that lets open connections pass. Everything is in network namespaces of this process; one
run measures all ways by turns. Then what both modes add between two real machines, in a lab. Run it as root: `make bench`.

    load             the whole table in one transaction, from infra.yml's model to nft's end
    one more domain  the same with a domain more: all is replaced (pairs: its 2 x N rules are added)
    observe          the table listed, decoded and compared
    ping             round trip of an ICMP echo that the other kernel answers: two packets cross
    packet           sending a UDP packet of 64 bytes: the kernel carries it across within the call
    open             opening a TCP connection
    tcp              one TCP stream
"""

import argparse
import asyncio
import os
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from crossing.estates import NAT, estate, pairs, pairs_of_one_more, talking
from crossing.modes import measure_modes
from crossing.rooms import Room, Seat, enter_own_network

from freehold.model import Domain, Infra
from freehold.providers.firewall.desired import desired_firewall
from freehold.providers.firewall.provider import FirewallProvider
from freehold.providers.firewall.ruleset import commands, table_name
from freehold.system.nftables.boot import BootRules
from freehold.system.nftables.program import NftProgram

SIZES = (10, 100, 500, 1000)
MOST_PAIRS = 500  # domains; a quarter of a million rules
WAYS = {"ping": (0.2, "us"), "packet": (0.2, "us"), "open": (0.2, "us"), "tcp": (0.5, "Gbit/s")}
NO_RULES, NAT_ALONE, OURS = "no rules", "Incus's NAT alone", "Freehold"
PAIRS, KNOWN_FIRST = "a rule a pair", "open ones first, pairs"


@dataclass(frozen=True, slots=True)
class Bench:
    """The rooms of one size: the same two machines, with other rules between them."""

    infra: Infra
    rooms: dict[str, Room]

    @classmethod
    def build(cls, infra: Infra, names: Sequence[str]) -> "Bench":
        near, far = (_seat(domain) for domain in talking(infra.domains))
        size = len(infra.domains)
        rooms = {name: Room(f"r{size}-{n}", near, far) for n, name in enumerate(names)}
        for name in rooms.keys() - {NO_RULES}:
            rooms[name].text(NAT)
        return cls(infra, rooms)

    def cross(self, rounds: int) -> dict[str, dict[str, float]]:
        """By way, then by rules: the median of so many rounds, in each of which all take their turn."""
        found: dict[str, dict[str, float]] = {}
        for way, (seconds, _) in WAYS.items():
            values: dict[str, list[float]] = {name: [] for name in self.rooms}
            for _ in range(rounds):
                for name, room in self.rooms.items():
                    values[name].append(room.measure(way, seconds))
            found[way] = {name: statistics.median(each) for name, each in values.items()}
        return found

    def close(self) -> None:
        for room in self.rooms.values():
            room.close()


def _seat(domain: Domain) -> Seat:
    address = domain.machines[0].address
    assert address is not None
    return Seat(domain, address)


def milliseconds(work: Callable[[], object], rounds: int = 7) -> float:
    """The median."""
    return statistics.median(_once(work) for _ in range(rounds))


def _once(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def rules_of(bench: Bench, folder: Path) -> dict[str, float]:
    """What our table costs to load, change and read, in ms; afterwards it is loaded."""
    infra, name = bench.infra, table_name(bench.infra.name)
    nft = NftProgram(BootRules(folder, units=None), bench.rooms[OURS].prefix)

    def load(wanted: Infra) -> None:
        asyncio.run(nft.load(commands(name, desired_firewall(wanted, {}).fields)))

    further = estate(len(infra.domains) + 1)
    found = {
        "load": milliseconds(lambda: load(infra)),
        "one more domain": milliseconds(lambda: load(further)),
        "one policy less": milliseconds(lambda: load(_with_one_less(infra))),
    }
    load(infra)
    wanted = commands(name, desired_firewall(infra, {}).fields)
    asyncio.run(nft.set_at_boot(name, wanted))
    provider = FirewallProvider(nft)
    seen = asyncio.run(provider.observe(infra)).observed
    assert all(each.fields == desired_firewall(infra, seen).fields for each in seen.values()), seen
    found["observe"] = milliseconds(lambda: asyncio.run(provider.observe(infra)))
    found["of it, nft's list"] = milliseconds(lambda: asyncio.run(nft.table(name)))
    argv = [*bench.rooms[NO_RULES].prefix, "nft", "--version"]
    found["(an nft that does nothing)"] = milliseconds(
        lambda: subprocess.run(argv, capture_output=True, check=True)
    )
    return found


def _with_one_less(infra: Infra) -> Infra:
    return replace(infra, policies=infra.policies[1:])


def pairs_of(bench: Bench) -> dict[str, float]:
    """What pairs cost to load and to add to, in ms, once; afterwards they are loaded."""
    text, further = pairs(bench.infra, known_first=False), pairs_of_one_more(bench.infra)
    room = bench.rooms[PAIRS]
    load = _once(lambda: room.text(text))
    found = {"load": load, "one more domain": _once(lambda: room.text(further))}
    bench.rooms[KNOWN_FIRST].text(pairs(bench.infra, known_first=True))
    return found


def measure(size: int, rounds: int, *, with_pairs: bool) -> None:
    """One size, measured and printed."""
    names = [NO_RULES, NAT_ALONE, OURS, *([PAIRS, KNOWN_FIRST] if with_pairs else [])]
    bench = Bench.build(estate(size), names)
    try:
        with tempfile.TemporaryDirectory() as folder:
            ours = rules_of(bench, Path(folder))
        others = pairs_of(bench) if with_pairs else {}
        print(f"\n{size} domains, {len(bench.infra.policies)} policies")
        for what, value in ours.items():
            print(f"  {what:<26} {value:8.1f} ms   {_beside(value, others.get(what))}".rstrip())
        if not with_pairs:
            print(f"  a rule for each of {size * (size - 1):,} pairs: not measured (--all-pairs)")
        crossing(bench.cross(rounds))
    finally:
        bench.close()


def _beside(ours: float, pairs: float | None) -> str:
    return "" if pairs is None else f"x {ours / pairs:.3f} of pairs ({pairs:.1f} ms)"


def crossing(found: dict[str, dict[str, float]]) -> None:
    """A row for each set of rules, with the ratio to no rules at all."""
    print(f"  {'':<24}" + "".join(f"{f'{way}, {unit}':>20}" for way, (_, unit) in WAYS.items()))
    for name in found["ping"]:
        cells = (f"{each[name]:.2f} x {each[name] / each[NO_RULES]:.2f}" for each in found.values())
        print(f"  {name:<24}" + "".join(f"{cell:>20}" for cell in cells))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--all-pairs", action="store_true", help="pairs of 1,000 domains too: slow")
    parser.add_argument("--no-lab", action="store_true", help="leave the two modes out")
    chosen = parser.parse_args()
    kernel = platform.release().partition("-")[0]
    print(f"machine: {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Linux {kernel}")
    if not chosen.no_lab:
        print("\nround trip between two machines in the lab, by ping")
        measure_modes()
    enter_own_network()
    for size in chosen.sizes:
        measure(size, chosen.rounds, with_pairs=chosen.all_pairs or size <= MOST_PAIRS)


if __name__ == "__main__":
    main()
