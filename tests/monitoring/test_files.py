"""Every file of an estate with all of the monitoring, in front of the programs that read it (or of what can be known of it without)."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.monitoring.estate import CHAT, ORION, TOKEN, Files, entries, rendered
from tests.monitoring.programs import checked

ALONE = """
    freehold: 1
    name: alone
    hosts: {cortex: {address: 203.0.113.20}}
    services:
      prometheus: {on: cortex}
      alertmanager: {on: cortex}
      grafana: {on: cortex}
    """


@pytest.fixture(scope="module")
def orion(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Files]:
    return rendered(tmp_path_factory.mktemp("orion"))


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Files]:
    """With nobody to tell, nothing to look and nothing else to measure."""
    return rendered(tmp_path_factory.mktemp("alone"), ALONE)


@pytest.fixture(scope="module")
def six(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Files]:
    """With IPv6 addresses."""
    text = ORION.replace("203.0.113.2", "2001:db8::2")
    return rendered(tmp_path_factory.mktemp("six"), text)


def laid(folder: Path, files: Files) -> Path:
    """The files below a folder, and that folder in the paths that they name."""
    for path, text in files.items():
        file = folder / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(re.sub(r"(?<![\w./])/(etc|run|prometheus)/", rf"{folder}/\1/", text))
    return folder


@pytest.mark.lab
@pytest.mark.parametrize("estate", ["orion", "alone", "six"])
def test_promtool_takes_the_configuration_and_the_rules(
    request: pytest.FixtureRequest, programs: Path, tmp_path: Path, estate: str
) -> None:
    folder = laid(tmp_path, request.getfixturevalue(estate)["prometheus"])
    said = checked(programs / "promtool", "check", "config", folder / "etc/prometheus/prometheus.yml")  # fmt: skip
    assert "watchdog.yml" in said or "SUCCESS: 1 rules found" in said
    lint = checked(programs / "promtool", "check", "rules", "--lint=all", "--lint-fatal", *sorted((folder / "etc/prometheus/rules").iterdir()))  # fmt: skip
    assert "SUCCESS" in lint


@pytest.mark.lab
@pytest.mark.parametrize("estate", ["orion", "alone", "six"])
def test_amtool_takes_the_configuration_and_the_messages(
    request: pytest.FixtureRequest, programs: Path, tmp_path: Path, estate: str
) -> None:
    folder = laid(tmp_path, request.getfixturevalue(estate)["alertmanager"])
    said = checked(programs / "amtool", "check-config", folder / "etc/alertmanager/alertmanager.yml")  # fmt: skip
    assert "1 templates" in said


@pytest.mark.lab
@pytest.mark.parametrize("certificates", ["auto", "known", "own", "any"])
def test_the_blackbox_exporter_takes_its_configuration(
    programs: Path, tmp_path: Path, certificates: str
) -> None:
    chosen = f"service: blackbox-exporter, settings: {{certificates: {certificates}}}"
    files = rendered(tmp_path, ORION.replace("service: blackbox-exporter", chosen))["looks"]
    folder = laid(tmp_path / "files", files)
    configuration = folder / "etc/blackbox_exporter/blackbox.yml"
    checked(programs / "prometheus-blackbox-exporter", f"--config.file={configuration}", "--config.check")  # fmt: skip
    unverified = certificates in ("any", "auto")  # Caddy makes them itself
    assert ("insecure_skip_verify" in configuration.read_text()) is unverified


def test_certificates_of_a_known_authority_are_verified_by_themselves(tmp_path: Path) -> None:
    acme = ORION.replace("service: caddy", "service: caddy, settings: {certificates: acme}")
    (configuration, *_) = rendered(tmp_path, acme)["looks"].values()
    assert "tls_config" not in configuration


def test_without_https_nothing_is_looked_at_by_its_name(tmp_path: Path) -> None:
    plain = ORION.replace("service: caddy", 'service: caddy, settings: {certificates: "off"}')
    configuration = rendered(tmp_path, plain)["prometheus"]["/etc/prometheus/prometheus.yml"]
    assert "job_name: looks/grafana\n" in configuration
    assert "https://" not in configuration


@pytest.mark.lab
def test_the_programs_know_their_flags(programs: Path, tmp_path: Path) -> None:
    """Each is asked for its help with the words that its container starts it with."""
    names = {"prometheus": "prometheus", "alertmanager": "prometheus-alertmanager", "looks": "prometheus-blackbox-exporter", "node-cortex": "prometheus-node-exporter"}  # fmt: skip
    given = entries(tmp_path)
    for service, program in names.items():
        checked(programs / program, *given[service]["command"], "--version")


def test_what_must_see_the_computer_does_and_nothing_else(tmp_path: Path) -> None:
    made = entries(tmp_path)
    may_do_all = {name for name, each in made.items() if each.get("privileged")}
    assert may_do_all == {"disks-synapse", "containers-synapse"}
    own = {name for name, each in made.items() if each.get("network_mode") == "host"}
    assert own == {"node-cortex", "node-synapse"}
    docker = {
        name for name, each in made.items() if "/var/run/docker.sock" in str(each.get("volumes"))
    }
    assert docker == {"logs-cortex", "logs-synapse"}


def test_the_token_of_the_bot_is_in_no_file_but_its_own(orion: dict[str, Files]) -> None:
    for name in ("alertmanager", "watchman"):
        holds = [path for path, text in orion[name].items() if TOKEN.decode() in text]
        assert holds == ["/run/secrets/telegram_token"]
    assert f"chat_id: {CHAT}" in orion["alertmanager"]["/etc/alertmanager/alertmanager.yml"]


def test_without_a_chat_nobody_is_told_and_no_token_is_asked_for(alone: dict[str, Files]) -> None:
    configuration = yaml.safe_load(alone["alertmanager"]["/etc/alertmanager/alertmanager.yml"])
    assert [each["name"] for each in configuration["receivers"]] == ["nobody"]
    assert configuration["route"]["receiver"] == "nobody"
    assert not [path for path in alone["alertmanager"] if "secret" in path]


def test_everything_that_measures_is_asked_once_under_its_name(orion: dict[str, Files]) -> None:
    jobs = yaml.safe_load(orion["prometheus"]["/etc/prometheus/prometheus.yml"])["scrape_configs"]
    about = [each["static_configs"][0] for each in jobs]
    asked = [each["labels"]["service"] for each in about if "prober" not in each["labels"]]
    assert sorted(asked) == sorted(set(orion) - {"db"})  # the database measures nothing by itself
    assert {each["labels"]["target"] for each in about} == {"cortex", "synapse"}


def test_names_that_yaml_takes_for_something_else_are_names_still(tmp_path: Path) -> None:
    """Prometheus takes no file in which two jobs have one name, or one has none."""
    services = {
        "null": "service: node-exporter", "yes": "service: grafana, secrets: {password: grafana_password}, expose: {host: grafana.example.org}", "door": "service: caddy",
        "looks": "service: blackbox-exporter", "looks-yes": "service: loki", "others": "service: alertmanager",
        "prometheus": 'settings: {targets: "203.0.113.9:9100"}', "off": "service: blackbox-exporter",
    }  # fmt: skip
    text = ALONE.partition("    services:")[0] + "    services:\n" + "".join(
        f'      "{name}": {{on: cortex, {rest}}}\n' for name, rest in services.items()
    )  # fmt: skip
    files = rendered(tmp_path, text)["prometheus"]
    jobs = yaml.safe_load(files["/etc/prometheus/prometheus.yml"])["scrape_configs"]
    names = [each["job_name"] for each in jobs]
    assert len(set(names)) == len(names)
    assert {*services, "looks/yes", "off/yes", "looks/yes/door"} <= set(names), (
        "two that look are both asked"
    )
    assert {each["static_configs"][0].get("labels", {}).get("service") for each in jobs} == {*services, None}  # fmt: skip


def test_each_is_looked_at_by_its_port_and_what_is_exposed_by_its_name(
    orion: dict[str, Files],
) -> None:
    jobs = yaml.safe_load(orion["prometheus"]["/etc/prometheus/prometheus.yml"])["scrape_configs"]
    looks = [each["params"] for each in jobs if each["metrics_path"] == "/probe"]
    port, plain, named = looks
    assert port == {"module": ["tcp"], "target": ["203.0.113.21:5432"]}, (
        "PostgreSQL measures nothing"
    )
    assert plain == {"module": ["answers"], "target": ["http://grafana:3000"]}
    assert named == {"module": ["answers"], "target": ["https://front:443/"], "hostname": ["grafana.example.org"]}  # fmt: skip


def test_another_port_of_a_service_is_asked_there(tmp_path: Path) -> None:
    moved = ORION.replace("service: dead-man", "service: dead-man, ports: {http: 9995}")
    files = rendered(tmp_path, moved)
    assert "203.0.113.21:9995" in files["prometheus"]["/etc/prometheus/prometheus.yml"]
    assert "203.0.113.21:9995/beat" in files["alertmanager"]["/etc/alertmanager/alertmanager.yml"]


def test_grafana_has_what_there_is_as_data_sources(
    orion: dict[str, Files], alone: dict[str, Files]
) -> None:
    path = "/etc/grafana/provisioning/datasources/estate.yml"
    sources = yaml.safe_load(orion["grafana"][path])["datasources"]
    assert [(each["uid"], each["url"]) for each in sources] == [("prometheus", "http://prometheus:9090"), ("loki", "http://loki:3100")]  # fmt: skip
    assert [each["uid"] for each in yaml.safe_load(alone["grafana"][path])["datasources"]] == ["prometheus"]  # fmt: skip


@pytest.mark.lab
def test_every_question_of_the_dashboards_is_promql(
    orion: dict[str, Files], programs: Path, tmp_path: Path
) -> None:
    """With each of Grafana's variables set, as the page sets them. Loki's questions have no program here that reads them."""
    asked = [
        target["expr"]
        for _, board in _boards(orion)
        for panel in board["panels"]
        for target in panel["targets"]
        if target["datasource"]["uid"] == "prometheus"
    ]
    assert len(asked) > 20
    filled = [
        re.sub(r"\$(target|service)", ".+", each).replace("$__rate_interval", "2m")
        for each in asked
    ]
    rules = [{"record": f"question:{number}", "expr": each} for number, each in enumerate(filled)]
    file = tmp_path / "questions.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboards", "rules": rules}]}))
    checked(programs / "promtool", "check", "rules", file)


def test_dashboards_are_whole(orion: dict[str, Files]) -> None:
    boards = dict(_boards(orion))
    assert len({board["uid"] for board in boards.values()}) == len(boards) == 4
    for path, board in boards.items():
        panels = board["panels"]
        assert len({panel["id"] for panel in panels}) == len(panels), path
        assert all(panel["title"] and panel["targets"] for panel in panels), path
        known = {each["name"] for each in board["templating"]["list"]}
        used = set(re.findall(r"\$([a-z]+)", json.dumps([panel["targets"] for panel in panels])))
        assert used <= known, path
        _no_overlap(path, panels)


def test_logs_are_labelled_with_the_target_and_the_service(orion: dict[str, Files]) -> None:
    for target in ("cortex", "synapse"):
        text = orion[f"logs-{target}"]["/etc/alloy/config.alloy"]
        assert f'external_labels = {{target = "{target}"}}' in text
        assert "__meta_docker_container_label_freehold_service" in text
        assert text.count("{") == text.count("}")
    assert '"http://loki:3100/loki/api/v1/push"' in orion["logs-cortex"]["/etc/alloy/config.alloy"]
    assert '"http://203.0.113.20:3100/' in orion["logs-synapse"]["/etc/alloy/config.alloy"]


def test_the_configuration_of_loki_is_yaml_that_forgets(orion: dict[str, Files]) -> None:
    configuration = yaml.safe_load(orion["loki"]["/etc/loki/config.yml"])
    assert configuration["compactor"]["retention_enabled"] is True
    assert configuration["limits_config"]["retention_period"] == "30d"
    assert configuration["analytics"] == {"reporting_enabled": False}


def _boards(orion: dict[str, Files]) -> list[tuple[str, dict[str, Any]]]:
    files = orion["grafana"].items()
    return [(path, json.loads(text)) for path, text in files if path.endswith(".json")]


def _no_overlap(path: str, panels: list[dict[str, Any]]) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert at["x"] + at["w"] <= 24, path
        assert not cells & taken, (path, panel["title"])
        taken |= cells
