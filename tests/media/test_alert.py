"""When somebody is told that a VPN carries nothing, and what Radarr says of itself: rules of the catalog, evaluated by promtool over made-up
measurements.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml

from freehold.wiring.rules import rules
from tests.monitoring.programs import checked, unpacked
from tests.provider.estate import infra_of

pytestmark = pytest.mark.lab

ESTATE = """
    freehold: 1
    name: maison
    hosts: {cortex: {address: 203.0.113.20}}
    services:
      vpn: {on: cortex, service: gluetun}
      prometheus: {on: cortex}
      containers: {on: cortex, service: cadvisor}
      radarr: {on: cortex}
      figures: {on: cortex, service: exportarr}
    """
SEEN = 'service="containers",kind="cadvisor",target="cortex",container_label_freehold_service="vpn"'
RUNS = {f"container_start_time_seconds{{{SEEN}}}": "5x60"}
IN_TUNNEL = f'container_network_receive_bytes_total{{{SEEN},interface="tun0"}}'
BESIDE = {f'container_network_receive_bytes_total{{{SEEN},interface="eth0"}}': "0+50x60"}


@pytest.mark.parametrize(
    ("series", "fires"),
    [
        ({**RUNS, **BESIDE, IN_TUNNEL: "0+100x60"}, False),
        ({**RUNS, **BESIDE, IN_TUNNEL: "700x60"}, True),
        ({**RUNS, **BESIDE}, True),
        ({}, False),
    ],
    ids=["carries", "carries nothing", "no tunnel", "nobody measures"],
)
def test_a_vpn_that_carries_nothing_is_told(
    tmp_path: Path, series: dict[str, str], fires: bool
) -> None:
    summary = "vpn on cortex: the VPN carries nothing; what is behind it stands still"
    expected: list[dict[str, Any]] = []
    if fires:
        labels = {"severity": "critical", "service": "vpn", "target": "cortex", "kind": "cadvisor", "container_label_freehold_service": "vpn"}  # fmt: skip
        if IN_TUNNEL in series:
            labels["interface"] = "tun0"
        expected = [{"exp_labels": labels, "exp_annotations": {"summary": summary}}]
    evaluate(tmp_path, "vpn-down", series, "15m", expected)


@pytest.mark.parametrize(
    ("kind", "value", "fires"),
    [("error", "1x90", True), ("error", "0x90", False), ("warning", "1x90", False)],
)
def test_what_radarr_says_of_itself_is_told(
    tmp_path: Path, kind: str, value: str, fires: bool
) -> None:
    """A new version, of which it warns, can wait."""
    place = {"service": "figures", "kind": "exportarr", "target": "cortex"}
    said = {**place, "type": kind, "message": "All indexers are unavailable"}
    labels = ",".join(f'{name}="{text}"' for name, text in said.items())
    summary = "radarr says: All indexers are unavailable"
    fired = {"exp_labels": {"severity": "warning", **said}, "exp_annotations": {"summary": summary}}
    series = {f"radarr_system_health_issues{{{labels}}}": value}
    evaluate(tmp_path, "out-of-order", series, "40m", [fired] if fires else [])


def evaluate(
    place: Path, alert: str, series: dict[str, str], when: str, expected: list[dict[str, Any]]
) -> None:
    """That Prometheus, with these measurements every half a minute, has exactly these alerts by then."""
    infra = infra_of(place, ESTATE)
    prometheus = infra.service("prometheus")
    assert prometheus is not None
    [rule] = [each for each in rules(infra, prometheus) if each["alert"] == alert]
    (place / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "estate", "rules": [rule]}]}))  # fmt: skip
    test = {
        "interval": "30s",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [{"eval_time": when, "alertname": alert, "exp_alerts": expected}],
    }
    document = {"rule_files": ["rules.yml"], "evaluation_interval": "30s", "tests": [test]}
    (place / "test.yml").write_text(yaml.safe_dump(document))
    checked(unpacked() / "promtool", "test", "rules", place / "test.yml")
