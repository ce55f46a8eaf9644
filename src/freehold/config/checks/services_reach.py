"""Needs across targets: whether the packets may pass, by the same words that `verify` compares with real packets."""

from collections import defaultdict
from collections.abc import Iterator
from ipaddress import IPv4Network

from freehold.config.checks.context import Context
from freehold.config.document import DEFAULT_BASE
from freehold.config.placing import Placing
from freehold.diagnostics import Diagnostic
from freehold.model import Domain, Infra, Policy, Trust
from freehold.model.protocols import Protocol
from freehold.model.traffic import INTERNET, Declaration, Flow

Way = tuple[str, str, Protocol]
"""From one service to another, and by which protocol."""


def reach(context: Context, placing: Placing) -> Iterator[Diagnostic]:
    """Each service may open connections to what it needs."""
    declared = Declaration(_declared(context))
    blocked: defaultdict[Way, list[int]] = defaultdict(list)
    for name, part, _ in placing.known():
        for _, other, port in placing.used(name):
            number = placing.published(other).get(port.name, port.number)
            flow = _flow(context, part.on, placing.parts[other].on, port.protocol, number)
            if flow is not None and declared.permission(flow) is None:
                blocked[name, other, port.protocol].append(number)
    for (name, other, protocol), ports in blocked.items():
        yield _problem(context, placing, name, other, protocol, ports)


def _flow(context: Context, source: str, target: str, protocol: Protocol, port: int) -> Flow | None:
    """None where nothing stands between the two, or one of them is not there."""
    ends = [_end(context, each) for each in (source, target)]
    if source == target or None in ends or ends == [INTERNET, INTERNET]:
        return None
    return Flow(source=str(ends[0]), target=str(ends[1]), protocol=protocol, port=port)


def _end(context: Context, target: str) -> str | None:
    """As policies name it: computers reached by SSH are outside of the estate's networks."""
    if target in context.document.hosts:
        return INTERNET
    domain, _, machine = target.partition("/")
    part = context.document.domains.get(domain)
    return target if part is not None and machine in part.machines else None


def _declared(context: Context) -> Infra:
    """As much of the model as says who may reach whom; the rest of the file may be wrong still."""
    document = context.document
    default = document.defaults.trust or Trust.SEMI_TRUSTED
    nowhere = IPv4Network(DEFAULT_BASE)
    domains = tuple(
        Domain(name=n, subnet_id=0, subnet=nowhere, trust=part.trust or default, internet=part.internet)
        for n, part in document.domains.items()
    )  # fmt: skip
    policies = tuple(
        Policy(
            source=part.from_,
            target=part.to,
            protocol=part.protocol,
            ports=tuple(part.ports or ()),
            bidirectional=part.bidirectional,
        )
        for part in document.policies
    )
    return Infra(name="", base=nowhere, domains=domains, policies=policies)


def _problem(
    context: Context, placing: Placing, name: str, other: str, protocol: Protocol, ports: list[int]
) -> Diagnostic:
    source, target = placing.parts[name].on, placing.parts[other].on
    ends = [_end(context, each) or each for each in (source, target)]
    words = ", ".join(str(port) for port in sorted(set(ports)))
    detail = f"`{name}` on `{source}` needs `{other}` on `{target}`, {protocol.value} {words}."
    spoken = "" if protocol is Protocol.TCP else f", protocol: {protocol.value}"
    policy = f"{{from: {ends[0]}, to: {ends[1]}, ports: [{words}]{spoken}, reason: {name} needs {other}}}"
    path = ("services", name)
    if ends[0] == INTERNET:
        hint = f"Place both on hosts or both on machines. If the way there is made outside of Freehold (a route, a VPN), add to `policies`: `- {policy}`."
        return context.at_key(path, "unreachable-need", detail, hint)
    return context.at_key(path, "blocked-need", detail, f"Add to `policies`: `- {policy}`.")
