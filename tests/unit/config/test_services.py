"""`services` arrives in the model with everything filled in, and targets get what services need of them."""

from datetime import date
from pathlib import Path

import pytest

from freehold.config.load import Loaded, load
from freehold.model import Infra
from freehold.model.services import Service

APP = """\
title: App
description: A web program
version: "1.4"
container:
  image: registry.example.org/app
  tag: v{{ version }}
  digests: {"1.4": sha256:DIGEST, "1.5": sha256:DIGEST}
ports:
  http: {number: 8000}
settings:
  title: {description: Above the page, default: App}
needs:
  database: {service: postgresql}
secrets:
  password: {description: Of the database, shared_with: database.password}
  session: {description: Its own}
""".replace("DIGEST", "0123456789abcdef" * 4)

ROLE = """\
title: Meter
description: Measures
version: "2.0"
role: base_system
settings:
  interval: {description: How often, default: 30}
ports:
  metrics: {number: 9100}
"""

HEAD = """\
freehold: 1
name: test
domains:
  web:
    subnet_id: 0
    machines:
      app: {config: {security.syscalls.intercept.mknod: true}, provision: {roles: [control], vars: {base_system_interval: 5}}}
      vm: {type: vm, image: debian/13}
      bare: {}
hosts:
  cortex: {address: 203.0.113.20}
  synapse: {address: 203.0.113.21, arch: arm64}
services:
"""


def loaded(folder: Path, services: str, *, today: date | None = None, head: str = HEAD) -> Loaded:
    (folder / "catalog").mkdir(exist_ok=True)
    (folder / "catalog" / "app.yml").write_text(APP)
    (folder / "catalog" / "meter.yml").write_text(ROLE)
    (folder / "infra.yml").write_text(head + services)
    return load(folder, today=today)


def estate(folder: Path, services: str, head: str = HEAD) -> Infra:
    result = loaded(folder, services, head=head)
    assert result.diagnostics == ()
    assert result.infra is not None
    return result.infra


def service(infra: Infra, name: str) -> Service:
    found = infra.service(name)
    assert found is not None
    return found


def test_what_is_left_out_is_filled_in(tmp_path: Path) -> None:
    infra = estate(tmp_path, "  app: {on: cortex}\n  db: {on: cortex, service: postgresql}\n")
    app, db = infra.services
    assert (app.name, app.target, app.version) == ("app", "cortex", "1.4")
    assert app.image == "registry.example.org/app:v1.4@sha256:" + "0123456789abcdef" * 4
    assert app.settings == {"title": "App"}
    assert app.needs == {"database": "db"}
    assert app.published == {}
    assert db.settings == {"database": "app", "user": "app", "connections": 100}
    assert db.published == {}, "both are on one target"


def test_what_is_written_counts(tmp_path: Path) -> None:
    text = """\
  one: {on: cortex, service: postgresql}
  two: {on: cortex, service: postgresql, image: "registry.example.org/pg:17"}
  app: {on: cortex, version: "1.5", settings: {title: Shop}, ports: {http: 80}, from: {http: [all]}, needs: {database: two}}
"""
    infra = estate(tmp_path, text)
    app = service(infra, "app")
    assert app.image == "registry.example.org/app:v1.5@sha256:" + "0123456789abcdef" * 4
    assert app.settings == {"title": "Shop"}
    assert app.published == {"http": 80}
    assert app.needs == {"database": "two"}
    assert service(infra, "two").image == "registry.example.org/pg:17"


def test_a_secret_is_that_of_the_service_that_meets_the_need(tmp_path: Path) -> None:
    text = "  app: {on: cortex}\n  db: {on: cortex, service: postgresql}\n"
    assert service(estate(tmp_path, text), "app").secrets == {
        "password": "db_password",
        "session": "app_session",
    }
    text = "  app: {on: cortex, secrets: {session: old}}\n  db: {on: cortex, service: postgresql, secrets: {password: main}}\n"
    infra = estate(tmp_path, text)
    assert service(infra, "app").secrets == {"password": "main", "session": "old"}
    assert service(infra, "db").secrets == {"password": "main", "monitoring": "db_monitoring"}


