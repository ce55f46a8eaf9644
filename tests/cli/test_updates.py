"""`freehold updates` of a host that does not answer: what runs there is not known, and that is what it says."""

import json
import socket
from pathlib import Path

import pytest

from tests.cli.conftest import Freehold


@pytest.fixture
def _estate(tmp_path: Path) -> None:
    """One host, at a port of this computer where nobody listens, with two services."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (tmp_path / "infra.yml").write_text(
        "freehold: 1\nname: pis\n"
        f"hosts: {{cortex: {{address: 127.0.0.1, ssh: {{port: {port}}}}}}}\n"
        "services: {cache: {service: redis, on: cortex}, bench: {service: redis, on: cortex}}\n"
    )


@pytest.mark.usefixtures("_estate")
def test_nothing_is_called_new_that_nobody_looked_at(freehold: Freehold) -> None:
    done = freehold("updates")
    assert done.returncode == 0, done.stderr
    assert "Everything runs in the version of the catalog" not in done.stdout
    assert "Not known of 2 of 2 services, on cortex" in done.stdout
    assert "A host does not answer by SSH" in done.stderr
    assert "Versions of the catalog as of 20" in done.stdout


@pytest.mark.usefixtures("_estate")
def test_nor_as_json(freehold: Freehold) -> None:
    document = json.loads(freehold("updates", "--json").stdout)
    assert {(each["known"], each["running"]) for each in document["services"]} == {(False, None)}
    status = json.loads(freehold("status", "--json").stdout)
    assert {each["known"] for each in status["updates"]} == {False}
    assert status["catalog_as_of"] == document["catalog_as_of"]
