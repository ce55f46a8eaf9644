"""What services reach because of what they are: policies, open ports and optional needs follow, and nothing more than that."""

from pathlib import Path

import pytest

from freehold.config.load import load
from freehold.model import Infra, Policy, Protocol
from freehold.model.traffic import Declaration, Flow
from freehold.providers.compose.desired import wanted
from freehold.providers.secrets.needs import needed_secrets
from freehold.system.secrets.fake import FakeSecrets
from tests.provider.estate import infra_of

METER = """\
title: Meter
description: Measures all others
version: "1"
container: {image: registry.example.org/meter}
ports: {http: {number: 9090, network: monitoring}}
reaches: [metrics]
needs: {alerts: {service: teller, optional: true}}
"""
TELLER = """\
title: Teller
description: Sends messages
version: "1"
container: {image: registry.example.org/teller}
ports: {http: {number: 9093, network: monitoring}}
secrets:
  token: {description: Of the bot, from: alerts.telegram.token}
  key: {description: Of somebody else, generated: false}
  own: {description: Its own}
"""
APP = """\
title: App
description: A web program
version: "1"
container: {image: registry.example.org/app}
ports:
  http: {number: 8000, network: web}
  metrics: {number: 8001, network: monitoring}
metrics: {port: metrics}
"""
APART = """
    freehold: 1
    name: test
    domains:
      watch: {subnet_id: 1, trust: %s, machines: {tower: {ip: 10.100.1.10}}}
      shop: {subnet_id: 2, machines: {front: {ip: 10.100.2.10}}}
    hosts:
      cortex: {address: 203.0.113.20}
    services:
      meter: {on: watch/tower}
      app: {on: shop/front, ports: {metrics: 9001}}
      far: {on: cortex, service: app, from: {metrics: [192.0.2.1]}}
    """
FOLLOWS = Policy(
    source="watch/tower", target="shop/front", protocol=Protocol.TCP, ports=((9001, 9001),),
    reason="meter reads what app measures", follows=True,
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "catalog").mkdir()
    for name, text in (("meter", METER), ("teller", TELLER), ("app", APP)):
        (tmp_path / "catalog" / f"{name}.yml").write_text(text)
    return tmp_path


def test_the_policy_follows(folder: Path) -> None:
    infra = infra_of(folder, APART % "trusted")
    assert infra.policies == (FOLLOWS,)
    asked = Flow(source="watch/tower", target="shop/front", protocol=Protocol.TCP, port=9001)
    assert Declaration(infra).permission(asked) == (
        "follows from services: meter reads what app measures"
    )
    back = Flow(source="shop/front", target="watch/tower", protocol=Protocol.TCP, port=9001)
    assert Declaration(infra).permission(back) is None


@pytest.mark.parametrize(
    ("trust", "policies"),
    [
        ("admin", ""),
        ("trusted", "    policies:\n      - {from: watch, to: shop, ports: ['9000-9100']}\n"),
    ],
)
def test_what_may_pass_anyway_gets_no_policy_more(folder: Path, trust: str, policies: str) -> None:
    infra = infra_of(folder, APART % trust + "\n" + policies)
    assert FOLLOWS not in infra.policies
    assert len(infra.policies) == (1 if policies else 0)


def test_a_domain_without_the_internet_stays_without_it(folder: Path) -> None:
    """What opens the way to one computer outside opens it to all there: only the user can say so."""
    text = APART % "trusted, internet: false"
    infra = infra_of(folder, text)
    assert infra.policies == (FOLLOWS,)
    meter = infra.service("meter")
    assert meter is not None
    assert meter.reaches == {"app": ("metrics",)}
    assert [each.code for each in load(folder).diagnostics] == ["unreached-service", "nobody-told"]
    said = "    policies:\n      - {from: watch, to: internet, ports: [8001]}\n"
    meter = infra_of(folder, text + "\n" + said).service("meter")
    assert meter is not None
    assert meter.reaches == {"app": ("metrics",), "far": ("metrics",)}


def test_a_need_asks_for_its_policy_still(folder: Path) -> None:
    (folder / "catalog" / "app.yml").write_text(APP + "needs: {meter: {service: meter}}\n")
    (folder / "infra.yml").write_text(APART % "trusted")
    assert "blocked-need" in {each.code for each in load(folder).diagnostics}


def meter_of(infra: Infra) -> dict[str, str]:
    service = infra.service("meter")
    assert service is not None
    return dict(service.needs)


