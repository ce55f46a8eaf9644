"""What a service is, wherever it runs: a descriptor of the catalog as typed values. No I/O.

`config.catalog` reads them from `catalog/NAME.yml`; `model.services` places them; the providers of targets read both.
Texts that say so are Jinja templates, filled in by the provider that deploys the service.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from freehold.model.hosts import Architecture
from freehold.model.protocols import Protocol
from freehold.model.size import Size

SettingValue = str | int | bool


class SettingKind(StrEnum):
    """What a setting's value is, in the words of descriptors."""

    TEXT = "text"
    NUMBER = "number"
    SWITCH = "switch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Something about a service that its user may choose. `default` None: it must be given. `choices`: any value when empty."""

    name: str
    description: str
    kind: SettingKind = SettingKind.TEXT
    default: SettingValue | None = None
    choices: tuple[SettingValue, ...] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """What a setting must be: `value`, or with None anything but nothing and `false`."""

    setting: str
    value: str | None = None

    def holds(self, settings: Mapping[str, SettingValue]) -> bool:
        """Whether it is so, of a service with these settings."""
        chosen = settings.get(self.setting, "")
        if self.value is None:
            return bool(chosen)
        return (str(chosen).lower() if isinstance(chosen, bool) else str(chosen)) == self.value

    def __str__(self) -> str:
        return self.setting if self.value is None else f"{self.setting}={self.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PortOffer:
    """A port on which the service listens. `network` says who meets there: services that share a network reach each other.

    `published`: whether it is open on the target's own address to everybody, also when no service elsewhere needs it. `ipv4_only`: not on its IPv6
    addresses, because whence a client comes matters, and Docker shows its own address instead (github.com/moby/moby/issues/17666).
    """

    name: str
    number: int
    protocol: Protocol = Protocol.TCP
    network: str = "internal"
    scheme: str | None = None
    published: bool = False
    ipv4_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """A folder whose content must outlive the container.

    `pre` and `post` are commands (their words are templates) that run in the container around a backup, to make it consistent.
    """

    name: str
    path: str
    description: str = ""
    backup: bool = True
    pre: tuple[str, ...] = ()
    post: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationFile:
    """A file that the service reads; `content` is a template unless it is `verbatim`. With `secret`, it holds secrets and is delivered like one."""

    path: str
    content: str
    mode: str = "0644"
    owner: str = "0:0"
    secret: bool = False
    verbatim: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretNeed:
    """A secret that the service reads from the file `path`; one that is absent is generated with `length` characters.

    `shared_with`: a need and a secret of the service that meets it; this one is then the same by default. `takeover`: a command
    (its words are templates) that runs in the healthy container and has the service keep what the file says, for one that reads
    the file at its very first start alone. One that is not `generated` is somebody else's, and must be given. `given_by`: the place in
    infra.yml that names the secret; the service does without it when there is no such place. `when`: it does without it unless that holds.
    """

    name: str
    description: str
    path: str
    owner: str = "0:0"
    mode: str = "0400"
    length: int = 32
    shared_with: tuple[str, str] | None = None
    takeover: tuple[str, ...] = ()
    generated: bool = True
    given_by: tuple[str, ...] | None = None
    when: Condition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How to see that the service serves: a command inside that ends with 0; its words are templates. Times in seconds.

    `start` is how long it may take until it must serve.
    """

    command: tuple[str, ...]
    interval: int = 10
    timeout: int = 5
    retries: int = 3
    start: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A folder or file of the target that the container sees.

    `follow`: what is mounted below it later is seen as well (Docker's bind propagation `rslave`).
    """

    source: str
    path: str
    read_only: bool = True
    follow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """The service as a container. `image` has no tag: the version is one, unless `tag` (a template of `version`) says another.

    `images` are those in its place where a condition holds, the first that does. `digests` pin a version of `image`. Values of `environment` and words of `command` and `entrypoint` are templates.
    With `host_network` it listens on the target's own addresses, and none of its ports can be another there. `network_of` is the need
    whose service has the network that this one has too: it reaches nothing but by that one.
    """

    image: str
    images: Mapping[Condition, str] = field(default_factory=dict)
    tag: str = "{{ version }}"
    digests: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    user: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[Mount, ...] = ()
    capabilities: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    read_only: bool = False
    tmpfs: tuple[str, ...] = ()
    host_network: bool = False
    network_of: str | None = None
    privileged: bool = False
    stop_seconds: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """The service as an upstream Helm chart, pinned."""

    repository: str
    name: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """Where the service tells what it measures, in Prometheus's format."""

    port: str
    path: str = "/metrics"


