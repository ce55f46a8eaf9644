"""Needs across targets: whether the packets may pass. What services merely `reach` gets its policies by itself."""

from collections import defaultdict
from collections.abc import Iterator

from freehold.config.checks.context import Context
from freehold.config.placing import Placing
from freehold.config.reachability import Reachability
from freehold.diagnostics import Diagnostic
from freehold.model.protocols import Protocol
from freehold.model.traffic import INTERNET

Way = tuple[str, str, Protocol]
"""From one service to another, and by which protocol."""


def reach(context: Context, placing: Placing) -> Iterator[Diagnostic]:
    """Each service may open connections to what it needs."""
    ways = Reachability(context.document)
    blocked: defaultdict[Way, list[int]] = defaultdict(list)
    for name, part, _ in placing.known():
        for _, other, port in placing.used(name):
            number = placing.open_ports.number(other, port)
            if ways.is_blocked(part.on, placing.parts[other].on, port.protocol, number):
                blocked[name, other, port.protocol].append(number)
    for (name, other, protocol), ports in blocked.items():
        source, target = placing.parts[name].on, placing.parts[other].on
        ends = ways.end(source) or source, ways.end(target) or target
        yield _problem(context, placing, (name, other, protocol), ends, ports)


def _problem(
    context: Context, placing: Placing, way: Way, ends: tuple[str, str], ports: list[int]
) -> Diagnostic:
    name, other, protocol = way
    source, target = placing.parts[name].on, placing.parts[other].on
    words = ", ".join(str(port) for port in sorted(set(ports)))
    detail = f"`{name}` on `{source}` needs `{other}` on `{target}`, {protocol.value} {words}."
    spoken = "" if protocol is Protocol.TCP else f", protocol: {protocol.value}"
    policy = f"{{from: {ends[0]}, to: {ends[1]}, ports: [{words}]{spoken}, reason: {name} needs {other}}}"
    path = ("services", name)
    if ends[0] == INTERNET:
        hint = f"Place both on hosts or both on machines. If the way there is made outside of Freehold (a route, a VPN), add to `policies`: `- {policy}`."
        return context.at_key(path, "unreachable-need", detail, hint)
    return context.at_key(path, "blocked-need", detail, f"Add to `policies`: `- {policy}`.")
