"""What the media center's containers are given: one folder, one network for the downloads, keys as files, and whom to talk to."""

import json
from pathlib import Path
from typing import Any

import pytest

from freehold.model import Infra
from freehold.providers.compose.desired import wanted
from freehold.system.secrets.fake import FakeSecrets
from tests.provider.estate import infra_of

ESTATE = """
    freehold: 1
    name: maison
    hosts:
      cortex: {address: 203.0.113.20}
      synapse: {address: 203.0.113.21}
    services:
      vpn: {on: cortex, service: gluetun, settings: {countries: Netherlands}}
      downloads: {on: cortex, service: qbittorrent, settings: {media: /mnt/disk}}
      radarr: {on: cortex, settings: {media: /mnt/disk}}
      sonarr: {on: synapse}
      prowlarr: {on: cortex}
      jellyfin: {on: cortex, settings: {media: /mnt/disk}}
      ollama: {on: synapse}
      chat: {on: cortex, service: open-webui}
    """
NAMES = ("vpn_private_key", "vpn_addresses", "vpn_preshared_key", "downloads_password", "radarr_api_key", "sonarr_api_key", "prowlarr_api_key", "chat_session")  # fmt: skip
SECRETS = {name: f"poison-of-{name}".encode() for name in NAMES}


@pytest.fixture
def infra(tmp_path: Path) -> Infra:
    return infra_of(tmp_path, ESTATE)


def entry(infra: Infra, name: str) -> Any:
    service = infra.service(name)
    assert service is not None
    return wanted(infra, service, FakeSecrets(SECRETS)).entry


def settings(infra: Infra, name: str, path: str) -> Any:
    service = infra.service(name)
    assert service is not None
    pieces = wanted(infra, service, FakeSecrets(SECRETS)).contents.pieces
    return json.loads(next(piece.content for piece in pieces if piece.path == path))


def test_downloads_have_no_network_but_the_vpns(infra: Infra) -> None:
    downloads = entry(infra, "downloads")
    assert downloads["network_mode"] == "service:vpn"
    assert not {"networks", "ports", "extra_hosts"} & set(downloads)
    vpn = entry(infra, "vpn")
    assert (vpn["cap_add"], vpn["devices"]) == (["NET_ADMIN"], ["/dev/net/tun"])
    assert vpn["ports"] == ["8080:8080/tcp"], "sonarr on the other host asks it"
    assert vpn["environment"]["SERVER_COUNTRIES"] == "Netherlands"
    assert settings(infra, "downloads", "/run/freehold/qbittorrent.json")["interface"] == "tun0"


def test_all_see_one_folder(infra: Infra) -> None:
    for name in ("downloads", "radarr", "jellyfin"):
        [mount] = [each for each in entry(infra, name)["volumes"] if each["target"] == "/media"]
        assert mount["source"] == "/mnt/disk"
        assert mount.get("read_only", False) is (name == "jellyfin")


def test_no_key_is_in_an_entry(infra: Infra) -> None:
    for service in infra.services:
        text = json.dumps(entry(infra, service.name))
        assert "poison-of" not in text
    assert entry(infra, "radarr")["environment"]["FILE__RADARR__AUTH__APIKEY"] == "/run/secrets/api_key"  # fmt: skip


@pytest.mark.parametrize(("name", "host", "category"), [("radarr", "vpn", "films"), ("sonarr", "203.0.113.20", "series")])  # fmt: skip
def test_each_knows_who_downloads(infra: Infra, name: str, host: str, category: str) -> None:
    wanted = settings(infra, name, "/run/freehold/arr.json")
    assert wanted["folder"] == f"/media/{category}"
    [client] = wanted["entries"]
    assert (client["fields"]["host"], client["fields"]["port"]) == (host, 8080)
    assert category in client["fields"].values()


def test_prowlarr_serves_both(infra: Infra) -> None:
    [films, series] = settings(infra, "prowlarr", "/run/freehold/arr.json")["entries"]
    assert films["fields"]["baseUrl"] == "http://radarr:7878"
    assert series["fields"]["baseUrl"] == "http://203.0.113.21:8989"


def test_the_chat_asks_the_models_of_the_other_host(infra: Infra) -> None:
    assert entry(infra, "chat")["environment"]["OLLAMA_BASE_URL"] == "http://203.0.113.21:11434"
