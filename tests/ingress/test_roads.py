"""The ways to the door from elsewhere: Cloudflare's tunnel brings public names alone, and Tailscale's key is only ever in a file."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from freehold.providers.compose.desired import wanted
from freehold.system.secrets.fake import FakeSecrets
from tests.ingress.rendered import ESTATE, SECRETS, delivered, estate

NUMBER = "6ff42ae2-765d-4adf-8112-31c55c1551ef"
HERE = f"  tunnel: {{on: synapse, service: cloudflared, settings: {{tunnel: {NUMBER}}}}}\n    "
THERE = HERE.replace("synapse", "cortex")
TAILSCALE = "  net: {on: cortex, service: tailscale, settings: {hostname: home, routes: 10.100.0.0/16}}\n    "


def tunnel(folder: Path, text: str) -> dict[str, Any]:
    written = delivered(estate(folder, text), "tunnel", "/etc/cloudflared/config.yml")
    read: dict[str, Any] = yaml.safe_load(written)
    return read


def entry(folder: Path, text: str, name: str) -> Any:
    infra = estate(folder, text)
    service = infra.service(name)
    assert service is not None
    return wanted(infra, service, FakeSecrets(SECRETS)).entry


def test_public_names_alone_come_through_the_tunnel_and_all_others_end_in_it(
    tmp_path: Path,
) -> None:
    read = tunnel(tmp_path, ESTATE + HERE)
    *named, last = read["ingress"]
    assert {each["hostname"] for each in named} == {"media.example.org", "auth.example.org"}
    assert {each["service"] for each in named} == {"http://door:8081"}
    assert last == {"service": "http_status:404"}
    assert read["tunnel"] == NUMBER
    assert read["credentials-file"] == "/run/secrets/credentials"


def test_from_another_computer_it_enters_at_the_doors_own_port(tmp_path: Path) -> None:
    read = tunnel(tmp_path, ESTATE + THERE)
    assert read["ingress"][0]["service"] == "http://203.0.113.21:8081"
    infra = estate(tmp_path, ESTATE + THERE)
    door = infra.service("door")
    assert door is not None
    assert door.reached_from["tunnel"] == ("203.0.113.20",), "no other computer reaches it"


def test_without_a_tunnel_its_port_is_not_open(tmp_path: Path) -> None:
    for text in (ESTATE, ESTATE + HERE):
        door = estate(tmp_path, text).service("door")
        assert door is not None
        assert door.published.keys() == {"http", "https", "http3"}


def test_who_knocks_by_the_tunnel_is_in_a_network_with_the_door_alone(tmp_path: Path) -> None:
    made = entry(tmp_path, ESTATE + HERE, "tunnel")
    assert made["networks"] == ["monitoring", "tunnel"]
    assert "ports" not in made


@pytest.mark.allow("process")
def test_cloudflared_accepts_it(tmp_path: Path) -> None:
    program = shutil.which("cloudflared")
    if program is None:
        pytest.skip("not measured: there is no cloudflared on PATH")
    file = tmp_path / "config.yml"
    written = delivered(estate(tmp_path, ESTATE + HERE), "tunnel", "/etc/cloudflared/config.yml")
    file.write_text(written)
    argv = [program, "tunnel", "--config", str(file), "ingress", "validate"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_tailscale_joins_as_the_computer_and_its_key_is_in_no_environment(tmp_path: Path) -> None:
    made = entry(tmp_path, ESTATE + TAILSCALE, "net")
    assert made["network_mode"] == "host"
    assert made["cap_add"] == ["NET_ADMIN", "NET_RAW"]
    assert made["devices"] == ["/dev/net/tun"]
    variables = made["environment"]
    assert variables["TS_AUTHKEY"] == "file:/run/secrets/authkey"
    assert variables["TS_ACCEPT_DNS"] == "false"
    assert (variables["TS_HOSTNAME"], variables["TS_ROUTES"]) == ("home", "10.100.0.0/16")
    assert "tskey-auth-x" not in str(made)
