"""The checked document to `model.Infra`: defaults filled in, everything in the order of its name. Called by `load`."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Network
from typing import Any

from freehold.config.alerting import alerting_of
from freehold.config.document import (
    DEFAULT_BASE,
    DEFAULT_IMAGE,
    DEFAULT_STORAGE,
    Document,
    DomainPart,
    FirewallMachinePart,
    MachinePart,
    PolicyPart,
    ProfilePart,
)
from freehold.config.gpu import gpu_of
from freehold.config.hosts import HostPart, host_of
from freehold.config.provision import Provision as ProvisionPart
from freehold.config.snapshots import SnapshotsPart, snapshots_of
from freehold.model import (
    Checkout,
    Domain,
    FirewallMode,
    GpuPolicy,
    Host,
    Infra,
    Machine,
    Placed,
    Policy,
    Profile,
    Provision,
    Script,
    Trust,
    Volume,
)
from freehold.model.addresses import domain_subnet
from freehold.model.transfer import ROUTER, Transfer, transfer_subnet


def build(document: Document) -> Infra:
    """The model of a document without errors."""
    assert document.name is not None
    base = document.network.base or IPv4Network(DEFAULT_BASE)
    infra = Infra(
        name=document.name,
        base=base,
        storage=document.defaults.storage or DEFAULT_STORAGE,
        firewall=document.network.firewall or FirewallMode.HOST,
        gpu_policy=document.gpu.policy or GpuPolicy.EXCLUSIVE,
        domains=tuple(_domain(document, base, *item) for item in sorted(document.domains.items())),
        policies=tuple(_policy(policy) for policy in document.policies),
        hosts=tuple(_host(*item) for item in sorted(document.hosts.items())),
        alerting=alerting_of(document.alerts),
        variables=_plain(document.defaults.provision.vars),
    )
    return infra if infra.firewall is FirewallMode.HOST else _with_router(document, infra)


def _host(name: str, part: HostPart) -> Host:
    """What `defaults` puts into machines is not for computers that somebody else may use too."""
    return host_of(name, part, _provision(part.provision))


def _with_router(document: Document, infra: Infra) -> Infra:
    """The same with the machine between the domains, in the first domain that may reach all."""
    home = next(domain for domain in infra.domains if domain.trust is Trust.ADMIN)
    subnet = transfer_subnet(infra.base, {domain.subnet_id for domain in infra.domains})
    assert subnet is not None
    transfer = Transfer(estate=infra.name, domain=home.name, subnet=subnet)
    router = _router(document, transfer)
    machines = tuple(sorted((*home.machines, router), key=lambda machine: machine.name))
    domains = (
        replace(domain, machines=machines) if domain is home else domain for domain in infra.domains
    )
    return replace(infra, transfer=transfer, domains=tuple(domains))


def _router(document: Document, transfer: Transfer) -> Machine:
    """It starts before all others when the host does."""
    part = document.network.firewall_machine or FirewallMachinePart()
    return Machine(
        domain=transfer.domain,
        name=ROUTER,
        image=part.image or document.defaults.image or DEFAULT_IMAGE,
        type=part.type,
        description="All traffic between domains goes through it",
        cpu=part.cpu,
        memory=part.memory,
        boot_timeout=document.defaults.boot_timeout,
        config={"boot.autostart": "true", "boot.autostart.priority": "100"},
        devices=transfer.devices(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shared:
    """What machines of a domain have in common; of `snapshots` the later one counts."""

    image: str
    boot_timeout: int | None
    provision: Provision
    snapshots: tuple[SnapshotsPart, ...]


def _domain(document: Document, base: IPv4Network, name: str, part: DomainPart) -> Domain:
    assert part.subnet_id is not None
    shared = _Shared(
        image=document.defaults.image or DEFAULT_IMAGE,
        boot_timeout=document.defaults.boot_timeout,
        provision=_provision(document.defaults.provision).added(_provision(part.provision)),
        snapshots=(document.snapshots, part.snapshots),
    )
    return Domain(
        name=name,
        subnet_id=part.subnet_id,
        subnet=domain_subnet(base, part.subnet_id),
        trust=part.trust or document.defaults.trust or Trust.SEMI_TRUSTED,
        internet=part.internet,
        description=part.description,
        profiles=tuple(_profile(*item) for item in sorted(part.profiles.items())),
        machines=tuple(_machine(name, shared, *item) for item in sorted(part.machines.items())),
        variables=shared.provision.vars,
    )


def _profile(name: str, part: ProfilePart) -> Profile:
    return Profile(
        name=name, description=part.description, config=part.config, devices=part.devices
    )


def _machine(domain: str, shared: _Shared, name: str, part: MachinePart) -> Machine:
    return Machine(
        domain=domain,
        name=name,
        image=part.image or shared.image,
        type=part.type,
        description=part.description,
        profiles=tuple(part.profiles),
        address=part.ip,
        cpu=part.cpu,
        memory=part.memory,
        disk=part.disk,
        gpu=gpu_of(part.gpu, part.profiles),
        secure_boot=part.secure_boot is not False,
        boot_timeout=part.boot_timeout or shared.boot_timeout,
        control=part.control,
        protect=part.protect,
        volumes=tuple(_volumes(part)),
        config=part.config,
        snapshots=snapshots_of(*shared.snapshots, part.snapshots),
        provision=shared.provision.added(_provision(part.provision)),
    )


def _volumes(part: MachinePart) -> Iterator[Volume]:
    for name, volume in sorted(part.volumes.items()):
        yield Volume(name=name, path=volume.path, size=volume.size)


def _provision(part: ProvisionPart) -> Provision:
    return Provision(
        apt=tuple(part.apt),
        pip=tuple(part.pip),
        git=tuple(Checkout(**dict(item)) for item in part.git),
        script=tuple(Script(**dict(item)) for item in part.script),
        files=tuple(Placed(**dict(item)) for item in part.files),
        templates=tuple(Placed(**dict(item)) for item in part.templates),
        roles=tuple(part.roles),
        vars=_plain(part.vars),
    )


def _plain(value: Any) -> Any:
    """Without the places that the reader's containers carry."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _policy(part: PolicyPart) -> Policy:
    return Policy(
        source=part.from_,
        target=part.to,
        protocol=part.protocol,
        ports=tuple(part.ports or ()),
        bidirectional=part.bidirectional,
        reason=part.reason,
    )