class AlertSeverity(StrEnum):
    """How bad it is: whether it can wait until morning."""

    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRule:
    """When somebody must be told. `expression` is PromQL; `lasts` seconds that it must hold. It and `summary` are templates."""

    name: str
    expression: str
    lasts: int
    severity: AlertSeverity
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Another service without which this one does not work. `service` is its descriptor's name.

    `ports` are those of its ports that are used, by name; empty: its first. One that is `optional` may be met by nobody; one with `when` is
    none unless that holds. With `apart` the two should be on different targets. `calls_back` are ports of this one that the service which meets
    the need connects to in turn.
    """

    name: str
    service: str
    ports: tuple[str, ...] = ()
    calls_back: tuple[str, ...] = ()
    optional: bool = False
    apart: bool = False
    when: Condition | None = None

    def used(self, descriptor: "Descriptor") -> tuple[PortOffer, ...]:
        """The ports of the service that meets the need that this one connects to."""
        if not self.ports:
            return descriptor.ports[:1]
        return tuple(port for port in descriptor.ports if port.name in self.ports)


class Reach(StrEnum):
    """Ports of all other services that one connects to, without waiting for any of them.

    Those that tell what is measured; those that `expose` gives a name, to serve them under it; those of `looked_at`, to see whether
    they answer.
    """

    METRICS = "metrics"
    EXPOSED = "exposed"
    PROBED = "probed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """A service. What it runs as on which target is said by `container`, `role` and `chart`: None where it cannot.

    `ends` are the days on which its makers stop mending, by line of versions: `17` is that of 17.6. `exposes` is the port that
    people open in a browser. `cpu` and `memory` are what it takes at rest with little data: for sums, not as limits.
    """

    name: str
    title: str
    description: str
    version: str
    website: str = ""
    ends: Mapping[str, date] = field(default_factory=dict)
    replaced_by: str | None = None
    architectures: tuple[Architecture, ...] = tuple(Architecture)
    container: Container | None = None
    role: str | None = None
    chart: Chart | None = None
    settings: tuple[Setting, ...] = ()
    ports: tuple[PortOffer, ...] = ()
    data: tuple[Data, ...] = ()
    files: tuple[ConfigurationFile, ...] = ()
    secrets: tuple[SecretNeed, ...] = ()
    health: Health | None = None
    metrics: Metrics | None = None
    alerts: tuple[AlertRule, ...] = ()
    dashboards: tuple[str, ...] = ()
    needs: tuple[Need, ...] = ()
    reaches: tuple[Reach, ...] = ()
    exposes: str | None = None
    cpu: float | None = None
    memory: Size | None = None

    def end_of_life(self, version: str) -> date | None:
        """The day on which this version ends: that of the longest line that it belongs to; None where nobody said.

        A version from before all lines ended with the first of them at the latest.
        """
        lines = [line for line in self.ends if f"{version}.".startswith(f"{line}.")]
        if lines:
            return self.ends[max(lines, key=len)]
        first = min(self.ends, key=_numbers, default=version)
        return self.ends[first] if () < _numbers(version) < _numbers(first) else None

    def port(self, name: str) -> PortOffer | None:
        """The port of that name, None when it has none."""
        return next((port for port in self.ports if port.name == name), None)


def _numbers(version: str) -> tuple[int, ...]:
    """To compare versions by; of one with a suffix the numbers before it."""
    found = re.match(r"[vV]?(\d+(?:\.\d+)*)", version)
    return tuple(map(int, found[1].split("."))) if found else ()


def looked_at(descriptor: Descriptor, *, is_exposed: bool) -> PortOffer | None:
    """The port by which one sees from outside whether it answers: the one that people open; else, of a service that measures nothing
    itself, its first. None of those that are measured: who measures them sees it.
    """
    if is_exposed and descriptor.exposes:
        return descriptor.port(descriptor.exposes)
    if descriptor.metrics is not None:
        return None
    return next((port for port in descriptor.ports if port.protocol is Protocol.TCP), None)


def encrypted(descriptor: Descriptor) -> PortOffer | None:
    """The port on which it speaks HTTPS, None when it has none."""
    return next((port for port in descriptor.ports if port.scheme == "https"), None)
