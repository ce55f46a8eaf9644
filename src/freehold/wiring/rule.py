"""A rule as Prometheus has it in a file. Pure; made by `rules` and `probe_rules`.

The times are those after which an alert fires. Each kind follows from those before it, and fires 30 s later at least: so far apart may
the moments be at which Prometheus sees that two things fail. Alertmanager waits as long again before it tells.
"""

from typing import Any

from freehold.model.descriptors import AlertSeverity

HOST_SECONDS = 60
SERVICE_SECONDS = 120
PROBE_SECONDS = 150
INGRESS_SECONDS = 180
NAME_SECONDS = 210


def rule(
    name: str,
    expression: str,
    seconds: int,
    labels: dict[str, str],
    summary: str,
    severity: AlertSeverity = AlertSeverity.CRITICAL,
) -> dict[str, Any]:
    """`alert`, `expr`, `for`, `labels` (`severity` among them), `annotations`."""
    return {
        "alert": name,
        "expr": expression,
        "for": duration(seconds),
        "labels": {"severity": severity.value, **labels},
        "annotations": {"summary": summary},
    }


def duration(seconds: int) -> str:
    """As Prometheus writes one: `90s`, `5m`, `1h`."""
    for unit, length in (("h", 3600), ("m", 60)):
        if seconds % length == 0:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"
