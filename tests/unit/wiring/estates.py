"""Estates with services that know of each other, for the tests of what follows from them."""

import textwrap
from pathlib import Path
from typing import Any

import yaml

from freehold.model import Infra
from freehold.model.services import Service
from freehold.providers.compose.desired import compose_texts, wanted
from freehold.system.secrets.fake import FakeSecrets
from freehold.wiring.estate import Estate
from tests.provider.estate import infra_of

CATALOG = Path(__file__).with_name("catalog")
SECRETS = FakeSecrets({"telegram_token": b"a-token-that-is-nowhere"})


def estate(folder: Path, text: str) -> Infra:
    """The estate that `text` declares, with the catalog of these tests."""
    if not (folder / "catalog").exists():
        (folder / "catalog").symlink_to(CATALOG)
    return infra_of(folder, textwrap.dedent(text))


def service(infra: Infra, name: str) -> Service:
    found = infra.service(name)
    assert found is not None, name
    return found


def seen_by(infra: Infra, name: str) -> Estate:
    """`estate` in the templates of a service."""
    return Estate(infra, service(infra, name))


def file_of(infra: Infra, name: str, path: str) -> str:
    """A configuration file of a service, filled in."""
    pieces = wanted(infra, service(infra, name), SECRETS).contents.pieces
    return next(piece.content.decode() for piece in pieces if piece.path == path)


def entries(infra: Infra) -> dict[str, Any]:
    """The entries of all Compose files, as a YAML parser reads them."""
    services = {each.name: wanted(infra, each, SECRETS) for each in infra.services}
    found: dict[str, Any] = {}
    for text in compose_texts(infra, services).values():
        found |= yaml.safe_load(text)["services"]
    return found
