"""What is measured: packets that can get there, wherever a service connects to others because of what it is."""

from collections.abc import Iterator

from freehold.config.checks.context import Context
from freehold.config.placing import Placing
from freehold.diagnostics import Diagnostic


def unreached(context: Context, placing: Placing) -> Iterator[Diagnostic]:
    """Warnings: services that one should connect to by what it is, and has no way to."""
    for name, part, _ in placing.known():
        others = dict.fromkeys(other for other, _ in placing.links.unreached(name))
        if others:
            words = ", ".join(f"`{other}` on `{placing.parts[other].on}`" for other in others)
            detail = f"`{name}` on `{part.on}` does not reach {words}, and goes without."
            yield context.at_key(("services", name), "unreached-service", detail)