def test_an_optional_need_is_met_when_one_is_there(folder: Path) -> None:
    assert meter_of(infra_of(folder, APART % "trusted")) == {}
    one = APART % "trusted" + "  teller: {on: watch/tower}\n"
    assert meter_of(infra_of(folder, one)) == {"alerts": "teller"}
    two = one + "      other: {on: watch/tower, service: teller}\n"
    assert meter_of(infra_of(folder, two)) == {}, "which of them cannot be guessed"
    assert [each.code for each in load(folder).diagnostics] == ["unclear-need", "nobody-told"]
    chosen = two.replace("meter: {on: watch/tower}", "meter: {on: watch/tower, needs: {alerts: other}}")  # fmt: skip
    assert meter_of(infra_of(folder, chosen)) == {"alerts": "other"}


def test_a_token_is_the_users_and_is_never_generated(folder: Path) -> None:
    text = APART % "trusted" + "  teller: {on: watch/tower}\n"
    without = needed_secrets(infra_of(folder, text))
    assert {name: each.length for name, each in without.items()} == {"teller_key": None, "teller_own": 32}  # fmt: skip
    told = text + '    alerts: {telegram: {chat: "-100123", token: !secret bot}}\n'
    infra = infra_of(folder, told)
    assert infra.alerting is not None
    assert infra.alerting.telegram is not None
    assert infra.alerting.telegram.api == "https://api.telegram.org"
    found = needed_secrets(infra)
    assert (found["bot"].length, found["bot"].services) == (None, ("teller",))


def test_a_port_opens_for_whoever_has_the_targets_own_network(folder: Path) -> None:
    """He is in no network of Docker's, so he reaches only what is open there."""
    at_home = METER.replace("meter}", "meter, host_network: true}")
    (folder / "catalog" / "meter.yml").write_text(at_home)
    text = """
        freehold: 1
        name: test
        hosts:
          cortex: {address: 203.0.113.20}
        services:
          meter: {on: cortex, from: {http: [203.0.113.0/24]}}
          app: {on: cortex}
        """
    app = infra_of(folder, text).service("app")
    assert app is not None
    assert app.published == {"metrics": 8001}


FINDER = """\
title: Finder
description: Finds for an app, which fetches from it
version: "1"
container:
  image: registry.example.org/finder
  environment: {OWN: "http://{{ needs.app.calls_back.http }}", ITS: "http://{{ needs.app.addresses.http }}"}
ports:
  http: {number: 9696, network: media}
  other: {number: 9697, network: media}
needs: {app: {service: app, calls_back: [http]}}
"""


def finder(folder: Path, text: str) -> tuple[Infra, dict[str, str]]:
    """The estate, and what the finder tells."""
    (folder / "catalog" / "finder.yml").write_text(FINDER)
    infra = infra_of(folder, text)
    service = infra.service("finder")
    assert service is not None
    return infra, dict(wanted(infra, service, FakeSecrets()).entry["environment"])


def test_who_is_needed_connects_back(folder: Path) -> None:
    """Beside by its name; from elsewhere at its computer, where the port is open to that one alone. Nobody waits for it."""
    text = """
        freehold: 1
        name: test
        hosts: {cortex: {address: 203.0.113.20}, synapse: {address: "2001:db8::21"}}
        services:
          app: {on: cortex}
          finder: {on: %s}
        """
    infra, told = finder(folder, text % "cortex")
    assert told == {"OWN": "http://finder:9696", "ITS": "http://app:8000"}
    infra, told = finder(folder, text % "synapse, ports: {http: 9700}")
    assert told == {"OWN": "http://[2001:db8::21]:9700", "ITS": "http://203.0.113.20:8000"}
    found, app = infra.service("finder"), infra.service("app")
    assert found is not None
    assert app is not None
    assert (found.published, found.reached_from) == ({"http": 9700}, {"http": ("203.0.113.20",)})
    assert (app.needs, app.reaches) == ({}, {"finder": ("http",)})
    assert [each.code for each in load(folder).diagnostics] == []


def test_the_policy_back_follows(folder: Path) -> None:
    text = """
        freehold: 1
        name: test
        domains:
          watch: {subnet_id: 1, machines: {tower: {ip: 10.100.1.10}}}
          shop: {subnet_id: 2, machines: {front: {ip: 10.100.2.10}}}
        policies:
          - {from: watch, to: shop, ports: [8000], reason: finder needs app}
        services:
          finder: {on: watch/tower}
          app: {on: shop/front}
        """
    infra, _ = finder(folder, text)
    assert infra.policies[1:] == (
        Policy(source="shop/front", target="watch/tower", protocol=Protocol.TCP, ports=((9696, 9696),), reason="app asks finder in turn", follows=True),
    )  # fmt: skip
