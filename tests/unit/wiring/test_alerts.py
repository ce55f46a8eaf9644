"""Who is told of what, and what is not told because something else says it all."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import yaml

from freehold.config.load import load
from freehold.diagnostics import ConfigError
from freehold.model import Infra
from tests.unit.wiring.estates import CATALOG, SECRETS, estate, file_of, seen_by, service

ESTATE = """
    freehold: 1
    name: maison
    hosts:
      cortex: {address: 203.0.113.20}
      synapse: {address: 203.0.113.21}
    services:
      meter: {on: cortex}
      teller: {on: cortex}
      store: {on: synapse}
      shop: {on: cortex}
      stall: {on: synapse, service: shop}
      node: {on: synapse, service: node-exporter}
    alerts: {telegram: {chat: "-1001234567890", token: !secret telegram_token, api: "http://127.0.0.1:8081/"}}
    """


def rules(infra: Infra) -> dict[tuple[str, str], dict[str, Any]]:
    """By name and service or target."""
    found = yaml.safe_load(file_of(infra, "meter", "/etc/meter/rules.yml"))
    return {
        (each["alert"], each["labels"].get("service", each["labels"]["target"])): each
        for each in found
    }


def test_a_service_that_does_not_answer_is_told(tmp_path: Path) -> None:
    found = rules(estate(tmp_path, ESTATE))
    assert found["ServiceDown", "stall"] == {
        "alert": "ServiceDown",
        "expr": 'up{service="stall",prober=""} == 0',
        "for": "2m",
        "labels": {"severity": "critical", "service": "stall", "target": "synapse"},
        "annotations": {"summary": "stall on synapse does not answer at 203.0.113.21:8001"},
    }
    assert ("ServiceDown", "store") not in found, "nobody measures it"
    assert ("ServiceDown", "meter") not in found, "it would not be there to tell"


def test_a_computer_is_down_when_nothing_on_it_answers(tmp_path: Path) -> None:
    found = rules(estate(tmp_path, ESTATE))
    down = found["HostDown", "synapse"]
    assert down["expr"] == 'max by (target) (up{target="synapse",prober=""}) == 0'
    assert ("HostDown", "cortex") not in found, "there one program would be taken for the computer"


def test_alerts_of_a_service_are_about_it_or_about_their_series(tmp_path: Path) -> None:
    found = rules(estate(tmp_path, ESTATE))
    slow = found["shop-slow", "stall"]
    assert (slow["expr"], slow["for"]) == ('slow{service="stall"} > 1', "90s")
    assert slow["labels"] == {"severity": "warning", "service": "stall", "target": "synapse"}
    assert slow["annotations"] == {"summary": "stall is slow"}
    long = [each for (name, _), each in found.items() if name == "queue-long"]
    assert [each["labels"]["service"] for each in long] == [
        "{{ with $labels.service }}{{ . }}{{ else }}shop{{ end }}",
        "{{ with $labels.service }}{{ . }}{{ else }}stall{{ end }}",
    ]
    assert {each["for"] for each in long} == {"1h"}


def test_an_alert_that_cannot_be_filled_in_is_named(tmp_path: Path) -> None:
    infra = estate(tmp_path, ESTATE)
    shop = service(infra, "shop")
    broken = dataclasses.replace(shop.descriptor.alerts[0], summary="{{ settings.nothing }}")
    descriptor = dataclasses.replace(shop.descriptor, alerts=(broken,))
    services = tuple(
        dataclasses.replace(each, descriptor=descriptor) if each is shop else each
        for each in infra.services
    )
    with pytest.raises(ConfigError) as caught:
        rules(dataclasses.replace(infra, services=services))
    [problem] = caught.value.diagnostics
    assert "the alert shop-slow of shop: " in problem.detail


def test_what_is_down_hides_what_needs_it(tmp_path: Path) -> None:
    found = seen_by(estate(tmp_path, ESTATE), "teller").inhibitions
    hidden = [(each["source_matchers"], each["target_matchers"], each.get("equal")) for each in found]  # fmt: skip
    assert (['alertname="HostDown"'], ['alertname!="HostDown"'], ["target"]) in hidden
    assert (['alertname="HostDown"', 'target="synapse"'], ['service=~"shop"'], None) in hidden
    assert (
        ['alertname=~"ServiceDown|ProbeFailed"', 'service="store"'], ['service=~"shop|stall"'], None
    ) in hidden  # fmt: skip
    assert not any('target="cortex"' in sources for sources, _, _ in hidden), "nobody needs it"


def test_what_can_do_without_is_not_hidden(tmp_path: Path) -> None:
    text = ESTATE.replace("teller: {on: cortex}", "teller: {on: cortex}\n      proxy: {on: synapse}\n      gate: {on: cortex}")  # fmt: skip
    hidden = seen_by(estate(tmp_path, text), "teller").inhibitions
    assert service(estate(tmp_path, text), "proxy").needs == {"login": "gate"}
    assert "proxy" not in str(hidden)


def test_a_login_that_is_down_hides_the_names_behind_it_alone(tmp_path: Path) -> None:
    infra = estate(tmp_path, """
    freehold: 1
    name: maison
    hosts:
      cortex: {address: 203.0.113.20}
      synapse: {address: 203.0.113.21}
    services:
      proxy: {on: cortex}
      gate: {on: synapse, expose: {host: login.example.org, public: true, auth: none, reason: it is the login}}
      prober: {on: cortex}
      teller: {on: cortex}
      store: {on: cortex}
      shop: {on: cortex, expose: {host: shop.example.org, public: true}}
      stall: {on: cortex, service: shop, expose: {host: stall.example.org}}
    """)  # fmt: skip
    hidden = [each["source_matchers"] for each in seen_by(infra, "teller").inhibitions if each["target_matchers"]
              == ['alertname="NameFailed"', 'ingress="proxy"', 'service=~"shop"']]  # fmt: skip
    assert hidden == [
        ['alertname=~"ServiceDown|ProbeFailed"', 'service="gate"'],
        ['alertname="HostDown"', 'target="synapse"'],
    ]


BEHIND = """
    freehold: 1
    name: maison
    hosts:
      cortex: {address: 203.0.113.20}
      synapse: {address: 203.0.113.21}
    services:
      proxy: {on: cortex}
      gate: {on: synapse, expose: {host: login.example.org, public: true, auth: none, reason: it is the login}}
      prober: {on: cortex}
      far: {on: synapse, service: prober}
      meter: {on: cortex}
      teller: {on: cortex}
      store: {on: cortex}
      shop: {on: cortex, expose: {host: shop.example.org, public: true}}
      stall: {on: cortex, service: shop, ports: {http: 8002}, expose: {host: stall.example.org, auth: one_factor}}
    """
OUTSIDE = ("IngressFailed", "NameFailed", "ProbeFailed", "ProbesDiffer")
INGRESS_FAILED = ['alertname="IngressFailed"', 'service="proxy"']


def test_a_login_that_is_down_hides_a_proxy_all_of_whose_names_are_behind_it(
    tmp_path: Path,
) -> None:
    def causes(text: str) -> list[list[str]]:
        hidden = seen_by(estate(tmp_path, text), "teller").inhibitions
        return [each["source_matchers"] for each in hidden if each["target_matchers"] == INGRESS_FAILED]  # fmt: skip

    assert causes(BEHIND) == [
        ['alertname=~"ServiceDown|ProbeFailed"', 'service="gate"'],
        ['alertname="HostDown"', 'target="synapse"'],
    ]
    assert causes(BEHIND.replace(", auth: one_factor", "")) == [], "one is served without it"


def test_a_proxy_that_serves_nothing_hides_its_names_and_is_hidden_when_it_is_down(
    tmp_path: Path,
) -> None:
    infra = estate(tmp_path, BEHIND)
    hidden = [(each["source_matchers"], each["target_matchers"], each.get("equal")) for each in seen_by(infra, "teller").inhibitions]  # fmt: skip
    of_names = ['alertname="NameFailed"', 'ingress="proxy"']
    assert (
        ['alertname=~"ServiceDown|ProbeFailed|IngressFailed"', 'service="proxy"'],
        of_names,
        None,
    ) in hidden
    both = ['alertname=~"ProbeFailed|IngressFailed"']
    assert (['alertname=~"ServiceDown|ProbeFailed"'], both, ["service"]) in hidden


def test_what_is_seen_from_outside_is_told_once_after_what_it_follows_from(tmp_path: Path) -> None:
    found = yaml.safe_load(file_of(estate(tmp_path, BEHIND), "meter", "/etc/meter/rules.yml"))
    told = [(each["alert"], each["labels"]["service"], each["for"]) for each in found if each["alert"] in {"ServiceDown", *OUTSIDE}]  # fmt: skip
    assert sorted(told) == [
        ("IngressFailed", "proxy", "3m"),
        *(("NameFailed", name, "210s") for name in ("gate", "shop", "stall")),
        *(
            ("ProbeFailed", name, "150s")
            for name in ("gate", "proxy", "shop", "stall", "store", "teller")
        ),
        ("ProbesDiffer", "far", "5m"),
        ("ProbesDiffer", "prober", "5m"),
        *(("ServiceDown", name, "2m") for name in ("far", "prober", "shop", "stall")),
    ]
    one = BEHIND.replace("gate: {on: synapse, expose: {host: login.example.org, public: true, auth: none, reason: it is the login}}", "")  # fmt: skip
    one = one.replace(", auth: one_factor", "").replace(", expose: {host: shop.example.org, public: true}", "").replace("far: {on: synapse, service: prober}", "")  # fmt: skip
    again = yaml.safe_load(file_of(estate(tmp_path, one), "meter", "/etc/meter/rules.yml"))
    assert [(each["alert"], each["labels"]["service"]) for each in again if each["alert"] in OUTSIDE] == [
        *(("ProbeFailed", name) for name in ("proxy", "stall", "store", "teller")),
        ("NameFailed", "stall"),
    ]  # fmt: skip


def test_what_measures_nothing_and_has_no_name_is_looked_at_by_its_port(tmp_path: Path) -> None:
    infra = estate(tmp_path, BEHIND)
    (rule,) = (
        each
        for each in yaml.safe_load(file_of(infra, "meter", "/etc/meter/rules.yml"))
        if each["alert"] == "ProbeFailed" and each["labels"]["service"] == "store"
    )
    summary = rule["annotations"]["summary"]
    target, address = service(infra, "store").target, "tcp://203.0.113.20:7000"
    assert summary == f"store on {target} does not answer at {address} or tcp://store:7000"
    hidden = [(each["source_matchers"], each["target_matchers"]) for each in seen_by(infra, "teller").inhibitions]  # fmt: skip
    down = ['alertname=~"ServiceDown|ProbeFailed"', 'service="store"']
    assert [names for sources, names in hidden if sources == down] == [['service=~"shop|stall"']]


def test_who_looks_and_has_no_port_is_not_asked(tmp_path: Path) -> None:
    """It cannot say what it saw, and is no reason to fail."""
    (tmp_path / "catalog").mkdir()
    for path in CATALOG.iterdir():
        (tmp_path / "catalog" / path.name).write_text(path.read_text())
    mute = "title: Mute\ndescription: Looks\nversion: '1'\ncontainer: {image: registry.example.org/mute}\nreaches: [probed]\n"
    (tmp_path / "catalog" / "mute.yml").write_text(mute)
    text = ESTATE.replace("shop: {on: cortex}", "shop: {on: cortex, expose: {host: shop.example.org}}\n      proxy: {on: cortex}\n      mute: {on: synapse}")  # fmt: skip
    seen = seen_by(estate(tmp_path, text), "meter")
    assert seen.probes == seen.names == []


def test_who_is_told_is_in_the_file_and_the_token_is_not(tmp_path: Path) -> None:
    infra = estate(tmp_path, ESTATE)
    assert service(infra, "teller").secrets == {"token": "telegram_token"}
    text = file_of(infra, "teller", "/etc/teller/teller.yml")
    assert text.startswith("chat: -1001234567890 at http://127.0.0.1:8081 with /run/secrets/token\n")  # fmt: skip
    assert SECRETS.value("telegram_token").decode() not in text


def test_the_number_of_a_chat_may_stand_without_quotes(tmp_path: Path) -> None:
    bare = estate(tmp_path, ESTATE.replace('"-1001234567890"', "-1001234567890"))
    assert bare.alerting is not None
    assert bare.alerting == estate(tmp_path, ESTATE).alerting


@pytest.mark.parametrize(
    "chat", ["0", "-", '"12 34"', '"+100"', "12345678901234567", '"@news"', "123456:the-token-itself", "yes", "1.5"]
)  # fmt: skip
def test_what_is_no_number_of_a_chat_is_refused_and_not_repeated(tmp_path: Path, chat: str) -> None:
    """Alertmanager would not start with it. It may be a token that went into the wrong place."""
    estate(tmp_path, ESTATE)
    text = (tmp_path / "infra.yml").read_text()
    (tmp_path / "infra.yml").write_text(text.replace('"-1001234567890"', chat))
    loaded = load(tmp_path)
    assert loaded.infra is None
    [found] = loaded.diagnostics
    assert found.source is not None
    assert found.source.path == "alerts.telegram.chat"
    assert "the-token" not in f"{found.detail} {found.hint}"


def test_without_telegram_there_is_no_token(tmp_path: Path) -> None:
    infra = estate(tmp_path, ESTATE.partition("    alerts:")[0])
    assert service(infra, "teller").secrets == {}
    assert infra.alerting is None
    assert file_of(infra, "teller", "/etc/teller/teller.yml").startswith("- source_matchers:")
