"""When somebody is told: the rules of an estate, evaluated by promtool over made-up measurements. Times are those of the rules themselves."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.monitoring.estate import DOORS, ORION, rendered
from tests.monitoring.programs import checked

pytestmark = pytest.mark.lab

NODE = 'service="node-synapse",kind="node-exporter",target="synapse",instance="203.0.113.21:9100",job="node-synapse"'
DISK = f'{NODE},device="/dev/sda1",fstype="ext4",mountpoint="/srv"'
SMART = 'service="disks-synapse",kind="smartctl-exporter",target="synapse",device="sda"'
SIZE = 1_000_000_000


Alert = dict[str, str]
"""Its labels, and `summary`."""


class Bench:
    """Measurements in, alerts out."""

    def __init__(self, programs: Path, folder: Path, estate: str = ORION) -> None:
        self.promtool, self.folder = programs / "promtool", folder
        text = rendered(folder, estate)["prometheus"]["/etc/prometheus/rules/estate.yml"]
        self.rules = yaml.safe_load(text)["groups"][0]["rules"]

    def expect(self, series: dict[str, str], *firing: tuple[str, str, list[Alert]]) -> None:
        """At each time exactly these fire among the alerts of a name."""
        names = {name for _, name, _ in firing}
        asked = [each for each in self.rules if each["alert"] in names]
        assert {each["alert"] for each in asked} == names
        rules = self._write("rules.yml", {"groups": [{"name": "estate", "rules": asked}]})
        test = {
            "interval": "30s",
            "input_series": [{"series": name, "values": values} for name, values in series.items()],
            "alert_rule_test": [
                {"eval_time": at, "alertname": name, "exp_alerts": [_expected(each) for each in alerts]}
                for at, name, alerts in firing
            ],
        }  # fmt: skip
        document = {"rule_files": [str(rules)], "evaluation_interval": "30s", "tests": [test]}
        checked(self.promtool, "test", "rules", self._write("test.yml", document))

    def _write(self, name: str, document: dict[str, Any]) -> Path:
        file = self.folder / name
        file.write_text(yaml.safe_dump(document))
        return file


def _expected(alert: Alert) -> dict[str, Any]:
    rest = {key: value for key, value in alert.items() if key != "summary"}
    return {"exp_labels": rest, "exp_annotations": {"summary": alert["summary"]}}


@pytest.fixture(scope="module")
def bench(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(programs, tmp_path_factory.mktemp("bench"))


@pytest.fixture(scope="module")
def doors(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(programs, tmp_path_factory.mktemp("doors"), DOORS)


def labels(text: str) -> dict[str, str]:
    """`a="b",c="d"` as a mapping."""
    return dict(part.replace('"', "").split("=") for part in text.split(","))


def up(services: dict[str, str]) -> dict[str, str]:
    """What `up` is for services of synapse."""
    return {f'up{{service="{name}",target="synapse",job="{name}"}}': values for name, values in services.items()}  # fmt: skip


def test_a_disk_that_fills_is_told_while_there_is_room_and_again_when_there_is_none(
    bench: Bench,
) -> None:
    series = {
        f"node_filesystem_size_bytes{{{DISK}}}": f"{SIZE}x80",
        **{
            f"node_filesystem_{room}_bytes{{{DISK}}}": f"{SIZE // 2}x19 {SIZE // 20}x19 {SIZE // 100}x40"
            for room in ("avail", "free")
        },
    }
    nearly = {**labels(DISK), "severity": "warning", "summary": "/srv of synapse has 5.0 % left of 10 % that should be free"}  # fmt: skip
    full = {**labels(DISK), "severity": "critical", "summary": "/srv of synapse is full: 1.0 % left"}  # fmt: skip
    bench.expect(
        series,
        ("9m", "disk-nearly-full", []),
        ("14m", "disk-nearly-full", []),  # not for long enough yet
        ("17m", "disk-nearly-full", [nearly]),
        ("17m", "disk-full", []),
        ("24m", "disk-full", [full]),
    )


def test_memory_and_temporary_file_systems_are_no_disks(bench: Bench) -> None:
    memory = DISK.replace("ext4", "tmpfs")
    series = {
        f"node_filesystem_size_bytes{{{memory}}}": f"{SIZE}x60",
        f"node_filesystem_avail_bytes{{{memory}}}": "0x60",
    }
    bench.expect(
        series,
        ("25m", "disk-full", []),
    )


def test_a_disk_that_will_be_full_tomorrow_is_told_today(bench: Bench) -> None:
    step = SIZE * 3 // 10 // (20 * 120)  # 30 % in 20 hours, by half minutes
    series = {
        f"node_filesystem_size_bytes{{{DISK}}}": f"{SIZE}x900",
        f"node_filesystem_avail_bytes{{{DISK}}}": f"{SIZE * 3 // 10}-{step}x900",
    }
    told = {**labels(DISK), "severity": "critical", "summary": "/srv of synapse will be full within a day"}  # fmt: skip
    bench.expect(
        series,
        ("30m", "disk-full-in-a-day", []),
        ("5h", "disk-full-in-a-day", [told]),
    )


def test_a_computer_is_down_when_nothing_on_it_answers_and_a_service_when_it_alone_does_not(
    bench: Bench,
) -> None:
    one = up({"node-synapse": "1x20", "watchman": "1x3 0x16"})
    told = {**labels('service="watchman",target="synapse",job="watchman",severity="critical"'), "summary": "watchman on synapse does not answer at 203.0.113.21:9095"}  # fmt: skip
    every = up({"node-synapse": "1x3 0x6 1x20", "watchman": "1x3 0x6 1x20"})
    down = {"target": "synapse", "severity": "critical", "summary": "synapse does not answer, nor does anything that runs there"}  # fmt: skip
    bench.expect(
        one,
        ("6m", "HostDown", []),
        ("6m", "ServiceDown", [told]),
    )
    bench.expect(
        every,
        ("2m", "HostDown", []),
        ("3m30s", "HostDown", [down]),
        ("3m30s", "ServiceDown", []),  # the computer is told of first
        ("6m", "HostDown", [down]),  # it is back, and its services start
        ("8m", "HostDown", []),
    )


def test_a_look_that_fails_is_no_measurement_that_fails(bench: Bench) -> None:
    prober = 'service="grafana",target="cortex",prober="looks",instance="http://grafana:3000"'
    series = {f"up{{{prober}}}": "0x30", f"probe_success{{{prober}}}": "1x30"}
    failing = {f"up{{{prober}}}": "1x30", f"probe_success{{{prober}}}": "0x30"}
    told = {**labels('service="grafana",target="cortex",severity="critical"'), "summary": "grafana on cortex does not serve grafana.example.org: no answer at http://grafana:3000"}  # fmt: skip
    bench.expect(
        series,
        ("10m", "ServiceDown", []),
        ("10m", "ProbeFailed", []),
    )
    bench.expect(
        failing,
        ("10m", "ProbeFailed", [told]),
    )


def test_a_name_that_is_not_served_and_a_certificate_that_ends(bench: Bench) -> None:
    by_name = 'service="grafana",target="cortex",prober="looks",ingress="front",instance="https://grafana.example.org"'
    series = {
        f"probe_success{{{by_name}}}": "0x300",
        f"probe_ssl_earliest_cert_expiry{{{by_name}}}": f"{4 * 3600}x300",
    }
    about = {**labels('service="grafana",target="cortex",prober="looks",ingress="front"'), "instance": "https://grafana.example.org"}  # fmt: skip
    name = {**labels('service="grafana",target="cortex",ingress="front",severity="critical"'), "summary": "https://grafana.example.org does not answer, though grafana may: see front and the certificate"}  # fmt: skip
    ends = {**about, "severity": "warning", "summary": "The certificate of https://grafana.example.org ends in 1h 50m 0s, and should have been renewed"}  # fmt: skip
    bench.expect(
        series,
        ("10m", "NameFailed", [name]),
        ("10m", "ProbeFailed", []),
        ("130m", "certificate-ends", [ends]),
        ("130m", "certificate-ends-soon", []),
    )


SERVED = {"grafana": "cortex", "loud": "cortex", "numbers": "synapse"}


def looks(values: dict[str, str], *probers: str, ingress: str = "") -> dict[str, str]:
    """What probers see of services, by their own ports or by their names."""
    way = f',ingress="{ingress}"' if ingress else ""
    return {
        f'probe_success{{service="{name}",target="{SERVED[name]}",prober="{prober}"{way}}}': seen
        for name, seen in values.items()
        for prober in probers
    }


def test_what_two_look_at_is_told_once_and_what_one_alone_does_not_see_is_about_that_one(
    doors: Bench,
) -> None:
    fails, works = dict.fromkeys(SERVED, "0x40"), dict.fromkeys(SERVED, "1x40")
    page = {**labels('service="grafana",target="cortex",severity="critical"'), "summary": "grafana on cortex does not serve grafana.example.org: no answer at http://203.0.113.20:3000 or http://grafana:3000"}  # fmt: skip
    name = {**labels('service="grafana",target="cortex",ingress="front",severity="critical"'), "summary": "https://grafana.example.org does not answer, though grafana may: see front and the certificate"}  # fmt: skip
    alone = {**labels('service="far",target="synapse",prober="far",severity="warning"'), "summary": "far on synapse does not see what others see: 6 of its looks fail"}  # fmt: skip
    both = looks({**works, "grafana": "0x40"}, "far", "looks")
    by_name = looks({**works, "grafana": "0x40"}, "far", "looks", ingress="front")
    doors.expect(
        {**both, **by_name},
        ("2m", "ProbeFailed", []),  # a service that is down is told of first
        ("4m", "ProbeFailed", [page]),
        ("4m", "NameFailed", [name]),
        ("15m", "ProbesDiffer", []),
    )
    seen = {**looks(works, "looks"), **looks(works, "looks", ingress="front")}
    unseen = {**looks(fails, "far"), **looks(fails, "far", ingress="front")}
    doors.expect(
        {**seen, **unseen},
        ("15m", "ProbeFailed", []),
        ("15m", "NameFailed", []),
        ("15m", "IngressFailed", []),
        ("15m", "ProbesDiffer", [alone]),
    )


def test_a_proxy_that_serves_none_of_its_names_is_told_of_before_they_are(doors: Bench) -> None:
    up = {'up{service="front",target="cortex",job="front"}': "1x40"}
    down = {'up{service="front",target="cortex",job="front"}': "0x40"}
    works, fails = dict.fromkeys(SERVED, "1x40"), dict.fromkeys(SERVED, "0x40")
    told = {**labels('service="front",target="cortex",ingress="front",severity="critical"'), "summary": "front on cortex serves none of its names, though it runs and what it serves does: see its certificates, its ports and its log"}  # fmt: skip
    behind = looks(works, "looks")
    doors.expect(
        {**up, **behind, **looks(fails, "looks", ingress="front")},
        ("2m", "IngressFailed", []),  # a service that is down is told of first
        ("3m", "IngressFailed", [told]),
        ("3m", "NameFailed", []),  # the cause is there before what follows from it
    )
    doors.expect(
        {**down, **behind, **looks(fails, "looks", ingress="front")},
        ("10m", "IngressFailed", []),  # that it is down says it all
    )
    doors.expect(
        {**up, **behind, **looks({**fails, "loud": "1x40"}, "looks", ingress="front")},
        ("10m", "IngressFailed", []),  # a name of its own is still served
    )
    doors.expect(
        {**up, **looks(fails, "looks"), **looks(fails, "looks", ingress="front")},
        ("10m", "IngressFailed", []),  # all that it serves is down
    )
    broken = {**works, "grafana": "0x40", "loud": "0x40"}
    doors.expect(
        {**up, **looks(broken, "looks"), **looks(broken, "looks", ingress="front")},
        ("10m", "IngressFailed", []),
    )


def test_a_failing_disk_and_one_that_loses_sectors(bench: Bench) -> None:
    sectors = f'{SMART},attribute_id="5",attribute_name="Reallocated_Sector_Ct",attribute_value_type="raw"'
    series = {
        f"smartctl_device_smart_status{{{SMART}}}": "1x20 0x40",
        f"smartctl_device_attribute{{{sectors}}}": "8x60 9x200",
    }
    failing = {**labels(SMART), "severity": "critical", "summary": "The disk sda of synapse says that it fails"}  # fmt: skip
    losing = {**labels(sectors), "severity": "warning", "summary": "The disk sda of synapse loses sectors (Reallocated_Sector_Ct)"}  # fmt: skip
    bench.expect(
        series,
        ("10m", "disk-failing", []),
        ("20m", "disk-failing", [failing]),
        ("29m", "disk-loses-sectors", []),
        ("50m", "disk-loses-sectors", [losing]),
    )


def test_a_container_that_restarts_again_and_again_is_told_of_as_the_service_that_it_is(
    bench: Bench,
) -> None:
    container = 'service="containers-synapse",target="synapse",container_label_freehold_service="db",id="/docker/1"'
    series = {f"container_start_time_seconds{{{container}}}": "0x4 100x4 200x4 300x4 400x4 500x10"}
    told = {**labels(container), "service": "db", "severity": "warning", "summary": "db on synapse restarts again and again"}  # fmt: skip
    bench.expect(
        series,
        ("5m", "container-restarts", []),
        ("13m", "container-restarts", [told]),
    )


def test_processors_and_memory_at_their_limit(bench: Bench) -> None:
    idle = f'{NODE},mode="idle",cpu="0"'
    series = {
        f"node_cpu_seconds_total{{{idle}}}": "0+1x200",  # one second in thirty
        f"node_memory_MemTotal_bytes{{{NODE}}}": "1000x200",
        f"node_memory_MemAvailable_bytes{{{NODE}}}": "20x200",
    }
    busy = {"target": "synapse", "service": "node-synapse", "severity": "warning", "summary": "The processors of synapse are busy: 97 %"}  # fmt: skip
    memory = {**labels(NODE), "severity": "critical", "summary": "synapse has 2% of its memory left"}  # fmt: skip
    nearly = {**labels(NODE), "severity": "warning", "summary": "synapse has 2.0 % of its memory left"}  # fmt: skip
    bench.expect(
        series,
        ("30m", "cpu-busy", [busy]),
        ("30m", "memory-full", [memory]),
        ("30m", "memory-nearly-full", [nearly]),
    )


def test_somebody_always_hears_the_watchdog(programs: Path, tmp_path: Path) -> None:
    rules = tmp_path / "watchdog.yml"
    rules.write_text(rendered(tmp_path)["prometheus"]["/etc/prometheus/rules/watchdog.yml"])
    told = {"exp_labels": {"severity": "none"}, "exp_annotations": {"summary": "Alerts arrive"}}
    test = {"interval": "1m", "alert_rule_test": [{"eval_time": "0m", "alertname": "Watchdog", "exp_alerts": [told]}]}  # fmt: skip
    file = tmp_path / "test.yml"
    file.write_text(yaml.safe_dump({"rule_files": [str(rules)], "tests": [test]}))
    checked(programs / "promtool", "test", "rules", file)
