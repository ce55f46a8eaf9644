"""Services that are ready at once share commands on their target; what becomes of one is not what becomes of the others."""

from tests.compose.docker import FakeDocker
from tests.compose.estate import Desk, problems_of

THREE = """
    freehold: 1
    name: maison
    domains:
      home:
        subnet_id: 7
        machines: {box: {ip: 10.100.7.10}}
    services:
      one: {on: home/box, service: keeper}
      two: {on: home/box, service: keeper}
      three: {on: home/box, service: keeper}
    """
UP = ("docker", "compose")


def ups(desk: Desk) -> list[set[str]]:
    """The services of each `docker compose up`."""
    found = [command for command in desk.targets.commands if command[:2] == UP]
    return [set(command[command.index("--quiet-pull") + 1 :]) - {"--force-recreate"} for command in found]  # fmt: skip


def test_who_is_ready_at_once_is_started_by_one_command(in_memory: Desk) -> None:
    in_memory.text = THREE
    in_memory.apply()
    assert ups(in_memory) == [{"one", "two", "three"}]
    assert {state for _, state in in_memory.containers().values()} == {"running"}
    running = "/var/lib/freehold/maison/compose/compose.yml"
    assert "x-freehold-previous" not in in_memory.read(running)


def test_one_that_cannot_be_started_keeps_no_other_from_it(
    in_memory: Desk, docker: FakeDocker
) -> None:
    in_memory.text = THREE
    docker.refused.add("one")
    failed = problems_of(in_memory.carry_out())
    assert failed.keys() == {"service:home/box/one"}
    problem = failed["service:home/box/one"][0]
    assert problem.code == "service-not-started"
    assert "one: address already in use" in problem.detail
    assert in_memory.containers().keys() == {"two", "three"}
    before = in_memory.containers()
    docker.refused.clear()
    in_memory.apply()
    assert ups(in_memory) == [{"one"}]
    assert before.items() <= in_memory.containers().items(), "made once"


def test_of_several_updates_the_one_that_cannot_be_started_goes_back_alone(in_memory: Desk, docker: FakeDocker) -> None:  # fmt: skip
    in_memory.text = THREE
    in_memory.apply()
    before = in_memory.containers()
    for name in ("one", "two"):
        old = f"{name}: {{on: home/box, service: keeper"
        in_memory.edit(old, f"{old}, settings: {{greeting: {name}}}")
    docker.refused.add("one")
    result = problems_of(in_memory.carry_out())
    assert [each.code for each in result["service:home/box/one"]] == ["service-not-started", "service-update-taken-back"]  # fmt: skip
    assert result.keys() == {"service:home/box/one"}
    greetings = {name: each.entry["environment"]["KEEPER_GREETING"] for name, each in docker.containers.items()}  # fmt: skip
    assert greetings == {"one": "hello", "two": "two", "three": "hello"}
    after = in_memory.containers()
    assert {name for name in after if after[name] != before[name]} == {"two"}
