"""Services as infra.yml places them: which descriptor, on which target, with what. No I/O.

`config` makes them of `services`, with everything that may be left out filled in; providers of targets read them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from freehold.model.descriptors import Descriptor, SettingValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service on its target: the name of a host, or `domain/machine`.

    `image` is the whole reference of its image where it runs as a container. `settings` has all of the descriptor's. `published`
    are the ports open on the target's own address, by the name of the port: those of a container with the host's network too,
    though nobody has to open them. `needs` are names of services and `secrets` names of secrets, by
    the descriptor's names of needs and secrets.
    """

    name: str
    descriptor: Descriptor
    target: str
    version: str
    image: str | None = None
    settings: Mapping[str, SettingValue] = field(default_factory=dict)
    published: Mapping[str, int] = field(default_factory=dict)
    needs: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)

    @property
    def as_container(self) -> bool:
        """Whether it runs as a container, by Docker Compose; else by its role."""
        return self.descriptor.container is not None
