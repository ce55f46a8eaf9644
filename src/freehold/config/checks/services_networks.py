"""Services that have the network of another: on its target, and on ports that nobody else in it has."""

from collections.abc import Iterator

from freehold.config.checks.context import Context
from freehold.config.placing import Placing
from freehold.diagnostics import Diagnostic
from freehold.model.protocols import Protocol


def shared_networks(context: Context, placing: Placing) -> Iterator[Diagnostic]:
    """Whose network it is runs beside it."""
    for name, part, _ in placing.known():
        other = placing.network_of(name)
        if other is not None and placing.parts[other].on != part.on:
            detail = f"`{name}` on `{part.on}` has the network of `{other}`, which is on `{placing.parts[other].on}`."
            hint = f"Write `on: {placing.parts[other].on}`."
            yield context.at(("services", name, "on"), "network-elsewhere", detail, hint)


def shared_ports(context: Context, placing: Placing) -> Iterator[Diagnostic]:
    """No two services of one network listen on one port; the first in the order of names keeps it."""
    first: dict[tuple[str, int, Protocol], str] = {}
    within = {other for name in placing.parts if (other := placing.network_of(name))}
    for name, part, descriptor in placing.known():
        whose = placing.network_of(name) or name
        shares = whose in within and placing.parts[whose].on == part.on
        for port in descriptor.ports if shares else ():
            other = first.setdefault((whose, port.number, port.protocol), name)
            if other != name:
                detail = f"`{other}` and `{name}` have the network of `{whose}`, and both listen on {port.number} there."
                yield context.at_key(("services", name), "network-port-taken", detail)
