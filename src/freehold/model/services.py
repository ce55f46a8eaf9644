"""Services as infra.yml places them: which descriptor, on which target, with what. No I/O.

`config` makes them of `services`, with everything that may be left out filled in; providers of targets read them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from freehold.model.descriptors import Descriptor, SettingValue
from freehold.model.exposure import Exposure

EVERYBODY = "all"
"""In `Service.reached_from`: whoever reaches the computer. No host can be called like it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service on its target: the name of a host, or `domain/machine`.

    `image` is the whole reference of its image where it runs as a container. `settings` has all of the descriptor's. `published`
    are the ports open on the target's own address, by the name of the port: those of a container with the host's network too,
    though nobody has to open them. `reached_from` says of each of them who on other computers may come in: `all`, addresses, networks,
    DNS names; it is empty on machines, where policies say so. `needs` are names of services and `secrets` names of secrets, by
    the descriptor's names of needs and secrets. `reaches` are the services that it connects to because of what they are (`Reach`), by
    name, and their ports; `serves` those of them that it serves under their names.
    """

    name: str
    descriptor: Descriptor
    target: str
    version: str
    image: str | None = None
    settings: Mapping[str, SettingValue] = field(default_factory=dict)
    published: Mapping[str, int] = field(default_factory=dict)
    reached_from: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    needs: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    expose: Exposure | None = None
    reaches: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    serves: tuple[str, ...] = ()

    @property
    def as_container(self) -> bool:
        """Whether it runs as a container, by Docker Compose; else by its role."""
        return self.descriptor.container is not None
