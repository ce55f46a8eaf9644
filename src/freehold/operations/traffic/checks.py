"""All that is tried, with what infra.yml says about each. Pure; called by `verify` once everybody listens.

Every machine against every other, against every address of the host, and against the outside; and the host against every
machine. Forged packets are in `forged`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from freehold.model import Domain, Infra, Protocol
from freehold.model.traffic import DNS_PORT, HOST, INTERNET, Declaration, Flow
from freehold.operations.traffic.check import CONTROL, Check, Kind
from freehold.operations.traffic.ends import MOST_DOMAINS, End, Scope
from freehold.operations.traffic.forged import forged_checks
from freehold.operations.traffic.ports import Ports

ALL_NODES = "ff02::1"  # RFC 4291, section 2.7.1
_MOST_HOST_ADDRESSES = 16
_PROTOCOLS = {Kind.ICMP: Protocol.ICMP, Kind.TCP: Protocol.TCP, Kind.UDP: Protocol.UDP}


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What is known of the host and of the machines' links once they listen.

    `host` are the host's IPv4 addresses, `bridges` the link-local ones of its bridges by name, `links` the IPv6
    addresses of machines by name. `outside` is address and port of what stands for the internet.
    """

    host: Sequence[str] = ()
    bridges: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, Sequence[str]] = field(default_factory=dict)
    outside: tuple[str, int] | None = None


class Checks:
    """Builds the checks of one estate."""

    def __init__(self, infra: Infra, scope: Scope, around: Surroundings) -> None:
        self._infra = infra
        self._domains = {domain.name: domain for domain in infra.domains}
        self._scope = scope
        self._around = around
        self._declaration = Declaration(infra)
        self._ports = Ports(infra)

    def all(self) -> Iterator[Check]:
        """Every check, in the order in which it is told."""
        for source, target in self._scope.pairs:
            yield from self._between(source.name, target.name, target.address)
            yield from self._links(source, target)
        for source in self._scope.sources:
            yield from self._between(HOST, source.name, source.address)
            yield from self._to_host(source)
            yield from self._outwards(source)
        yield from self._outside_controls()
        yield from forged_checks(self._infra, self._scope, self._ports)

    def notes(self) -> Iterator[str]:
        """What was left out, and why."""
        yield from (note for note in (self._scope.note, *self._ports.notes()) if note)
        if len(self._domains) > MOST_DOMAINS:
            yield "Of the host's addresses, each machine tried its own gateway and one other."
        if len(self._foreign()) > _MOST_HOST_ADDRESSES:
            yield f"Of the host's own addresses, the first {_MOST_HOST_ADDRESSES} were tried."
        yield "Nothing was sent from the outside to the host or to machines."

    def _between(
        self, source: str, target: str, address: str, gateway_of: str | None = None
    ) -> Iterator[Check]:
        yield self._check(source, target, Kind.ICMP, address, None, gateway_of)
        for port in self._ports.between(source, target):
            yield self._check(source, target, Kind.TCP, address, port, gateway_of)
            yield self._check(source, target, Kind.UDP, address, port, gateway_of)

    def _check(
        self,
        source: str,
        target: str,
        kind: Kind,
        address: str,
        port: int | None,
        gateway_of: str | None = None,
    ) -> Check:
        protocol = _PROTOCOLS.get(kind, Protocol.UDP)
        flow = Flow(
            source=source, target=target, protocol=protocol, port=port, gateway_of=gateway_of
        )
        because = self._declaration.permission(flow)
        return Check(
            source=source,
            target=target,
            kind=kind,
            address=address,
            port=port,
            because=because,
            gateway_of=gateway_of,
        )

    def _links(self, source: End, target: End) -> Iterator[Check]:
        """IPv6 between domains; inside of one it is nobody's business."""
        if source.domain == target.domain:
            return
        for address in self._around.links.get(target.name, ())[:2]:
            yield Check(source=source.name, target=target.name, kind=Kind.IPV6, address=address)

    def _to_host(self, source: End) -> Iterator[Check]:
        own = self._domains[source.domain]
        for domain in self._gateways(own):
            gateway, of = str(domain.gateway), domain.name
            yield from self._between(source.name, HOST, gateway, of)
            if DNS_PORT not in self._ports.declared(source.domain, HOST):
                yield self._check(source.name, HOST, Kind.TCP, gateway, DNS_PORT, of)
            yield self._check(source.name, HOST, Kind.DNS, gateway, DNS_PORT, of)
        for address in self._foreign()[:_MOST_HOST_ADDRESSES]:
            yield from self._between(source.name, HOST, address)
        for link in (ALL_NODES, self._around.bridges.get(own.bridge)):
            if link:
                yield Check(source=source.name, target=HOST, kind=Kind.IPV6, address=link)

    def _gateways(self, own: Domain) -> Sequence[Domain]:
        domains = self._infra.domains
        if len(domains) <= MOST_DOMAINS:
            return domains
        following = domains[(domains.index(own) + 1) % len(domains)]
        return own, following

    def _foreign(self) -> Sequence[str]:
        """The host's addresses that are no gateways."""
        gateways = {str(domain.gateway) for domain in self._infra.domains}
        return [address for address in self._around.host if address not in gateways]

    def _outwards(self, source: End) -> Iterator[Check]:
        """The way out, and what policies let in from there, which nobody can try from here."""
        address, _ = self._around.outside or ("", 0)
        for port in self._outside_ports(source.domain):
            yield self._check(source.name, INTERNET, Kind.TCP, address, port)
        yield self._check(source.name, INTERNET, Kind.ICMP, address, None)
        for port in self._ports.declared(source.domain, INTERNET):
            inwards = self._check(INTERNET, source.name, Kind.TCP, source.address, port)
            if inwards.because:
                yield inwards

    def _outside_ports(self, domain: str) -> list[int]:
        named = [self._around.outside[1]] if self._around.outside else []
        return sorted({*named, *self._ports.declared(domain, INTERNET)})

    def _outside_controls(self) -> Iterator[Check]:
        """What the host itself does not reach says nothing about the machines."""
        if self._around.outside is None:
            return
        domains = {source.domain for source in self._scope.sources}
        ports = {port for domain in domains for port in self._outside_ports(domain)}
        for port in (*sorted(ports), None):
            yield Check(
                source=HOST,
                target=INTERNET,
                kind=Kind.ICMP if port is None else Kind.TCP,
                address=self._around.outside[0],
                port=port,
                because=CONTROL,
            )
