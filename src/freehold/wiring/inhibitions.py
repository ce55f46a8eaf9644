"""Which alerts are not sent because another says it all: a computer that is down, a service that others need. Pure; for `estate`."""

from collections.abc import Iterable, Iterator
from typing import Any

from freehold.model import Infra
from freehold.model.exposure import LOGIN_NEED, Login
from freehold.model.services import Service

HOST_DOWN = "HostDown"
SERVICE_DOWN = "ServiceDown"
PROBE_FAILED = "ProbeFailed"
NAME_FAILED = "NameFailed"
"""A service is not served under its name; the label `ingress` says by whom it should be."""
INGRESS_FAILED = "IngressFailed"
"""A proxy runs, and serves none of its names."""
PROBES_DIFFER = "ProbesDiffer"
"""One that looks does not see what others see."""

_IS_DOWN = f'alertname=~"{SERVICE_DOWN}|{PROBE_FAILED}"'
_SERVES_NOTHING = f'alertname=~"{SERVICE_DOWN}|{PROBE_FAILED}|{INGRESS_FAILED}"'


def inhibitions(infra: Infra) -> list[dict[str, Any]]:
    """Alertmanager's inhibit rules: `source_matchers`, `target_matchers`, and `equal` where labels must agree."""
    below = _dependents(infra)
    found = [
        {
            "source_matchers": [f'alertname="{HOST_DOWN}"'],
            "target_matchers": [f'alertname!="{HOST_DOWN}"'],
            "equal": ["target"],
        },
        {  # one that matches both hides none of its kind
            "source_matchers": [_IS_DOWN],
            "target_matchers": [f'alertname=~"{PROBE_FAILED}|{INGRESS_FAILED}"'],
            "equal": ["service"],
        },
        *_names(infra),
    ]
    for target in sorted({service.target for service in infra.services}):
        here = {service.name for service in infra.services if service.target == target}
        elsewhere = {name for each in here for name in below[each]} - here
        if elsewhere:
            sources = [f'alertname="{HOST_DOWN}"', f'target="{target}"']
            found.append({"source_matchers": sources, "target_matchers": [_any_of(elsewhere)]})
    for name, names in below.items():
        if names:
            sources = [_IS_DOWN, f'service="{name}"']
            found.append({"source_matchers": sources, "target_matchers": [_any_of(names)]})
    return found


def _names(infra: Infra) -> Iterator[dict[str, Any]]:
    """A name is not served when its service is down, or its proxy, or the computer of that; or the login in front of it."""
    served = [each for each in infra.services if each.serves]
    if served:
        yield {
            "source_matchers": [_IS_DOWN],
            "target_matchers": [f'alertname="{NAME_FAILED}"'],
            "equal": ["service"],
        }
    for ingress in served:
        for sources in (
            [_SERVES_NOTHING, f'service="{ingress.name}"'],
            [f'alertname="{HOST_DOWN}"', f'target="{ingress.target}"'],
        ):
            yield {"source_matchers": sources, "target_matchers": _named(ingress)}
        yield from _behind_login(infra, ingress)


def _behind_login(infra: Infra, ingress: Service) -> Iterator[dict[str, Any]]:
    """Nor is one that asks for a login, when that is down, or what the login cannot do without. Where all ask, the proxy serves none."""
    login = infra.service(ingress.needs.get(LOGIN_NEED, ""))
    each_served = (infra.service(name) for name in ingress.serves)
    guarded = [each.name for each in each_served if each and _is_guarded(each)]
    if login is None or not guarded:
        return
    below = _dependents(infra)
    causes = [each for each in infra.services if login.name in {each.name, *below[each.name]}]
    hidden = [[*_named(ingress), _any_of(guarded)]]
    if {*ingress.serves} <= {*guarded, login.name}:
        hidden.append([f'alertname="{INGRESS_FAILED}"', f'service="{ingress.name}"'])
    for targets in hidden:
        for cause in causes:
            sources = [_IS_DOWN, f'service="{cause.name}"']
            yield {"source_matchers": sources, "target_matchers": targets}
        for target in sorted({cause.target for cause in causes} - {ingress.target}):
            sources = [f'alertname="{HOST_DOWN}"', f'target="{target}"']
            yield {"source_matchers": sources, "target_matchers": targets}


def _is_guarded(service: Service) -> bool:
    return service.expose is not None and service.expose.login is not Login.NONE


def _named(ingress: Service) -> list[str]:
    """Alerts about the names that it serves."""
    return [f'alertname="{NAME_FAILED}"', f'ingress="{ingress.name}"']


def _any_of(services: Iterable[str]) -> str:
    """Names of services are letters, digits and hyphens: nothing of them means anything in a regular expression."""
    return f'service=~"{"|".join(sorted(services))}"'


def _dependents(infra: Infra) -> dict[str, set[str]]:
    """By service, all that do not work without it, also by way of others. An optional need is no reason to be down."""
    users: dict[str, set[str]] = {service.name: set() for service in infra.services}
    for service in infra.services:
        for need in service.descriptor.needs:
            name = service.needs.get(need.name)
            if name in users and not need.optional:
                users[name].add(service.name)
    return {name: _all_above(users, name) for name in users}


def _all_above(users: dict[str, set[str]], name: str) -> set[str]:
    found: set[str] = set()
    left = [*users[name]]
    while left:
        each = left.pop()
        if each not in found:
            found.add(each)
            left.extend(users[each])
    return found - {name}
