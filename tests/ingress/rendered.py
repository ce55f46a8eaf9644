"""The estate of these tests, and its files as they would be delivered. Called by all tests of this folder."""

import shutil
from pathlib import Path

from freehold.model import Infra
from freehold.providers.compose.content import contents
from freehold.system.secrets.fake import FakeSecrets
from tests.provider.estate import infra_of

CATALOG = Path(__file__).with_name("catalog")
CADDYFILE = "/etc/caddy/Caddyfile"

SECRETS = {
    "door_cloudflare_token": b"t" * 40,
    "login_password": b"correct horse",
    "login_session": b"s" * 64,
    "login_storage": b"e" * 64,
    "login_mail": b'with "quotes" and: colons',
    "login_users": b"users: {}\n",
    "db_password": b"of-the-database",
    "cache_password": b"of-the-cache",
    "tunnel_credentials": b'{"TunnelSecret": "x"}',
    "net_authkey": b"tskey-auth-x",
}

ESTATE = """
    freehold: 1
    name: maison
    hosts:
      cortex: {address: 203.0.113.20}
      synapse: {address: 203.0.113.21}
    services:
      door: {on: synapse, service: caddy, settings: {}}
      login:
        on: synapse
        service: authelia
        settings: {}
        expose: {host: auth.example.org, public: true, auth: none, reason: it is the login}
      films: {on: cortex, service: page, ports: {http: 8010}, expose: {host: media.example.org, public: true}}
      photos: {on: synapse, service: page, expose: {host: photos.example.org, auth: one_factor}}
      notes: {on: synapse, service: page, expose: {host: notes.example.org}}
    """


def estate(folder: Path, text: str = ESTATE) -> Infra:
    """What the text declares, with the descriptors of these tests."""
    shutil.copytree(CATALOG, folder / "catalog", dirs_exist_ok=True)
    return infra_of(folder, text)


def delivered(infra: Infra, name: str, path: str) -> str:
    """A file of a service, with its secrets."""
    service = infra.service(name)
    assert service is not None, name
    pieces = contents(infra, service, FakeSecrets(SECRETS), values=True).pieces
    return next(piece.content.decode() for piece in pieces if piece.path == path)


def with_settings(text: str, name: str, settings: str) -> str:
    """The estate with settings of a service, which stand in it as `settings: {}`, the first after its name."""
    before, found, after = text.partition(f"{name}:")
    assert found
    assert "settings: {}" in after, name
    return before + found + after.replace("settings: {}", f"settings: {settings}", 1)