def test_a_secret_of_a_need_that_nothing_meets_is_none(tmp_path: Path) -> None:
    """Nobody would read it: it is not generated. One that infra.yml names is the user's."""
    could = APP.replace("service: postgresql}", "service: postgresql, optional: true}")
    behind = could.replace("postgresql", "could").replace("shared_with: database.password", "shared_with: database.password, length: 20")  # fmt: skip
    (tmp_path / "catalog").mkdir()
    (tmp_path / "catalog" / "could.yml").write_text(could)
    (tmp_path / "catalog" / "behind.yml").write_text(behind)
    alone = estate(tmp_path, "  could: {on: cortex}\n  behind: {on: cortex}\n")
    assert service(alone, "could").secrets == {"session": "could_session"}
    assert service(alone, "behind").secrets == {"session": "behind_session"}, "it would be theirs"
    named = estate(tmp_path, "  could: {on: cortex, secrets: {password: outside}}\n  behind: {on: cortex}\n")  # fmt: skip
    assert service(named, "could").secrets == {"password": "outside", "session": "could_session"}
    assert service(named, "behind").secrets == {"password": "outside", "session": "behind_session"}
    met = estate(tmp_path, "  could: {on: cortex}\n  db: {on: cortex, service: postgresql}\n")
    assert service(met, "could").secrets == {"password": "db_password", "session": "could_session"}


def test_a_port_opens_when_a_service_on_another_target_needs_it(tmp_path: Path) -> None:
    text = "  app: {on: synapse}\n  db: {on: cortex, service: postgresql%s}\n"
    db = service(estate(tmp_path, text % ""), "db")
    assert db.published == {"postgresql": 5432}
    db = service(estate(tmp_path, text % ", ports: {postgresql: 5433}"), "db")
    assert db.published == {"postgresql": 5433}


def test_ports_that_are_always_open(tmp_path: Path) -> None:
    infra = estate(
        tmp_path, "  caddy: {on: cortex}\n  node-exporter: {on: cortex, from: {metrics: []}}\n"
    )
    assert service(infra, "caddy").published == {"http": 80, "https": 443, "http3": 443}
    assert service(infra, "node-exporter").published == {"metrics": 9100}


def test_services_are_in_the_order_of_their_names(tmp_path: Path) -> None:
    text = "  z: {on: cortex, service: redis}\n  a: {on: cortex, service: redis}\n"
    assert [each.name for each in estate(tmp_path, text).services] == ["a", "z"]


def test_services_of_several_files_are_one_list(tmp_path: Path) -> None:
    (tmp_path / "infra.d").mkdir()
    (tmp_path / "infra.d" / "more.yml").write_text("services:\n  caddy: {on: synapse}\n")
    infra = estate(tmp_path, "  redis: {on: cortex}\n")
    assert [each.name for each in infra.services] == ["caddy", "redis"]


def test_docker_goes_to_targets_of_containers_and_nowhere_else(tmp_path: Path) -> None:
    infra = estate(tmp_path, "  redis: {on: cortex}\n  caddy: {on: web/app}\n")
    cortex, synapse = infra.hosts
    assert cortex.provision.roles == ("host_ports", "docker_engine")
    assert synapse.provision.roles == ()
    app, bare = infra.machine("web/app"), infra.machine("web/bare")
    assert app is not None
    assert bare is not None
    assert app.provision.roles == ("docker_engine", "control"), "the user's roles may want it"
    assert (bare.provision.roles, bare.config) == ((), {})


def test_a_container_that_runs_docker_gets_the_options_that_it_needs(tmp_path: Path) -> None:
    infra = estate(tmp_path, "  redis: {on: web/app}\n  caddy: {on: web/vm}\n")
    app, vm = infra.machine("web/app"), infra.machine("web/vm")
    assert app is not None
    assert vm is not None
    assert app.config == {
        "security.nesting": "true",
        "security.syscalls.intercept.mknod": "true",
        "security.idmap.isolated": "true",
    }
    assert vm.config == {}


def test_a_role_is_told_what_was_chosen(tmp_path: Path) -> None:
    infra = estate(
        tmp_path, "  meter: {on: cortex, settings: {interval: 10}, from: {metrics: [all]}}\n"
    )
    (cortex, _) = infra.hosts
    assert cortex.provision.roles == ("host_ports", "base_system")
    told = {name: value for name, value in cortex.provision.vars.items() if "base" in name}
    assert told == {"base_system_interval": 10, "base_system_version": "2.0"}
    assert service(infra, "meter").published == {"metrics": 9100}
    assert not service(infra, "meter").as_container


def test_a_variable_of_the_user_wins_over_that_of_a_service(tmp_path: Path) -> None:
    infra = estate(tmp_path, "  meter: {on: web/app}\n")
    app = infra.machine("web/app")
    assert app is not None
    assert app.provision.vars["base_system_interval"] == 5


