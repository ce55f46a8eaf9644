"""DOCKER-USER: the chain that Docker keeps for the administrator's rules, asked before all of Docker's own.

Docker sets the policy of iptables' chain FORWARD to drop when it is the one that switches forwarding on; machines then
reach nothing beyond their domain. Nobody else's rules are touched to cure that: in DOCKER-USER stand rules of ours that
let the estate's bridges pass. Freehold's own table still decides after (or before) them, for a drop in any base chain
is final. Called by the firewall's provider and, for reading, by the doctor.

What goes from a machine to a network of Docker's is handed back to Docker's own chains, which open only published
ports. Facts: "Docker with iptables" in Docker's manual, iptables-restore(8).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from freehold.system.iptables import (
    FilterTable,
    change_table,
    comment_of,
    read_tables,
    without_comment,
)

CHAIN = "DOCKER-USER"
INTERFACES = ("docker+", "br-+")  # docker0 and docker_gwbridge; networks that people make
_INTERFACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,14}")
_ESTATE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class DockerFilter:
    """A table `filter` that has the chain. `drops`: FORWARD drops what no rule accepts. `rules`: the chain's."""

    table: FilterTable
    drops: bool
    rules: tuple[str, ...]

    def ours(self, estate: str) -> tuple[str, ...]:
        """The rules in the chain that carry the estate's mark, in their order."""
        return tuple(rule for rule in self.rules if comment_of(rule) == mark(estate))


def mark(estate: str) -> str:
    """The comment that says whose a rule is."""
    return f"freehold {estate}"


def wanted_rules(estate: str, bridges: Iterable[str]) -> tuple[str, ...]:
    """Our rules for these bridges, as iptables-save writes them. Raises ValueError for what cannot be a name."""
    comment = f'-m comment --comment "{mark(_checked(estate, _ESTATE))}"'
    rules = []
    for bridge in sorted(set(bridges)):
        name = _checked(bridge, _INTERFACE)
        rules += [f"-i {name} -o {docker} {comment} -j RETURN" for docker in INTERFACES]
        rules += [f"-i {name} {comment} -j ACCEPT", f"-o {name} {comment} -j ACCEPT"]
    return tuple(rules)


class DockerUser:
    """The chain of one network: this computer's, or the one that `prefix` enters (`namespaces.enter_argv`)."""

    def __init__(self, prefix: Sequence[str] = ()) -> None:
        self._prefix = tuple(prefix)

    def read(self) -> tuple[DockerFilter, ...] | None:
        """The chain on its IPv4 and IPv6 side, as far as Docker made it; None without Docker's chain or iptables.

        One process. Raises BackendError, for one when the user may not ask the kernel.
        """
        found = tuple(
            DockerFilter(table, table.policies.get("FORWARD") == "DROP", table.rules[CHAIN])
            for table in read_tables(self._prefix)
            if CHAIN in table.rules
        )
        return found or None

    def write(self, estate: str, bridges: Iterable[str]) -> None:
        """Have exactly the wanted rules of this estate in the chain, wherever it is; no bridges: none of ours.

        Each side is one transaction, and nothing is written where all is right. Rules of others stay as they are and
        are asked first; only a last `RETURN`, which Docker up to 28 puts there, comes after ours. Raises BackendError.
        """
        wanted = wanted_rules(estate, bridges)
        for side in self.read() or ():
            if commands := _changes(side, estate, wanted):
                change_table(self._prefix, side.table, commands)


def is_right(side: DockerFilter, estate: str, bridges: Iterable[str]) -> bool:
    """Whether the chain holds what `write` would have there."""
    return not _changes(side, estate, wanted_rules(estate, bridges))


def _changes(side: DockerFilter, estate: str, wanted: Sequence[str]) -> list[str]:
    """The commands that lead from what is there to what is wanted."""
    present = side.ours(estate)
    others = [rule for rule in side.rules if comment_of(rule) != mark(estate)]
    place = next((i for i, rule in enumerate(others) if _ends_the_chain(rule)), len(others))
    if list(side.rules) == [*others[:place], *wanted, *others[place:]]:
        return []
    return [
        *(f"-D {CHAIN} {rule}" for rule in present),
        *(f"-I {CHAIN} {number} {rule}" for number, rule in enumerate(wanted, start=place + 1)),
    ]


def _ends_the_chain(rule: str) -> bool:
    return list(without_comment(rule)) == ["-j", "RETURN"]


def _checked(name: str, pattern: re.Pattern[str]) -> str:
    if not pattern.fullmatch(name):
        raise ValueError(f"{name!r} cannot be written into a rule")
    return name
