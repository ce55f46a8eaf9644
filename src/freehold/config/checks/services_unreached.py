"""What is measured: packets that can get there, wherever a service connects to others because of what it is."""

from collections.abc import Iterator

from freehold.config.checks.context import Context
from freehold.config.placing import Placing
from freehold.diagnostics import Diagnostic


def unreached(context: Context, placing: Placing) -> Iterator[Diagnostic]:
    """Warnings: services that one should connect to by what it is, and has no way to."""
    for name, part, _ in placing.known():
        others = {}
        for other, port in placing.links.unreached(name):
            if placing.links.is_ipv4_only(name, other, port):
                yield _ipv4_only(context, placing, name, (other, port.name))
            else:
                others[other] = port
        if others:
            words = ", ".join(f"`{other}` on `{placing.parts[other].on}`" for other in others)
            detail = f"`{name}` on `{part.on}` does not reach {words}, and goes without."
            yield context.at_key(("services", name), "unreached-service", detail)


def _ipv4_only(context: Context, placing: Placing, name: str, port: tuple[str, str]) -> Diagnostic:
    """Where Docker would hide who comes over IPv6."""
    target, other = placing.parts[name].on, placing.parts[port[0]].on
    detail = f"`{name}` on `{target}` does not reach `{port[0]}`, whose port `{port[1]}` is open on IPv4 alone: `{other}` has an IPv6 address."
    hint = f"Give `{other}` an IPv4 address, or a name that leads to one; or place `{name}` on `{other}`."
    return context.at_key(("services", name), "unreached-service", detail, hint)