@pytest.mark.parametrize(
    ("today", "told"), [(date(2029, 11, 8), []), (date(2029, 11, 9), ["end-of-life"])]
)
def test_the_last_day_is_still_good(tmp_path: Path, today: date, told: list[str]) -> None:
    result = loaded(tmp_path, "  postgresql: {on: cortex}\n", today=today)
    assert [each.code for each in result.diagnostics] == told
    assert result.infra is not None


def test_an_image_of_ones_own_is_not_judged_by_the_version(tmp_path: Path) -> None:
    text = '  postgresql: {on: cortex, version: "13.1", image: "registry.example.org/pg:13"}\n'
    assert loaded(tmp_path, text).diagnostics == ()


def test_a_setting_brings_another_image_and_ones_own_comes_first(tmp_path: Path) -> None:
    text = """\
  caddy: {on: cortex}
  second: {on: synapse, service: caddy, settings: {certificates: cloudflare}}
  third: {on: web/app, service: caddy, image: registry.example.org/own:1, settings: {certificates: cloudflare}}
"""
    infra = estate(tmp_path, text)
    images = {each.name: str(each.image).partition(":")[0] for each in infra.services}
    assert images == {
        "caddy": "docker.io/library/caddy",
        "second": "ghcr.io/caddybuilds/caddy-cloudflare",
        "third": "registry.example.org/own",
    }


POLICY = "policies:\n  - {from: front, to: back/data, ports: ['5000-6000']}\n"
APART = """\
freehold: 1
name: test
domains:
  front: {subnet_id: 0, trust: %s, machines: {web: {}}}
  back: {subnet_id: 1, machines: {data: {}}}
hosts:
  cortex: {address: 203.0.113.20}
"""


@pytest.mark.parametrize(
    ("trust", "policy", "told"),
    [
        ("trusted", "", ["blocked-need"]),
        ("trusted", POLICY, []),
        ("trusted", POLICY.replace("6000", "5431"), ["blocked-need"]),
        ("trusted", POLICY.replace("from: front, to: back/data", "bidirectional: true, from: back, to: front"), []),
        ("trusted", POLICY.replace("}", ", protocol: udp}"), ["blocked-need"]),
        ("admin", "", []),
    ],
)  # fmt: skip
def test_needs_follow_the_policies(
    tmp_path: Path, trust: str, policy: str, told: list[str]
) -> None:
    text = "services:\n  app: {on: front/web}\n  postgresql: {on: back/data}\n"
    result = loaded(tmp_path, text, head=APART % trust + policy)
    assert [each.code for each in result.diagnostics] == told


def test_a_route_that_is_made_elsewhere_is_believed_where_a_policy_says_so(tmp_path: Path) -> None:
    text = "services:\n  app: {on: cortex}\n  postgresql: {on: back/data}\n"
    policy = "policies:\n  - {from: internet, to: back/data, ports: [5432]}\n"
    assert [d.code for d in loaded(tmp_path, text, head=APART % "trusted").diagnostics] == [
        "unreachable-need"
    ]
    assert loaded(tmp_path, text, head=APART % "trusted" + policy).diagnostics == ()


def test_the_policy_that_a_message_says_is_the_one_that_lacks(tmp_path: Path) -> None:
    text = "services:\n  app: {on: front/web}\n  postgresql: {on: back/data}\n"
    (found,) = loaded(tmp_path, text, head=APART % "trusted").diagnostics
    assert found.hint is not None
    policy = found.hint.removeprefix("Add to `policies`: `").removesuffix("`.")
    head = APART % "trusted" + f"policies:\n  {policy}\n"
    assert loaded(tmp_path, text, head=head).diagnostics == ()


def test_a_long_chain_of_needs_is_followed(tmp_path: Path) -> None:
    """Without recursion: a file may be longer than Python's stack."""
    (tmp_path / "catalog").mkdir()
    for number in range(300):
        text = (
            'title: T\ndescription: D\nversion: "1"\ncontainer: {image: registry.example.org/x}\n'
        )
        text += f"needs: {{next: {{service: n{(number + 1) % 300}}}}}\n"
        (tmp_path / "catalog" / f"n{number}.yml").write_text(text)
    lines = "".join(f"  n{number}: {{on: cortex}}\n" for number in range(300))
    (found,) = loaded(tmp_path, lines).diagnostics
    assert found.code == "cyclic-needs"
    assert found.detail.startswith("n0 → n1 → n2 → ")
    assert found.detail.endswith("→ n299 → n0.")
