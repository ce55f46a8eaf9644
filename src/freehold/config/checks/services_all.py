"""All checks of services, for `checks`: nothing of them is imported for an estate without services."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

from freehold.config.checks import (
    services,
    services_expose,
    services_from,
    services_login,
    services_needs,
    services_networks,
    services_ports,
    services_reach,
    services_unreached,
    services_watched,
)
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
    services.replaced,
    services_needs.needs,
    services_needs.cycles,
    services_needs.secrets,
    services_needs.apart,
    services_ports.known_ports,
    services_ports.port_clashes,
    services_from.sources,
    services_from.machines_that_need_hosts,
    services_from.first_ways,
    services_from.closed_ports,
    services_reach.reach,
    services_unreached.unreached,
    services_networks.shared_networks,
    services_networks.shared_ports,
    services_expose.exposed,
    services_expose.own_sites,
    services_expose.served,
    services_expose.logins,
    services_login.login_names,
    services_watched.told,
    services_watched.watched,
)


def service_problems(context: Context, placing: Placing) -> Iterator[Diagnostic]:
    """What every one finds."""
    for check in _CHECKS:
        yield from check(context, placing)
    yield from services.versions(context, placing, context.today or _today())


def _today() -> date:
    return datetime.now(UTC).date()
