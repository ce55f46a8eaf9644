"""Secrets as resources of the plan: which are made, which must be set, and that none is ever taken away."""

import asyncio
from pathlib import Path
from typing import Any

from freehold.config.load import load
from freehold.engine.planner import Planner
from freehold.engine.run import RunResult, run
from freehold.engine.systems import Systems
from freehold.model import Infra
from freehold.model.descriptors import Descriptor, SecretNeed
from freehold.model.services import Service
from freehold.planning.plan import Plan
from freehold.providers.secrets.needs import in_restart_order, needed_secrets
from freehold.providers.secrets.provider import SecretsProvider
from freehold.system.secrets.fake import FakeSecrets
from freehold.views.essentials import essentials
from tests.provider.estate import infra_of

VARIABLES = """
    freehold: 1
    name: maison
    defaults: {provision: {vars: {common: !secret everywhere}}}
    domains:
      home:
        subnet_id: 7
        provision: {vars: {shared: !secret shared}}
        machines:
          box: {provision: {vars: {deep: [{token: !secret token}]}}}
          shelf: {}
    """


def service(
    name: str, *needs: SecretNeed, uses: dict[str, str], on: tuple[str, ...] = ()
) -> Service:
    descriptor = Descriptor(
        name=name, title=name, description="", version="1", secrets=tuple(needs)
    )
    return Service(
        name=name,
        descriptor=descriptor,
        target="home/box",
        version="1",
        secrets=uses,
        needs={need: need for need in on},
    )


def need(name: str, length: int = 32, *, generated: bool = True) -> SecretNeed:
    path = f"/run/secrets/{name}"
    return SecretNeed(name=name, description="", path=path, length=length, generated=generated)


def estate(*services: Service) -> Infra:
    from ipaddress import IPv4Network

    return Infra(
        name="maison", base=IPv4Network("10.100.0.0/16"), storage="default", services=services
    )


SHOP = service("shop", need("password", 24), need("api", generated=False), uses={"password": "db_password", "api": "api_token"}, on=("db",))  # fmt: skip
DB = service("db", need("password", 40), uses={"password": "db_password"})
PAGE = service("page", uses={})


class Desk:
    """An estate's secrets in memory, planned and applied."""

    def __init__(self, infra: Infra, **values: bytes) -> None:
        self.infra = infra
        self.secrets = FakeSecrets(values)

    def planner(self, **options: Any) -> Planner:
        provider = Systems(SecretsProvider(self.secrets))
        return Planner(infra=self.infra, provider=provider, **options)

    def plan(self, **options: Any) -> Plan:
        return asyncio.run(self.planner(**options).look()).plan

    def apply(self) -> RunResult:
        plan = self.plan()
        assert plan.can_apply, plan.diagnostics
        return asyncio.run(run(self.planner(), plan, lambda event: None, asyncio.Event()))


def test_what_services_need_is_generated_once_and_then_left_alone() -> None:
    desk = Desk(estate(DB, PAGE))
    (change,) = desk.plan().changes
    assert str(change.address) == "secret:host/db_password"
    assert essentials(change) == ["generated", "40 characters", "for db"]
    assert desk.apply().exit_code == 0
    value = desk.secrets.value("db_password")
    assert len(value) == 40
    assert value.isalnum()
    assert desk.plan().is_empty
    desk.apply()
    assert desk.secrets.value("db_password") == value


def test_the_longest_of_several_needs_counts() -> None:
    needed = needed_secrets(estate(SHOP, DB))
    assert needed["db_password"].length == 40
    assert needed["db_password"].services == ("shop", "db")


def test_one_that_was_set_meanwhile_is_not_overwritten() -> None:
    desk = Desk(estate(DB))
    planner, plan = desk.planner(), desk.plan()
    desk.secrets.put("db_password", b"my own")
    asyncio.run(run(planner, plan, lambda event: None, asyncio.Event()))
    assert desk.secrets.value("db_password") == b"my own"


