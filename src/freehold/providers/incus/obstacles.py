"""What on a server keeps an estate from being made there, besides single resources. Pure; called by `provider.py`."""

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network

from freehold.diagnostics import Diagnostic
from freehold.model import Infra
from freehold.planning.address import Address
from freehold.planning.resource import Observed
from freehold.providers.incus.bridges import subnet_of
from freehold.providers.incus.marks import owner
from freehold.providers.incus.observe import Server
from freehold.providers.incus.snapshots.unfinished import (
    RESTORING,
    half_restored,
    never_finished,
    unfinished_of,
)

UNAVAILABLE = "Unavailable"


def obstacles(
    infra: Infra, server: Server, observed: Mapping[Address, Observed]
) -> Iterator[Diagnostic]:
    """Everything found, all at once."""
    yield from _missing_pool(infra, server)
    yield from _other_pool(infra, observed)
    yield from _taken_subnets(infra, server)
    yield from _strange_interfaces(infra, server)
    yield from _broken_bridges(infra, server)
    yield from _half_done(infra, server)


def _missing_pool(infra: Infra, server: Server) -> Iterator[Diagnostic]:
    if infra.storage in server.volumes:
        return
    known = ", ".join(f"`{name}`" for name in sorted(server.volumes))
    yield Diagnostic(
        code="no-storage-pool",
        summary="The storage pool does not exist",
        detail=f"infra.yml keeps machines in the pool `{infra.storage}`; "
        + (f"this server has {known}." if known else "this server has no pool yet."),
        hint="Name an existing pool in `defaults.storage`, or make one:\n"
        f"    incus storage create {infra.storage} btrfs",
    )


def _other_pool(infra: Infra, observed: Mapping[Address, Observed]) -> Iterator[Diagnostic]:
    """Moving data between pools is never a side effect of an apply."""
    for address, seen in observed.items():
        pool = seen.fields.get("pool")
        if seen.owned and pool is not None and pool != infra.storage:
            yield Diagnostic(
                code="other-storage-pool",
                summary="A volume lives in another storage pool",
                detail=f"{address} lives in `{pool}`; infra.yml says `{infra.storage}`.",
                hint="Move it (its machine stopped), or set `defaults.storage` back:\n"
                f"    incus storage volume move --project {address.domain} "
                f"{pool}/{seen.fields['name']} {infra.storage}/{seen.fields['name']}",
            )


def _taken_subnets(infra: Infra, server: Server) -> Iterator[Diagnostic]:
    for raw in server.networks:
        subnet = subnet_of(raw) if raw.get("config") else None
        if subnet is None or owner(raw["config"]) == infra.name:
            continue
        for name, bridge, wanted in _bridges(infra):
            if bridge != raw["name"] and subnet.overlaps(wanted):
                yield Diagnostic(
                    code="subnet-in-use",
                    summary="Another bridge uses these addresses",
                    detail=f"{name} is to have {wanted}; the bridge {raw['name']}, "
                    f"which is not ours, has {subnet}.",
                    hint="Give the domain another `subnet_id`, or the estate another `network.base`.",
                )


def _bridges(infra: Infra) -> Iterator[tuple[str, str, IPv4Network]]:
    """Of every domain, and to the machine between them: whose, its name, its network."""
    for domain in infra.domains:
        yield domain.name, domain.bridge, domain.subnet
    if infra.transfer is not None:
        yield infra.transfer.key, infra.transfer.bridge, infra.transfer.subnet


def _strange_interfaces(infra: Infra, server: Server) -> Iterator[Diagnostic]:
    """Incus lists the host's own interfaces too; it cannot make a bridge where one has the name."""
    bridges = {bridge: name for name, bridge, _ in _bridges(infra)}
    for raw in server.networks:
        if raw["name"] in bridges and not raw["managed"]:
            yield Diagnostic(
                code="interface-in-the-way",
                summary="A network interface has the name of a bridge",
                detail=f"{raw['name']} is to be the bridge of {bridges[raw['name']]}; an interface of this name "
                "exists that Incus does not manage.",
                hint=f"If it is a leftover:\n    ip link delete {raw['name']}",
            )


def _broken_bridges(infra: Infra, server: Server) -> Iterator[Diagnostic]:
    """What an Incus that was killed while it made or started a bridge leaves behind."""
    for raw in server.networks:
        if raw.get("status") == UNAVAILABLE and owner(raw["config"]) == infra.name:
            yield Diagnostic(
                code="bridge-unavailable",
                summary="Incus could not start a bridge",
                detail=f"{raw['name']} exists, but machines cannot use it. Often a dnsmasq of an Incus that was "
                "killed still holds its address.",
                hint="Look for it, end it, and restart Incus:\n"
                f"    pgrep -a -f 'dnsmasq.*--interface={raw['name']} '",
            )


def _half_done(infra: Infra, server: Server) -> Iterator[Diagnostic]:
    """What somebody was ended in: a snapshot of a domain, and a machine that was to go back to one."""
    for domain, left in unfinished_of(infra.name, server.projects).items():
        yield never_finished(domain, left)
    for raw in server.instances:
        name = raw["config"].get(RESTORING)
        if name and owner(raw["config"]) == infra.name:
            key = f"{raw['project']}/{raw['name'].removeprefix(raw['project'] + '-')}"
            yield half_restored(key, name)
