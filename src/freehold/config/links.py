"""What services connect to without needing it: because of what they are (`reaches` of descriptors), or because who needs them wants it
(`calls_back`). Which of the others, and on which ports.

Part of `placing`, which asks it when it says what is open, and takes the model's `reaches` and `serves` from it.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from freehold.config.reachability import Reachability
from freehold.model.descriptors import Descriptor, PortOffer, Reach, encrypted, looked_at

if TYPE_CHECKING:
    from freehold.config.placing import Placing


class Links:
    """Those between the services of a placing."""

    def __init__(self, placing: "Placing") -> None:
        self._placing = placing

    @cached_property
    def ingresses(self) -> list[str]:
        """The services that serve others under their names."""
        return [name for name, _, each in self._placing.known() if Reach.EXPOSED in each.reaches]

    @cached_property
    def exposed(self) -> list[str]:
        """The services that `expose` gives a name, and that have something to show."""
        known = self._placing.known()
        return [name for name, part, each in known if part.expose and _shown(each)]

    def ingress_of(self, name: str) -> str | None:
        """Who serves it: the only one that can, else the one on its target; None where there is none or it cannot be told."""
        able = [each for each in self.ingresses if each != name]
        if len(able) > 1:
            target = self._placing.parts[name].on
            able = [each for each in able if self._placing.parts[each].on == target]
        return able[0] if len(able) == 1 else None

    def served(self, name: str) -> list[str]:
        """The services that this one serves under their names."""
        if name not in self.ingresses:
            return []
        return [each for each in self.exposed if self.ingress_of(each) == name]

    def reached(self, name: str) -> dict[str, list[PortOffer]]:
        """Services and the ports of theirs that this one connects to, without those to which there is no way."""
        found: dict[str, list[PortOffer]] = {}
        for other, port in self._asked(name):
            if not self._has_no_way(name, other, port) and port not in found.get(other, ()):
                found.setdefault(other, []).append(port)
        return found

    def unreached(self, name: str) -> Iterator[tuple[str, PortOffer]]:
        """Those to which there is none."""
        for other, port in self._asked(name):
            if self._has_no_way(name, other, port):
                yield other, port

    def _asked(self, name: str) -> Iterator[tuple[str, PortOffer]]:
        descriptor = self._placing.descriptor(name)
        yield from self._called_back.get(name, ())
        wanted = set(descriptor.reaches if descriptor else ())
        if not wanted:
            return
        served = self.served(name)
        for other, _, each in self._placing.known():
            if other == name:
                continue
            measured = each.metrics and each.port(each.metrics.port)
            if Reach.METRICS in wanted and measured:
                yield other, measured
            shown = _shown(each)
            if shown and other in served:
                yield other, shown
            looked = looked_at(each, is_exposed=other in self.exposed)
            if looked and Reach.PROBED in wanted:
                yield other, looked
            door = encrypted(each)
            if door and Reach.PROBED in wanted and self.served(other):
                yield other, door

    def is_ipv4_only(self, name: str, other: str, port: PortOffer) -> bool:
        """Whether it could be reached from elsewhere by IPv4 alone, and the address of its host is no such one."""
        parts = self._placing.parts
        host = self._placing.document.hosts.get(parts[other].on)
        elsewhere = parts[name].on != parts[other].on
        return port.ipv4_only and elsewhere and host is not None and ":" in host.address

    @cached_property
    def _called_back(self) -> dict[str, list[tuple[str, PortOffer]]]:
        """By service, those that need it and want it to connect to them in turn, with the ports."""
        found: dict[str, list[tuple[str, PortOffer]]] = {}
        for name, _, each in self._placing.known():
            met = self._placing.needs(name)
            for need in (need for need in each.needs if need.name in met):
                asked = (port for port in each.ports if port.name in need.calls_back)
                found.setdefault(met[need.name], []).extend((name, port) for port in asked)
        return found

    def _has_no_way(self, name: str, other: str, port: PortOffer) -> bool:
        if self.is_ipv4_only(name, other, port):
            return True
        parts = self._placing.parts
        number = self._placing.open_ports.number(other, port)
        return self._ways.has_no_way(parts[name].on, parts[other].on, port.protocol, number)

    @cached_property
    def _ways(self) -> Reachability:
        return Reachability(self._placing.document)


def _shown(descriptor: Descriptor) -> PortOffer | None:
    return descriptor.port(descriptor.exposes) if descriptor.exposes else None
