"""A service in the network of another: it goes by that one's way, and starts again when that one does. Docker in memory and a real one."""

import time

import pytest
import yaml

from freehold.planning.plan import Plan
from tests.compose.docker import FakeDocker
from tests.compose.estate import Desk
from tests.compose.test_services import RUNNING, is_real, services, started
from tests.provider.estate import change_of, summary

TEXT = """
    freehold: 1
    name: maison
    domains:
      home:
        subnet_id: 7
        machines: {box: {ip: 10.100.7.10}}
    services:
      loader: {on: home/box, ports: {http: 8090}}
      way: {on: home/box}
    """
LOADER, WAY = "service:home/box/loader", "service:home/box/way"


@pytest.fixture
def pair(desk: Desk) -> Desk:
    """Both, running."""
    desk.text = TEXT
    desk.apply()
    assert started(desk) == ["way", "loader"]
    return desk


def network(plan: Plan) -> tuple[object, object]:
    """What a plan says of the loader's network."""
    [field] = [each for each in change_of(plan, LOADER).fields if each.path == "network_mode"]
    return field.before, field.after


def answers(desk: Desk) -> bool:
    """Whether the loader is reached by the port that stands at the other's entry; in memory nothing listens."""
    if not is_real(desk):
        return True
    code = (
        "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8090/', timeout=5).status)"
    )
    return desk.by_hand("python3", "-c", code).strip() == "200"


def once_it_serves(desk: Desk) -> Plan:
    """A plan of when the service that was started again by hand is healthy."""
    for _ in range(120):
        plan = desk.plan()
        if WAY not in summary(plan):
            return plan
        time.sleep(0.5)
    raise AssertionError("it does not become healthy")


def test_its_ports_stand_at_the_service_whose_network_it_is(pair: Desk) -> None:
    entries = yaml.safe_load(pair.read(RUNNING))["services"]
    assert entries["loader"]["network_mode"] == "service:way"
    assert {"ports", "networks"}.isdisjoint(entries["loader"])
    assert entries["way"]["ports"] == ["8090:8080/tcp"]
    assert entries["way"]["networks"] == ["front", "way"]
    assert answers(pair)
    assert summary(pair.plan()) == {}


def test_it_starts_again_with_the_service_whose_network_it_is(pair: Desk) -> None:
    before = pair.containers()
    pair.edit("way: {on: home/box}", "way: {on: home/box, settings: {exit: south}}")
    plan = pair.plan()
    assert services(plan) == {WAY: "update", LOADER: "update"}
    assert network(plan) == ("service:way", "service:way, which is started again")
    pair.apply()
    assert started(pair) == ["way", "loader"]
    assert not before.items() & pair.containers().items()
    assert answers(pair)
    assert summary(pair.plan()) == {}


def test_a_network_that_was_started_again_by_hand_is_joined_again(pair: Desk) -> None:
    before = pair.containers()
    pair.by_hand("docker", "restart", "maison-way-1")
    plan = once_it_serves(pair)
    assert services(plan) == {LOADER: "update"}
    assert network(plan)[0] == "service:way, as it was before that was started again"
    pair.apply()
    assert answers(pair)
    assert pair.containers()["way"] == before["way"]
    assert summary(pair.plan()) == {}


def test_a_killed_network_is_started_and_joined_again(pair: Desk) -> None:
    pair.by_hand("docker", "kill", "maison-way-1")
    plan = pair.plan()
    assert services(plan) == {WAY: "update", LOADER: "update"}
    assert network(plan)[1] == "service:way, which is started again"
    pair.apply()
    assert answers(pair)
    assert summary(pair.plan()) == {}


def test_a_network_that_was_made_anew_by_hand_is_told(pair: Desk) -> None:
    pair.by_hand("docker", "compose", "--project-name", "maison", "--file", RUNNING, "up", "--detach", "--no-deps", "--force-recreate", "way")  # fmt: skip
    assert network(pair.plan())[0] == "service:way, of a container that is gone"
    pair.apply()
    assert answers(pair)
    assert summary(pair.plan()) == {}


def test_one_that_is_stopped_is_only_started(in_memory: Desk, docker: FakeDocker) -> None:
    """With the network of whatever then runs."""
    in_memory.text = TEXT
    in_memory.apply()
    in_memory.by_hand("docker", "kill", "maison-loader-1")
    in_memory.by_hand("docker", "restart", "maison-way-1")
    change = change_of(in_memory.plan(), LOADER)
    assert [each.path for each in change.fields] == ["state"]
