"""What services connect to because of what they are (`reaches` of descriptors): which of the others, and on which ports.

Part of `placing`, which asks it when it says what is open, and takes the model's `reaches` and `serves` from it.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from freehold.config.reachability import Reachability
from freehold.model.descriptors import Descriptor, PortOffer, Reach, encrypted

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
            if shown and (other in served or (Reach.PROBED in wanted and other in self.exposed)):
                yield other, shown
            door = encrypted(each)
            if door and Reach.PROBED in wanted and self.served(other):
                yield other, door

    def _has_no_way(self, name: str, other: str, port: PortOffer) -> bool:
        parts = self._placing.parts
        number = self._placing.open_ports.number(other, port)
        return self._ways.has_no_way(parts[name].on, parts[other].on, port.protocol, number)

    @cached_property
    def _ways(self) -> Reachability:
        return Reachability(self._placing.document)


def _shown(descriptor: Descriptor) -> PortOffer | None:
    return descriptor.port(descriptor.exposes) if descriptor.exposes else None
