"""What the media center's containers are given: one folder, one network for the downloads, keys as files, and whom to talk to."""

import json
from pathlib import Path
from typing import Any

import pytest

from freehold.config.load import load
from freehold.model import Infra
from freehold.providers.compose.content import contents
from freehold.providers.compose.desired import wanted
from freehold.system.secrets.fake import FakeSecrets
from freehold.wiring.estate import Estate
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
      prowlarr: {on: cortex, ports: {http: 9700}}
      films-figures: {on: cortex, service: exportarr}
      series-figures: {on: cortex, service: exportarr, settings: {of: sonarr}}
      looks: {on: cortex, service: prometheus}
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
    assert films["fields"] == {"baseUrl": "http://radarr:7878", "prowlarrUrl": "http://prowlarr:9696"}  # fmt: skip
    assert series["fields"] == {"baseUrl": "http://203.0.113.21:8989", "prowlarrUrl": "http://203.0.113.20:9700"}  # fmt: skip


def test_who_is_to_ask_prowlarr_reaches_it(infra: Infra) -> None:
    """Sonarr on the other host fetches from it what it found; nobody else comes in."""
    prowlarr = infra.service("prowlarr")
    assert prowlarr is not None
    assert (prowlarr.published, prowlarr.reached_from) == ({"http": 9700}, {"http": ("203.0.113.21",)})  # fmt: skip
    assert entry(infra, "prowlarr")["ports"] == ["9700:9696/tcp"]


def test_no_port_is_said_to_be_open_for_nobody(tmp_path: Path, infra: Infra) -> None:
    said = {each.code for each in load(tmp_path).diagnostics}
    assert not said & {"closed-port", "unclear-need", "unreached-service"}


@pytest.mark.parametrize(
    ("name", "url", "key"),
    [
        ("films-figures", "http://radarr:7878", "/run/secrets/radarr"),
        ("series-figures", "http://203.0.113.21:8989", "/run/secrets/sonarr"),
    ],
)
def test_each_exporter_measures_its_program(infra: Infra, name: str, url: str, key: str) -> None:
    made = entry(infra, name)
    assert made["command"] == [key.rpartition("/")[2]]
    assert made["environment"] == {"PORT": "9707", "URL": url, "API_KEY_FILE": key}
    service = infra.service(name)
    assert service is not None
    [secret] = [each for each in contents(infra, service, FakeSecrets(SECRETS), values=True).pieces if each.secret]  # fmt: skip
    assert (secret.path, secret.owner, secret.mode) == (key, "65532:65532", "0400"), "its image's user reads it"  # fmt: skip
    assert secret.content == SECRETS[f"{key.rpartition('/')[2]}_api_key"]
    looks = infra.service("looks")
    assert looks is not None
    assert name in {each["service"] for each in Estate(infra, looks).scrapes}


def test_an_image_is_one_that_its_makers_publish(infra: Infra) -> None:
    """Of Jellyfin there is no tag that is the bare version."""
    assert entry(infra, "jellyfin")["image"] == "lscr.io/linuxserver/jellyfin:version-12.1ubu2604"


def test_the_first_account_of_the_chat_can_be_made_and_no_other(infra: Infra) -> None:
    made = entry(infra, "chat")["environment"]
    assert (made["ENABLE_INITIAL_ADMIN_SIGNUP"], made["ENABLE_SIGNUP"]) == ("true", "false")


def test_the_chat_asks_the_models_of_the_other_host(infra: Infra) -> None:
    assert entry(infra, "chat")["environment"]["OLLAMA_BASE_URL"] == "http://203.0.113.21:11434"
