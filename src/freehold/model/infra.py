"""The estate as typed, frozen values: what `config` makes of infra.yml and every provider reads. No I/O.

Names are the user's; what they become in Incus is said by `freehold.model.names`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING

from freehold.model.addresses import GATEWAY_HOST, domain_subnet, host
from freehold.model.gpu import Gpu
from freehold.model.hosts import Host
from freehold.model.names import bridge_name, instance_name, volume_name
from freehold.model.protocols import Protocol
from freehold.model.provision import NOTHING, Provision
from freehold.model.size import Size
from freehold.model.snapshots import NO_SNAPSHOTS, Snapshots
from freehold.model.transfer import Transfer

if TYPE_CHECKING:  # many estates have none of these: what they are takes time to import
    from freehold.model.alerting import Alerting
    from freehold.model.services import Service


class MachineType(StrEnum):
    """What kind of Incus instance a machine is."""

    CONTAINER = "container"
    VM = "vm"


class Trust(StrEnum):
    """How far a domain is trusted; `admin` may open connections to every other domain."""

    ADMIN = "admin"
    TRUSTED = "trusted"
    SEMI_TRUSTED = "semi-trusted"
    UNTRUSTED = "untrusted"


class FirewallMode(StrEnum):
    """Who keeps the domains apart: rules on the host, or an instance that routes between them."""

    HOST = "host"
    MACHINE = "machine"


class GpuPolicy(StrEnum):
    """Whether more than one machine may have the GPU."""

    EXCLUSIVE = "exclusive"
    SHARED = "shared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A custom storage volume of one machine, mounted at `path`; it outlives the machine's own root disk."""

    name: str
    path: str
    size: Size | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """An extra Incus profile of a domain's project: instance options and devices, values as Incus keeps them."""

    name: str
    description: str = ""
    config: Mapping[str, str] = field(default_factory=dict)
    devices: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A container or a virtual machine. `address` is None until allocated when infra.yml names none.

    `provision` is all that goes inside, what it shares with others included; its variables are its own.
    `devices` are those that it alone has, as Incus keeps them; infra.yml gives none. `boot_timeout` are the seconds that it
    may take until it is up, None for what is usual for its type; `secure_boot` matters to a vm only.
    """

    domain: str
    name: str
    image: str
    type: MachineType = MachineType.CONTAINER
    description: str = ""
    profiles: tuple[str, ...] = ()
    address: IPv4Address | None = None
    cpu: int | None = None
    memory: Size | None = None
    disk: Size | None = None
    gpu: Gpu | None = None
    secure_boot: bool = True
    boot_timeout: int | None = None
    control: bool = False
    protect: bool = False
    volumes: tuple[Volume, ...] = ()
    config: Mapping[str, str] = field(default_factory=dict)
    devices: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    snapshots: Snapshots = NO_SNAPSHOTS
    provision: Provision = NOTHING

    @property
    def is_scheduled_by_incus(self) -> bool:
        """Whether Incus itself makes its scheduled snapshots: it knows nothing of its volumes, nor of commands."""
        declared = self.snapshots
        asks = declared.pre is not None or declared.post is not None
        return declared.is_scheduled and not self.volumes and not asks

    @property
    def key(self) -> str:
        """How the user names it everywhere: `homelab/llm`."""
        return f"{self.domain}/{self.name}"

    @property
    def instance(self) -> str:
        """Its name in Incus: `homelab-llm`."""
        return instance_name(self.domain, self.name)

    def volume_name(self, volume: Volume) -> str:
        """The volume's name in the domain's project: `llm.models`."""
        return volume_name(self.name, volume.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """A compartment: an Incus project, a bridge and a /24 of its own, with the machines inside.

    `internet`: whether its machines may open connections to the outside. `variables` are Ansible's, of all its machines.
    """

    name: str
    subnet_id: int
    subnet: IPv4Network
    trust: Trust
    internet: bool = True
    description: str = ""
    profiles: tuple[Profile, ...] = ()
    machines: tuple[Machine, ...] = ()
    variables: Mapping[str, object] = field(default_factory=dict)

    @property
    def bridge(self) -> str:
        return bridge_name(self.name)

    @property
    def gateway(self) -> IPv4Address:
        return host(self.subnet, GATEWAY_HOST)

    def profile(self, name: str) -> Profile | None:
        """The extra profile of that name, None when the domain has none."""
        return next((profile for profile in self.profiles if profile.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Traffic that may pass between two ends; everything else between domains is dropped.

    An end is a domain, `domain/machine`, `host` or `internet`. `ports` are inclusive ranges; empty only for ICMP. One that `follows` is
    not written in infra.yml: services bring it, and `reason` names them.
    """

    source: str
    target: str
    protocol: Protocol
    ports: tuple[tuple[int, int], ...] = ()
    bidirectional: bool = False
    reason: str = ""
    follows: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Infra:
    """A whole estate; domains, hosts and services are in the order of their names, so that nothing depends on the file's order.

    `transfer` is there when a machine routes between the domains, which is then among those of its domain. `variables` are
    Ansible's, of all machines.
    """

    name: str
    base: IPv4Network
    storage: str = "default"
    firewall: FirewallMode = FirewallMode.HOST
    transfer: Transfer | None = None
    gpu_policy: GpuPolicy = GpuPolicy.EXCLUSIVE
    domains: tuple[Domain, ...] = ()
    policies: tuple[Policy, ...] = ()
    hosts: tuple[Host, ...] = ()
    services: "tuple[Service, ...]" = ()
    alerting: "Alerting | None" = None
    variables: Mapping[str, object] = field(default_factory=dict)

    def machines(self) -> Iterator[Machine]:
        """Every machine of every domain."""
        for domain in self.domains:
            yield from domain.machines

    def host(self, name: str) -> Host | None:
        """The host of that name, None when there is none."""
        return next((host for host in self.hosts if host.name == name), None)

    def machine(self, key: str) -> Machine | None:
        """The machine of that key (`homelab/llm`), None when there is none."""
        return next((machine for machine in self.machines() if machine.key == key), None)

    def service(self, name: str) -> "Service | None":
        """The service of that name, None when there is none."""
        return next((service for service in self.services if service.name == name), None)

    def domain(self, name: str) -> Domain | None:
        """The domain of that name, None when there is none."""
        return next((domain for domain in self.domains if domain.name == name), None)

    def subnet(self, subnet_id: int) -> IPv4Network:
        """The /24 of a subnet_id. Raises ValueError outside of the base network."""
        return domain_subnet(self.base, subnet_id)
