"""All checks of services, for `checks`: nothing of them is imported for an estate without services."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

from freehold.config.checks import services, services_needs, services_ports, services_reach
from freehold.config.checks.context import Context
from freehold.config.placing import Placing
from freehold.diagnostics import Diagnostic

_CHECKS = (
    services.descriptors,
    services.service_names,
    services.targets,
    services.supported,
    services.docker_options,
    services.settings,
    services.images,
    services.roles,
    services_needs.needs,
    services_needs.cycles,
    services_needs.secrets,
    services_ports.known_ports,
    services_ports.port_clashes,
    services_reach.reach,
)


def service_problems(context: Context, placing: Placing) -> Iterator[Diagnostic]:
    """What every one finds."""
    for check in _CHECKS:
        yield from check(context, placing)
    yield from services.versions(context, placing, context.today or _today())


def _today() -> date:
    return datetime.now(UTC).date()
