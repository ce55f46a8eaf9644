"""Services with all that infra.yml leaves out: which descriptor, who meets which need, what is open, which secret is which.

`load` makes one Placing when there are services; the checks of services ask it, and `build` takes the model from it. It says
nothing of what is wrong: what cannot be known is left out, and `checks.services` reports it.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from freehold.config.alerting import TELEGRAM_TOKEN
from freehold.config.catalog.catalog import Catalog, Entry
from freehold.config.document import Document
from freehold.config.links import Links
from freehold.config.open_ports import OpenPorts
from freehold.config.services import ServicePart, exposure_of
from freehold.model.descriptors import (
    Condition,
    Container,
    Descriptor,
    PortOffer,
    SecretNeed,
    Setting,
    SettingValue,
)
from freehold.model.services import Service


class Placing:
    """The services of a document."""

    def __init__(self, document: Document, folder: Path) -> None:
        self.document = document
        self.catalog = Catalog(folder)
        self.parts = dict(sorted(document.services.items()))
        self._by_kind: dict[str, list[str]] = {}
        for name in self.parts:
            self._by_kind.setdefault(self.kind(name), []).append(name)
        self._met: dict[str, dict[str, str]] = {}

    def kind(self, name: str) -> str:
        """Which entry of the catalog the service is."""
        return self.parts[name].service or name

    def entry(self, name: str) -> Entry | None:
        """What the catalog has under that; None when it has nothing."""
        return self.catalog.entry(self.kind(name))

    def known(self) -> Iterator[tuple[str, ServicePart, Descriptor]]:
        """The services whose descriptor is there and without errors."""
        for name, part in self.parts.items():
            entry = self.entry(name)
            if entry is not None and entry.descriptor is not None:
                yield name, part, entry.descriptor

    def descriptor(self, name: str) -> Descriptor | None:
        """That of a service, None when it is not known."""
        entry = self.entry(name) if name in self.parts else None
        return entry.descriptor if entry else None

    def of_kind(self, kind: str) -> list[str]:
        """The services that are this entry of the catalog."""
        return self._by_kind.get(kind, [])

    def needs(self, name: str) -> dict[str, str]:
        """Which service meets which need: as written, or the only one of its kind."""
        if name not in self._met:
            self._met[name] = dict(self._needs(name))
        return self._met[name]

    def _needs(self, name: str) -> Iterator[tuple[str, str]]:
        descriptor = self.descriptor(name)
        for need in descriptor.needs if descriptor else ():
            if not self.holds(name, need.when):
                continue
            written = self.parts[name].needs.get(need.name)
            candidates = self.of_kind(need.service)
            if written is not None and written in candidates:
                yield need.name, written
            elif written is None and len(candidates) == 1:
                yield need.name, candidates[0]

    def used(self, name: str) -> Iterator[tuple[str, str, PortOffer]]:
        """What a service connects to: the need, the service that meets it, a port of that."""
        met = self.needs(name)
        descriptor = self.descriptor(name)
        for need in descriptor.needs if descriptor else ():
            other = met.get(need.name)
            offer = self.descriptor(other) if other else None
            if other is not None and offer is not None:
                for port in need.used(offer):
                    yield need.name, other, port

    def connects(self, name: str) -> Iterator[tuple[str, PortOffer]]:
        """Every service that this one connects to, and its port: what it needs, and what it `reaches`."""
        for _, other, port in self.used(name):
            yield other, port
        for other, ports in self.links.reached(name).items():
            yield from ((other, port) for port in ports)

    @cached_property
    def links(self) -> Links:
        """What services connect to because of what they are."""
        return Links(self)

    @cached_property
    def open_ports(self) -> OpenPorts:
        """Which ports are open on targets, and for whom."""
        return OpenPorts(self)

    def network_of(self, name: str) -> str | None:
        """The service whose network this one has, which may have it of a third; None where it has its own."""
        found, seen = name, {name}
        while (other := self._network_of(found)) is not None and other not in seen:
            seen.add(found := other)
        return found if found != name else None

    def _network_of(self, name: str) -> str | None:
        descriptor = self.descriptor(name)
        need = descriptor.container.network_of if descriptor and descriptor.container else None
        return self.needs(name).get(need) if need else None

    def secrets(self, name: str) -> dict[str, str]:
        """Names of secrets by the descriptor's: as written, else that of the service it is shared with (without such a service it has
        none), else one of its own.
        """
        found: dict[str, str] = {}
        descriptor = self.descriptor(name)
        for secret in descriptor.secrets if descriptor else ():
            if not self.holds(name, secret.when):
                continue
            named = self.given(secret) if secret.given_by else self._secret(name, secret.name, frozenset())  # fmt: skip
            if named is not None:
                found[secret.name] = named
        return found

    def given(self, secret: SecretNeed) -> str | None:
        """What infra.yml names at the place that a descriptor says; None where it has no such place."""
        telegram = self.document.alerts.telegram
        return telegram.token if telegram and secret.given_by == TELEGRAM_TOKEN else None

    def _secret(self, name: str, secret: str, asked: frozenset[tuple[str, str]]) -> str | None:
        own = f"{name}_{secret}"
        written = self.parts[name].secrets.get(secret)
        descriptor = self.descriptor(name)
        offers = descriptor.secrets if descriptor else ()
        shared = next((each.shared_with for each in offers if each.name == secret), None)
        if written is not None or shared is None or (name, secret) in asked:
            return written or own
        other = self.needs(name).get(shared[0])
        return self._secret(other, shared[1], asked | {(name, secret)}) if other else None

    def settings(self, name: str) -> dict[str, SettingValue]:
        """All of the descriptor's, with their defaults."""
        descriptor = self.descriptor(name)
        written = self.parts[name].settings
        values = {each.name: written.get(each.name, each.default) for each in _settings(descriptor)}
        return {name: value for name, value in values.items() if value is not None}

    def holds(self, name: str, condition: Condition | None) -> bool:
        """Whether a need or a secret with this condition is one of the service's, as its settings are."""
        return condition is None or condition.holds(self.settings(name))

    def services(self) -> tuple[Service, ...]:
        """The model of all; only for a document without errors."""
        return tuple(self._service(*each) for each in self.known())

    def _service(self, name: str, part: ServicePart, descriptor: Descriptor) -> Service:
        version = part.version or descriptor.version
        container = descriptor.container
        image = part.image or (
            image_of(container, version, self.settings(name)) if container else None
        )
        return Service(
            name=name,
            descriptor=descriptor,
            target=part.on,
            version=version,
            image=image,
            settings=self.settings(name),
            published=self.open_ports.published(name),
            reached_from=self.open_ports.reached_from(name),
            needs=self.needs(name),
            secrets=self.secrets(name),
            expose=exposure_of(part.expose) if part.expose else None,
            reaches=self._reaches(name),
            serves=tuple(self.links.served(name)),
        )

    def _reaches(self, name: str) -> dict[str, tuple[str, ...]]:
        reached = self.links.reached(name)
        return {other: tuple(port.name for port in ports) for other, ports in reached.items()}


def image_of(container: Container, version: str, settings: Mapping[str, SettingValue]) -> str:
    """The whole reference: NAME:TAG, and the digest where the version has one."""
    tag = container.tag.replace("{{ version }}", version)
    for condition, other in container.images.items():
        if condition.holds(settings):
            return f"{other}:{tag}"
    digest = container.digests.get(version)
    return f"{container.image}:{tag}" + (f"@{digest}" if digest else "")


def _settings(descriptor: Descriptor | None) -> tuple[Setting, ...]:
    return descriptor.settings if descriptor else ()
