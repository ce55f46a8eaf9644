"""The Caddyfile that the catalog makes: Caddy accepts each kind of it, and whoever may not open a name has no way to it."""

import json
from pathlib import Path
from typing import Any

import pytest

from freehold.config.catalog.templates import fill_in
from freehold.providers.compose.desired import wanted
from freehold.system.secrets.fake import FakeSecrets
from freehold.wiring.context import context
from tests.ingress import caddy
from tests.ingress.rendered import CADDYFILE, ESTATE, SECRETS, delivered, estate, with_settings

pytestmark = pytest.mark.allow("process")

NOTHING_SHOWN = """
    freehold: 1
    name: maison
    hosts:
      synapse: {address: 203.0.113.21}
    services:
      door: {on: synapse, service: caddy, settings: {}}
    """
KINDS = {
    "internal": "{}",
    "acme": "{certificates: acme, email: anna@example.org}",
    "off": '{certificates: "off"}',
    "narrow": "{inside: 192.168.1.0/24 fd00::/8}",
    "besides": "{site: shop.example.org, upstream: 'shop:8080'}",
    "files": "{site: pages.example.org}",
    "port": "{upstream: 'shop:8080'}",
}


def caddyfile(folder: Path, text: str = ESTATE, settings: str = "{}") -> str:
    return delivered(estate(folder, with_settings(text, "door", settings)), "door", CADDYFILE)


def sites(read: dict[str, Any], port: int) -> dict[str, list[Any]]:
    """What Caddy does at a port, by the name that is asked for; under the empty name, for all others."""
    servers = read["apps"]["http"]["servers"].values()
    (server,) = (each for each in servers if each["listen"] == [f":{port}"])
    found: dict[str, list[Any]] = {}
    for route in server["routes"]:
        for host in [h for match in route.get("match", ({},)) for h in match.get("host", ("",))]:
            found[host] = route["handle"]
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", [ESTATE, NOTHING_SHOWN], ids=["shown", "nothing"])
def test_caddy_accepts_it(tmp_path: Path, text: str, kind: str) -> None:
    said = caddy.validated(tmp_path, caddyfile(tmp_path, text, KINDS[kind]))
    assert "Valid configuration" in said


def test_what_is_asked_for_by_cloudflare_is_asked_for_once_for_all_names(tmp_path: Path) -> None:
    """Debian's Caddy has not the module that speaks with Cloudflare: all but that line is judged."""
    text = caddyfile(tmp_path, settings="{certificates: cloudflare}")
    line = "\tacme_dns cloudflare {file./run/secrets/cloudflare_token}\n"
    assert line in text
    assert "t" * 40 not in text, "the token itself stays in its file"
    assert text.count("https://*.example.org {") == 1
    caddy.validated(tmp_path, text.replace(line, ""))


def test_the_token_is_delivered_with_that_choice_alone(tmp_path: Path) -> None:
    without = estate(tmp_path).service("door")
    assert without is not None
    assert without.secrets == {}
    chosen = with_settings(ESTATE, "door", "{certificates: cloudflare}")
    with_it = estate(tmp_path, chosen).service("door")
    assert with_it is not None
    assert with_it.secrets == {"cloudflare_token": "door_cloudflare_token"}


def test_the_tunnel_finds_public_names_alone(tmp_path: Path) -> None:
    read = caddy.adapted(tmp_path, caddyfile(tmp_path))
    shown = sites(read, 8081)
    assert shown.keys() == {"media.example.org", "auth.example.org", ""}
    assert "abort" in json.dumps(shown[""])
    assert sites(read, 443).keys() >= {"notes.example.org", "photos.example.org"}


def test_names_that_are_not_public_look_at_the_address_first(tmp_path: Path) -> None:
    read = caddy.adapted(tmp_path, caddyfile(tmp_path, settings="{inside: 192.168.1.0/24}"))
    for port in (80, 443):
        for host, public in (("media", True), ("auth", True), ("notes", False), ("photos", False)):
            done = json.dumps(sites(read, port)[f"{host}.example.org"])
            guard = '{"not": [{"remote_ip": {"ranges": ["192.168.1.0/24"]}}]}'
            assert (guard in done) is not public, (port, host)
            answer = "reverse_proxy" if port == 443 else '"status_code": 308'
            assert public or done.index(guard) < done.index(answer)


def test_what_has_a_login_is_served_after_it_and_nothing_else_is(tmp_path: Path) -> None:
    read = caddy.adapted(tmp_path, caddyfile(tmp_path))
    for port, host, asked in (
        (443, "media", True),
        (443, "photos", True),
        (443, "notes", False),
        (443, "auth", False),
        (8081, "media", True),
        (8081, "auth", False),
    ):
        done = json.dumps(sites(read, port)[f"{host}.example.org"])
        assert ("/api/authz/forward-auth" in done) is asked, (port, host)
        assert done.index('"delete": ["Remote*"]') < done.index("reverse_proxy")


def test_without_a_service_for_the_login_nothing_behind_one_is_served(tmp_path: Path) -> None:
    """infra.yml with such an estate is refused; the file of an older one must not be open either."""
    lines = caddyfile(tmp_path).splitlines()
    assert sum("forward_auth login:9091" in line for line in lines) == 3
    infra = estate(tmp_path)
    door = infra.service("door")
    assert door is not None
    (template,) = (file.content for file in door.descriptor.files if file.path == CADDYFILE)
    text = fill_in(template, {**context(infra, door), "needs": {"login": None}})
    assert "forward_auth" not in text
    assert text.count('respond "There is no login for this name." 503') == 3
    caddy.validated(tmp_path, text)


def test_it_reaches_what_has_an_ipv6_address(tmp_path: Path) -> None:
    """A login and a page on another host."""
    text = ESTATE.replace("203.0.113.20", "2001:db8::20").replace(
        "login:\n        on: synapse", "login:\n        on: cortex"
    )
    done = json.dumps(sites(caddy.adapted(tmp_path, caddyfile(tmp_path, text)), 443)["media.example.org"])  # fmt: skip
    assert '"dial": "[2001:db8::20]:9091"' in done
    assert '"dial": "[2001:db8::20]:8010"' in done


def test_nobody_but_the_container_itself_reaches_what_changes_it(tmp_path: Path) -> None:
    read = caddy.adapted(tmp_path, caddyfile(tmp_path))
    assert read["admin"]["listen"] == "localhost:2019"


def test_its_ports_show_whence_a_client_comes(tmp_path: Path) -> None:
    """Docker's own proxy, which serves IPv6, would make every client look like one from inside."""
    infra = estate(tmp_path)
    door = infra.service("door")
    assert door is not None
    entry = wanted(infra, door, FakeSecrets(SECRETS)).entry
    assert entry["ports"] == ["0.0.0.0:80:80/tcp", "0.0.0.0:443:443/tcp", "0.0.0.0:443:443/udp"]
    assert {"tunnel", "web", "monitoring"} == set(entry["networks"])
