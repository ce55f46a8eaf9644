"""Which ports are tried between two ends: those that policies name, and one that none names. Pure; used by `checks`."""

from collections import defaultdict
from collections.abc import Iterator

from freehold.model import Infra, Policy
from freehold.model.traffic import domain_of

FIRST_UNDECLARED = 47123  # in nobody's list of services (IANA), below the range of outgoing ports (ip_local_port_range)
MOST_PORTS = 24  # of one pair of domains


class Ports:
    """Looked up by pair of domains (or `host`, `internet`), in either order: what is open one way is closed the other."""

    def __init__(self, infra: Infra) -> None:
        self._declared: defaultdict[frozenset[str], set[int]] = defaultdict(set)
        for policy in infra.policies:
            pair = frozenset((domain_of(policy.source), domain_of(policy.target)))
            self._declared[pair].update(_bounds(policy))
        self.undeclared = _undeclared(infra)

    def between(self, one: str, other: str) -> list[int]:
        """Declared ports first, in order; the last is the undeclared one."""
        return [*self.declared(one, other), self.undeclared]

    def declared(self, one: str, other: str) -> list[int]:
        """Those that policies name, whichever end opens the connection."""
        found = self._declared.get(frozenset((domain_of(one), domain_of(other))), set())
        return sorted(found - {self.undeclared})[:MOST_PORTS]

    def notes(self) -> Iterator[str]:
        """What is left out."""
        for pair, ports in sorted(self._declared.items(), key=lambda item: sorted(item[0])):
            if len(ports) > MOST_PORTS:
                yield (
                    f"Policies name {len(ports)} ports between {' and '.join(sorted(pair))}: "
                    f"the first {MOST_PORTS} were tried."
                )


def _bounds(policy: Policy) -> Iterator[int]:
    """A range is tried at both of its ends."""
    for first, last in policy.ports:
        yield from (first, last)


def _undeclared(infra: Infra) -> int:
    ranges = [bounds for policy in infra.policies for bounds in policy.ports]
    for port in range(FIRST_UNDECLARED, 65536):
        if not any(first <= port <= last for first, last in ranges):
            return port
    return FIRST_UNDECLARED
