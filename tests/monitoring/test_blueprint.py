"""Every file that the blueprint `orion` makes, in front of the programs that read it; of the others, that they are what their names say."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from freehold.model import Infra
from freehold.operations.blueprints import blueprints
from freehold.providers.compose.content import contents
from freehold.providers.compose.entry import entry
from freehold.system.secrets.fake import FakeSecrets
from tests.ingress.caddy import validated
from tests.monitoring.estate import Files
from tests.monitoring.programs import checked
from tests.monitoring.test_files import laid
from tests.provider.estate import infra_of

TEXT = blueprints()["orion"].files["infra.yml"]
CADDYFILE = "/etc/caddy/Caddyfile"


@pytest.fixture(scope="module")
def infra(tmp_path_factory: pytest.TempPathFactory) -> Infra:
    return infra_of(tmp_path_factory.mktemp("blueprint"), TEXT)


@pytest.fixture(scope="module")
def secrets(infra: Infra) -> FakeSecrets:
    """What the user would have set, and what is generated."""
    names = {name for service in infra.services for name in service.secrets.values()}
    return FakeSecrets({name: b"a-secret-of-nobody-" + name.encode() for name in names})


@pytest.fixture(scope="module")
def files(infra: Infra, secrets: FakeSecrets) -> dict[str, Files]:
    """As the containers have them, by service."""
    found: dict[str, Files] = {}
    for service in infra.services:
        pieces = contents(infra, service, secrets, values=True).pieces
        found[service.name] = {piece.path: piece.content.decode() for piece in pieces}
    return found


def test_it_is_all_of_the_estate(infra: Infra) -> None:
    kinds = {service.descriptor.name for service in infra.services}
    assert kinds >= {
        "caddy", "cloudflared", "authelia", "prometheus", "alertmanager", "node-exporter", "smartctl-exporter", "cadvisor", "loki",
        "alloy", "grafana", "blackbox-exporter", "dead-man", "alert-bot", "tailscale", "jellyfin", "radarr", "sonarr", "prowlarr", "gluetun", "qbittorrent", "ollama", "open-webui",
    }  # fmt: skip
    assert {service.target for service in infra.services} == {"cortex", "synapse"}


@pytest.mark.lab
def test_the_programs_of_the_monitoring_take_theirs(
    programs: Path, files: dict[str, Files], tmp_path: Path
) -> None:
    prometheus = laid(tmp_path / "prometheus", files["prometheus"])
    checked(programs / "promtool", "check", "config", prometheus / "etc/prometheus/prometheus.yml")
    checked(programs / "promtool", "check", "rules", "--lint=all", "--lint-fatal", *sorted((prometheus / "etc/prometheus/rules").iterdir()))  # fmt: skip
    alertmanager = laid(tmp_path / "alertmanager", files["alertmanager"])
    checked(programs / "amtool", "check-config", alertmanager / "etc/alertmanager/alertmanager.yml")
    looks = laid(tmp_path / "looks", files["looks"]) / "etc/blackbox_exporter/blackbox.yml"
    checked(programs / "prometheus-blackbox-exporter", f"--config.file={looks}", "--config.check")


def test_caddy_takes_its_own(files: dict[str, Files], tmp_path: Path) -> None:
    """But for the line about Cloudflare, which takes a Caddy with that module."""
    text = files["front"][CADDYFILE]
    line = next(each for each in text.splitlines() if "acme_dns cloudflare" in each)
    validated(tmp_path, text.replace(line, ""))


def test_the_others_are_what_their_names_say(files: dict[str, Files]) -> None:
    readers: dict[str, Callable[[str], Any]] = {".yml": yaml.safe_load, ".yaml": yaml.safe_load, ".json": json.loads, ".toml": tomllib.loads}  # fmt: skip
    read = 0
    for service, own in files.items():
        for path, text in own.items():
            if (reader := readers.get(Path(path).suffix)) is not None:
                assert reader(text) is not None, (service, path)
                read += 1
    assert read >= 15


def test_no_secret_stands_where_it_would_be_seen(infra: Infra, secrets: FakeSecrets) -> None:
    for service in infra.services:
        made = entry(infra, service, contents(infra, service, secrets), "current")
        assert "a-secret-of-nobody" not in json.dumps(made), service.name
        plain = [
            piece
            for piece in contents(infra, service, secrets, values=True).pieces
            if not piece.secret
        ]
        assert not [piece.path for piece in plain if b"a-secret-of-nobody" in piece.content]
