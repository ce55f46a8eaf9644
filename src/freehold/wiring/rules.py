"""When somebody must be told: the alerts of all services, and those that follow from what is measured. Pure; for `estate`.

Series carry the labels `service`, `kind` and `target`; those of a probe (`estate.probes`) carry the labels of what is looked at, and
`prober`, by which their `up` is told from that of the service itself.
"""

from collections.abc import Iterator
from typing import Any

from jinja2 import TemplateError

from freehold.config.catalog.templates import fill_in
from freehold.model import Infra
from freehold.model.descriptors import AlertRule
from freehold.model.services import Service
from freehold.wiring.context import own_context
from freehold.wiring.inhibitions import HOST_DOWN, SERVICE_DOWN
from freehold.wiring.probe_rules import probe_rules
from freehold.wiring.rule import HOST_SECONDS, SERVICE_SECONDS, duration, rule
from freehold.wiring.scrapes import measured, scrapes

COMPUTER = "node-exporter"
"""The entry of the catalog that measures a computer: where it runs, silence of all that runs there is the computer's."""

_COMING_BACK_SECONDS = 120  # after a computer is back, for what runs on it to start


def rules(infra: Infra, service: Service) -> list[dict[str, Any]]:
    """Rules as Prometheus has them in a file: `alert`, `expr`, `for`, `labels`, `annotations`."""
    return [
        *_hosts_down(infra, service),
        *_services_down(infra, service),
        *probe_rules(infra, service),
        *_own_rules(infra),
    ]


def _hosts_down(infra: Infra, service: Service) -> Iterator[dict[str, Any]]:
    """A computer is down when nothing on it answers: one program that does not is a program."""
    computers = (other.target for other, _ in measured(infra, service) if other.descriptor.name == COMPUTER)  # fmt: skip
    for target in sorted(set(computers)):
        expression = f'max by (target) (up{{target="{target}",prober=""}}) == 0'
        summary = f"{target} does not answer, nor does anything that runs there"
        found = rule(HOST_DOWN, expression, HOST_SECONDS, {"target": target}, summary)
        yield {**found, "keep_firing_for": duration(_COMING_BACK_SECONDS)}


def _services_down(infra: Infra, service: Service) -> Iterator[dict[str, Any]]:
    for each in scrapes(infra, service):
        name, target = each["service"], each["target"]
        if name != service.name:  # whoever evaluates the rule is not down
            labels = {"service": name, "target": target}
            summary = f"{name} on {target} does not answer at {each['address']}"
            expression = f'up{{service="{name}",prober=""}} == 0'
            yield rule(SERVICE_DOWN, expression, SERVICE_SECONDS, labels, summary)


def _own_rules(infra: Infra) -> Iterator[dict[str, Any]]:
    for service in infra.services:
        if service.descriptor.alerts:
            known = own_context(infra, service)
            yield from (_own_rule(service, each, known) for each in service.descriptor.alerts)


def _own_rule(service: Service, alert: AlertRule, known: dict[str, Any]) -> dict[str, Any]:
    """Raises jinja2.TemplateError, with the name of the alert."""
    try:
        expression = fill_in(alert.expression, known)
        summary = fill_in(alert.summary, known)
    except TemplateError as error:
        raise TemplateError(f"the alert {alert.name} of {service.name}: {error}") from error
    about_itself = f'service="{service.name}"' in expression
    return {
        "alert": alert.name,
        "expr": expression,
        "for": duration(alert.lasts),
        "labels": {
            "severity": alert.severity.value,
            "service": service.name if about_itself else _of_series("service", service.name),
            "target": service.target if about_itself else _of_series("target", service.target),
        },
        "annotations": {"summary": summary},
    }


def _of_series(label: str, else_: str) -> str:
    """What the series is about that the alert comes from; where it does not say so, this service (a template of Prometheus's)."""
    return f"{{{{ with $labels.{label} }}}}{{{{ . }}}}{{{{ else }}}}{else_}{{{{ end }}}}"
