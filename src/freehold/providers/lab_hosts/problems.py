"""What keeps hosts from being played in the lab, as it is told. Called by the modules beside this one."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from freehold.diagnostics import Diagnostic
from freehold.model import Infra
from freehold.model.played import played_address, played_network
from freehold.providers.lab_hosts.marks import bridge_name, owner
from freehold.providers.lab_hosts.networks import subnet_of


def obstacles(infra: Infra, networks: Iterable[Mapping[str, Any]]) -> Iterator[Diagnostic]:
    """Addresses that cannot be given: two hosts would have the same, or somebody else has that network."""
    by_address = defaultdict(list)
    for host in infra.hosts:
        by_address[played_address(host.address)].append(host)
    for address, hosts in by_address.items():
        if len(hosts) > 1:
            yield _shared(str(address), [f"{host.name} ({host.address})" for host in hosts])
    wanted = {played_network(address): hosts for address, hosts in by_address.items()}
    for network, hosts in wanted.items():
        own = bridge_name(infra.name, str(network.network_address))
        for domain in infra.domains:
            if domain.subnet.overlaps(network):
                yield _in_a_domain(hosts[0].name, hosts[0].address, domain.name)
        for raw in networks:
            subnet = subnet_of(raw)
            ours = owner(raw.get("config") or {}) == infra.name and raw["name"] == own
            in_domain = raw["name"] in {domain.bridge for domain in infra.domains}
            if subnet and subnet.overlaps(network) and not ours and not in_domain:
                yield _taken(hosts[0].name, hosts[0].address, raw["name"])


def _shared(address: str, hosts: Collection[str]) -> Diagnostic:
    return Diagnostic(
        code="lab-host-address-shared",
        summary="Two hosts would have the same address in the lab",
        detail=f"{' and '.join(hosts)} would both be at {address}.",
        hint="Names get an address that follows from the name; these two happen to get the same. Give one of them an IPv4 "
        "address in infra.yml.",
    )


def _in_a_domain(host: str, address: str, domain: str) -> Diagnostic:
    return Diagnostic(
        code="lab-host-address-in-domain",
        summary="A host's address lies in a domain's network",
        detail=f"{host} is at {address}, and the addresses around it are those of the domain {domain}.",
        hint="Give the domain another `subnet_id`, or the estate another `network.base`.",
    )


def _taken(host: str, address: str, network: str) -> Diagnostic:
    return Diagnostic(
        code="lab-host-network-taken",
        summary="The lab has a host's network already",
        detail=f"{host} is at {address}; the lab's network {network} has the addresses around it.",
        hint="Another estate may play its hosts in this lab. Use a lab of its own (FREEHOLD_LAB), or delete what is in the way:\n"
        f"    freehold lab run -- incus network show {network}",
    )


def not_delivered(host: str, project: str, said: str) -> Diagnostic:
    """The script of `delivery` failed inside."""
    lines = said.strip().splitlines()[-8:]
    return Diagnostic(
        code="lab-host-not-delivered",
        summary="A host could not be set up in the lab",
        detail="\n".join([f"{host}: what is done inside failed.", *lines]),
        hint=_look_inside(host, project),
    )


def does_not_answer(host: str, project: str, ports: Collection[int]) -> Diagnostic:
    """It runs, and nobody gets in."""
    tried = " nor ".join(f"port {port}" for port in ports)
    return Diagnostic(
        code="lab-host-does-not-answer",
        summary="A host in the lab does not answer by SSH",
        detail=f"{host} runs, but no SSH server greets at {tried}.",
        hint=_look_inside(host, project),
    )


def _look_inside(host: str, project: str) -> str:
    return f"Look inside:\n    freehold lab run -- incus shell --project {project} {host}"