def test_what_only_its_user_knows_stops_the_plan_before_anything_is_made() -> None:
    desk = Desk(estate(SHOP, DB))
    plan = desk.plan()
    assert not plan.can_apply
    shown = {change.address.name: essentials(change) for change in plan.changes}
    assert shown["api_token"] == ["to be set by you", "for shop"]
    (problem,) = plan.diagnostics
    assert problem.code == "secret-missing"
    assert "`api_token`" in problem.detail
    assert "shop" in problem.detail
    assert "freehold secret set api_token" in (problem.hint or "")
    desk.secrets.put("api_token", b"from them")
    assert desk.plan().can_apply


def test_variables_name_secrets_too_and_nobody_generates_those(tmp_path: Path) -> None:
    needed = needed_secrets(infra_of(tmp_path, VARIABLES))
    assert {name: each.places for name, each in needed.items()} == {
        "everywhere": ("every machine",),
        "shared": ("home",),
        "token": ("home/box",),
    }
    desk = Desk(infra_of(tmp_path, VARIABLES), everywhere=b"x", shared=b"x")
    assert [problem.code for problem in desk.plan().diagnostics] == ["secret-missing"]
    assert "home/box" in desk.plan().diagnostics[0].detail


def test_unused_ones_are_told_and_stay(tmp_path: Path) -> None:
    desk = Desk(estate(DB), old_token=b"x", db_password=b"y")
    for plan in (desk.plan(), desk.plan(prune=True), desk.plan(orphans_only=True)):
        assert plan.is_empty
        assert plan.orphans == ()
        assert [problem.code for problem in plan.diagnostics] == ["secret-unused"]
        assert "old_token" in plan.diagnostics[0].detail
        assert not plan.diagnostics[0].is_error


def test_an_estate_without_secrets_does_not_ask_for_them() -> None:
    desk = Desk(estate(PAGE), old_token=b"x")

    def refuse() -> None:
        raise AssertionError("nobody needs secrets here")

    desk.secrets.names = refuse  # type: ignore[method-assign,assignment]
    assert desk.plan().is_empty
    assert desk.plan().diagnostics == ()


def test_a_changed_value_is_another_world_to_a_saved_plan() -> None:
    desk = Desk(estate(DB), db_password=b"one")
    before = asyncio.run(desk.planner().look()).observed
    desk.secrets.put("db_password", b"two")
    after = asyncio.run(desk.planner().look()).observed
    assert {a: seen.fields for a, seen in before.items()} != {
        a: seen.fields for a, seen in after.items()
    }


def test_services_restart_after_those_that_they_need() -> None:
    infra = estate(SHOP, DB, PAGE)
    assert in_restart_order(infra, ["db_password"]) == ["db", "shop"]
    assert in_restart_order(infra, ["api_token"]) == ["shop"]
    assert in_restart_order(infra, ["nothing"]) == []


def test_a_tag_and_a_plain_name_are_the_same_to_a_service(tmp_path: Path) -> None:
    text = """\
freehold: 1
name: maison
domains: {home: {subnet_id: 7, machines: {box: {}}}}
services:
  one: {on: home/box, service: keeper, secrets: {password: SECRET}}
"""
    catalog = tmp_path / "catalog"
    catalog.mkdir()
    (catalog / "keeper.yml").write_text(
        "title: Keeper\ndescription: keeps\nversion: '1'\ncontainer: {image: registry.example.org/keeper}\n"
        "secrets: {password: {description: who may}}\n"
    )
    found = []
    for written in ("!secret db_password", "db_password"):
        (tmp_path / "infra.yml").write_text(text.replace("SECRET", written))
        loaded = load(tmp_path)
        assert loaded.infra is not None, loaded.diagnostics
        found.append(dict(loaded.infra.services[0].secrets))
    assert found == [{"password": "db_password"}] * 2
