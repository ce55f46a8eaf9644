"""When somebody must be told of what services with `reaches: [probed]` see. Pure; for `rules`.

However many look, one thing that fails is one alert: `max` over all of them. What one alone does not see is about that one.
"""

from collections.abc import Iterator
from typing import Any

from freehold.model import Infra
from freehold.model.descriptors import AlertSeverity
from freehold.model.services import Service
from freehold.wiring.inhibitions import INGRESS_FAILED, NAME_FAILED, PROBE_FAILED, PROBES_DIFFER
from freehold.wiring.rule import INGRESS_SECONDS, NAME_SECONDS, PROBE_SECONDS, rule
from freehold.wiring.scrapes import measured, names, probes

_DIFFERENCE_SECONDS = 300


def probe_rules(infra: Infra, service: Service) -> Iterator[dict[str, Any]]:
    """All of them."""
    looks, by_name = probes(infra, service), names(infra, service)
    yield from _probes_failed(looks)
    yield from _ingresses_failed(infra, service, by_name)
    yield from _names_failed(by_name)
    yield from _probes_differ(infra, looks)


def _probes_failed(looks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for name, found in _by(looks, "service").items():
        labels = {"service": name, "target": found[0]["target"]}
        expression = f'max by (service, target) (probe_success{{service="{name}",ingress=""}}) == 0'
        where = " or ".join(dict.fromkeys(each["url"] for each in found))
        what = f"serve {found[0]['host']}: no answer" if found[0]["host"] else "answer"
        summary = f"{name} on {labels['target']} does not {what} at {where}"
        yield rule(PROBE_FAILED, expression, PROBE_SECONDS, labels, summary)


def _ingresses_failed(
    infra: Infra, service: Service, by_name: list[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """A proxy that runs and serves none of its names, but for those whose service itself does not answer. Of a single name the name is told."""
    with_metrics = {other.name for other, _ in measured(infra, service)}
    for ingress, found in _by(by_name, "ingress").items():
        proxy = infra.service(ingress)
        if proxy is None or len(_by(found, "service")) < 2:
            continue
        broken = 'max by (service) (probe_success{ingress=""}) == 0'
        expression = f'max by (ingress) (probe_success{{ingress="{ingress}"}} unless on (service) ({broken})) == 0'
        if ingress in with_metrics:
            expression += f' unless on () (up{{service="{ingress}",prober=""}} == 0)'
        labels = {"service": ingress, "target": proxy.target}
        summary = f"{ingress} on {proxy.target} serves none of its names, though it runs and what it serves does: see its certificates, its ports and its log"
        yield rule(INGRESS_FAILED, expression, INGRESS_SECONDS, labels, summary)


def _names_failed(by_name: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for ingress, served in _by(by_name, "ingress").items():
        for name, found in _by(served, "service").items():
            labels = {"service": name, "target": found[0]["target"], "ingress": ingress}
            series = f'probe_success{{service="{name}",ingress="{ingress}"}}'
            expression = f"max by (service, target, ingress) ({series}) == 0"
            summary = f"https://{found[0]['host']} does not answer, though {name} may: see {ingress} and the certificate"
            yield rule(NAME_FAILED, expression, NAME_SECONDS, labels, summary)


def _probes_differ(infra: Infra, looks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The way of one that looks is broken, and not what it looks at: one alert, whatever it fails to see."""
    probers = _by(looks, "prober")
    for name in probers if len(probers) > 1 else ():
        prober = infra.service(name)
        if prober is None:
            continue
        others = "max by (service, ingress) (probe_success) == 1"
        unseen = f'probe_success{{prober="{name}"}} == 0 and on (service, ingress) ({others})'
        labels = {"service": name, "target": prober.target}
        summary = f"{name} on {prober.target} does not see what others see: {{{{ $value }}}} of its looks fail"
        yield rule(
            PROBES_DIFFER,
            f"count by (prober) ({unseen}) > 0",
            _DIFFERENCE_SECONDS,
            labels,
            summary,
            AlertSeverity.WARNING,
        )


def _by(found: list[dict[str, Any]], key: str) -> dict[str, list[dict[str, Any]]]:
    grouped: dict[str, list[dict[str, Any]]] = {}
    for each in found:
        grouped.setdefault(each[key], []).append(each)
    return grouped
