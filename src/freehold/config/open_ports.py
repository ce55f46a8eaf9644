"""Ports of services that are open on their target's own address: which, by which number, and for whom.

Part of `placing`, which takes the model's `published` and `reached_from` from it; checks ask it what is open, and why.
"""

from functools import cached_property
from typing import TYPE_CHECKING

from freehold.model.descriptors import Descriptor, PortOffer
from freehold.model.services import EVERYBODY

if TYPE_CHECKING:
    from freehold.config.placing import Placing


class OpenPorts:
    """Those of the services of a placing."""

    def __init__(self, placing: "Placing") -> None:
        self._placing = placing

    def users_elsewhere(self, name: str) -> dict[str, list[str]]:
        """By the service's ports, who uses them from another target, or from the target's own network."""
        return self._users_elsewhere.get(name, {})

    @cached_property
    def _users_elsewhere(self) -> dict[str, dict[str, list[str]]]:
        users: dict[str, dict[str, list[str]]] = {}
        for user, _, _ in self._placing.known():
            for other, port in self._placing.connects(user):
                if self._is_apart(user, other):
                    who = users.setdefault(other, {}).setdefault(port.name, [])
                    who.extend({user} - {*who})
        return users

    def _is_apart(self, user: str, other: str) -> bool:
        """Whether no network of Docker's has both, so that the port must be open on the target's own address."""
        if self._placing.parts[user].on != self._placing.parts[other].on:
            return True
        return self.on_target(user) and not self.on_target(other)

    def on_target(self, name: str) -> bool:
        """Whether it listens on the target's own address, without anybody opening its ports."""
        descriptor = self._placing.descriptor(self._placing.network_of(name) or name)
        return descriptor is None or listens_on_target(descriptor)

    def number(self, name: str, port: PortOffer) -> int:
        """The number that a port has on the target's own address, if it is open there."""
        fixed = self.on_target(name)
        return port.number if fixed else self._placing.parts[name].ports.get(port.name, port.number)

    def published(self, name: str) -> dict[str, int]:
        """The ports open on the target's own address."""
        descriptor = self._placing.descriptor(name)
        if descriptor is None:
            return {}
        if self.on_target(name):
            return {port.name: port.number for port in descriptor.ports}
        written = self._placing.parts[name].ports
        needed = self.users_elsewhere(name)
        return {
            port.name: written.get(port.name, port.number)
            for port in descriptor.ports
            if port.name in {*written, *self._placing.parts[name].from_, *needed} or port.published
        }

    def reached_from(self, name: str) -> dict[str, tuple[str, ...]]:
        """Who on other computers may reach each open port of a host: whom infra.yml names, and the hosts that need it. Nothing on machines."""
        part, descriptor = self._placing.parts[name], self._placing.descriptor(name)
        if descriptor is None or part.on not in self._placing.document.hosts:
            return {}
        usual = {port.name: [EVERYBODY] if port.published else [] for port in descriptor.ports}
        found = {}
        for port in self.published(name):
            users = [
                self._placing.parts[user].on for user in self.users_elsewhere(name).get(port, ())
            ]
            needing = (target for target in users if target in self._placing.document.hosts)
            named = [*part.from_.get(port, usual[port]), *needing]
            addresses = {self._address(each) for each in named}
            found[port] = (EVERYBODY,) if EVERYBODY in addresses else tuple(sorted(addresses))
        return found

    def _address(self, source: str) -> str:
        host = self._placing.document.hosts.get(source)
        return source if host is None else host.address


def listens_on_target(descriptor: Descriptor) -> bool:
    """Whether its ports are the target's own, without anybody opening them."""
    return descriptor.container is None or descriptor.container.host_network
