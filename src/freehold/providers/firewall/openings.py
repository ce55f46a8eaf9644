"""What passes besides what always passes: policies as pairs of ends with the ports that are open. Pure.

An end is what the kernel can tell apart: the interface of a domain's bridge, a machine's address, `host` or `internet`.
Called by `desired.py` (from policies), by `elements.py` (to sets of the table) and by `reading.py` (back from them).
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address

from freehold.model import Infra, Policy, Protocol

HOST, INTERNET = "host", "internet"
ALL_PORTS = (0, 65535)
_LONGEST_LABEL = 120  # bytes; nft keeps 127 of a comment

Ports = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Allowed:
    """A protocol and an inclusive range of ports; for ICMP all of them, for it has none."""

    protocol: str
    ports: Ports

    def __str__(self) -> str:
        first, last = self.ports
        if self.ports == ALL_PORTS:
            return self.protocol
        return f"{self.protocol} {first}" if first == last else f"{self.protocol} {first}-{last}"


@dataclass(frozen=True, slots=True)
class Opening:
    """Who may open connections to whom, and for what. `label` has the names from infra.yml."""

    label: str
    source: str
    target: str
    allowed: tuple[Allowed, ...]

    @property
    def text(self) -> str:
        """All but the label on one line: how a plan shows it."""
        return f"{', '.join(map(str, self.allowed))} ({self.source} to {self.target})"

    @property
    def is_between_domains(self) -> bool:
        """Whether neither end is the host or the internet."""
        return not {self.source, self.target} & {HOST, INTERNET}


_TEXT = re.compile(r"(?P<allowed>.*) \((?P<source>\S+) to (?P<target>\S+)\)")


def parsed(label: str, text: str) -> Opening:
    """Read `Opening.text`. Raises ValueError."""
    found = _TEXT.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not an opening")
    allowed = tuple(_allowed(word) for word in found["allowed"].split(", "))
    return Opening(label, found["source"], found["target"], allowed)


def _allowed(word: str) -> Allowed:
    protocol, _, ports = word.partition(" ")
    first, _, last = ports.partition("-")
    return Allowed(protocol, (int(first), int(last or first)) if ports else ALL_PORTS)


def kind_of(end: str) -> str:
    """`host`, `internet`, `machine` (an address) or `domain` (an interface)."""
    if end in (HOST, INTERNET):
        return end
    try:
        IPv4Address(end)
    except AddressValueError:
        return "domain"
    return "machine"


def openings(infra: Infra) -> list[Opening]:
    """What the policies of an estate open; every machine that they name has its address.

    What comes from the host passes anyway, and what comes from outside to the host is not between domains.
    """
    found: defaultdict[tuple[str, str], list[Allowed]] = defaultdict(list)
    labels: dict[tuple[str, str], str] = {}
    ends = _ends(infra)
    for policy in infra.policies:
        for source, target in _directions(policy):
            if source == HOST or {source, target} <= {HOST, INTERNET}:
                continue
            pair = ends[source], ends[target]
            labels[pair] = _label(f"{source} to {target}", pair)
            found[pair] += _of(policy)
    return [
        Opening(labels[pair], *pair, tuple(merged(allowed)))
        for pair, allowed in sorted(found.items())
    ]


def _directions(policy: Policy) -> Iterator[tuple[str, str]]:
    yield policy.source, policy.target
    if policy.bidirectional:
        yield policy.target, policy.source


def _of(policy: Policy) -> Iterator[Allowed]:
    for ports in policy.ports or (ALL_PORTS,):
        yield Allowed(
            policy.protocol.value, ALL_PORTS if policy.protocol is Protocol.ICMP else ports
        )


def _ends(infra: Infra) -> Mapping[str, str]:
    """What the kernel sees of each end that a policy can name."""
    domains = {domain.name: domain.bridge for domain in infra.domains}
    machines = {machine.key: str(machine.address) for machine in infra.machines()}
    return {HOST: HOST, INTERNET: INTERNET, **domains, **machines}


def merged(allowed: Iterable[Allowed]) -> Iterator[Allowed]:
    """The same without overlaps, which a set of nftables refuses."""
    by_protocol: defaultdict[str, list[Ports]] = defaultdict(list)
    for each in allowed:
        by_protocol[each.protocol].append(each.ports)
    for protocol, ranges in sorted(by_protocol.items()):
        current: Ports | None = None
        for first, last in sorted(ranges):
            if current is None:
                current = first, last
            elif first <= current[1] + 1:
                current = current[0], max(current[1], last)
            else:
                yield Allowed(protocol, current)
                current = first, last
        if current is not None:
            yield Allowed(protocol, current)


def _label(names: str, pair: tuple[str, str]) -> str:
    """The names; what the kernel sees where they do not fit into a comment of nftables."""
    return names if len(names) <= _LONGEST_LABEL else " to ".join(pair)
