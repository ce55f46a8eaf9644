"""Two computers with all of the catalog's monitoring, and the files that come of it. Used by the tests of this folder."""

import textwrap
from collections.abc import Mapping
from pathlib import Path

from freehold.providers.compose.content import contents
from freehold.providers.compose.entry import Entry, entry
from freehold.system.secrets.fake import FakeSecrets
from tests.provider.estate import infra_of

TOKEN = b"123456:a-token-of-nobody"
OF_NOBODY = ("grafana_password", "db_password", "db_monitoring", "cache_password", "cache_monitoring")  # fmt: skip
SECRETS = FakeSecrets({"telegram_token": TOKEN, **dict.fromkeys(OF_NOBODY, b"a")})
CHAT = "-1001234567890"

ORION = f"""
    freehold: 1
    name: orion
    hosts:
      cortex: {{address: 203.0.113.20}}
      synapse: {{address: 203.0.113.21, arch: arm64}}
    services:
      prometheus: {{on: cortex}}
      alertmanager: {{on: cortex}}
      grafana: {{on: cortex, expose: {{host: grafana.example.org}}}}
      loki: {{on: cortex}}
      looks: {{on: cortex, service: blackbox-exporter}}
      front: {{on: cortex, service: caddy}}
      watchman: {{on: synapse, service: dead-man}}
      db: {{on: synapse, service: postgresql}}
      node-cortex: {{on: cortex, service: node-exporter}}
      node-synapse: {{on: synapse, service: node-exporter}}
      disks-synapse: {{on: synapse, service: smartctl-exporter}}
      containers-synapse: {{on: synapse, service: cadvisor}}
      logs-cortex: {{on: cortex, service: alloy}}
      logs-synapse: {{on: synapse, service: alloy}}
    alerts: {{telegram: {{chat: "{CHAT}", token: telegram_token}}}}
    """

DOORS = f"""
    freehold: 1
    name: doors
    hosts:
      cortex: {{address: 203.0.113.20}}
      synapse: {{address: 203.0.113.21}}
    services:
      prometheus: {{on: cortex}}
      loud: {{on: cortex, service: alertmanager, settings: {{wait: 2s, interval: 1s}}, expose: {{host: alerts.example.org}}}}
      grafana: {{on: cortex, expose: {{host: grafana.example.org}}}}
      numbers: {{on: synapse, service: prometheus, expose: {{host: numbers.example.org}}}}
      front: {{on: cortex, service: caddy}}
      looks: {{on: cortex, service: blackbox-exporter}}
      far: {{on: synapse, service: blackbox-exporter}}
    alerts: {{telegram: {{chat: "{CHAT}", token: telegram_token}}}}
    """
"""Two that look, and a proxy with three names."""

Files = Mapping[str, str]


def rendered(folder: Path, text: str = ORION) -> dict[str, Files]:
    """The configuration files of each service as its container has them, by path."""
    infra = infra_of(folder, textwrap.dedent(text))
    found: dict[str, Files] = {}
    for service in infra.services:
        pieces = contents(infra, service, SECRETS, values=True).pieces
        found[service.name] = {piece.path: piece.content.decode() for piece in pieces}
    return found


def entries(folder: Path, text: str = ORION) -> dict[str, Entry]:
    """What Compose is told of each service."""
    infra = infra_of(folder, textwrap.dedent(text))
    return {
        service.name: entry(infra, service, contents(infra, service, SECRETS), "current")
        for service in infra.services
    }
