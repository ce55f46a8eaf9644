"""Docker drops what machines send; a plan says so, apply heals it in Docker's own chain, destroy takes it out again."""

import asyncio
from dataclasses import replace

import pytest

from freehold.engine.planner import Planner
from freehold.model import Infra
from freehold.planning.change import Action
from freehold.planning.plan import Plan
from freehold.providers.firewall.docker import DockerProvider
from freehold.system.docker_user import DockerUser
from tests.firewall.coexistence.neighbours import DOCKER_28, Neighbours
from tests.firewall.wires import OUTSIDE, Wires

pytestmark = pytest.mark.lab
OUT = ("perso/desk", OUTSIDE, "tcp", 443)
TO_PRO = ("admin/ctl", "pro/dev", "tcp", 22)


def plan(docker_user: DockerUser, infra: Infra, *, destroy: bool = False) -> Plan:
    provider = DockerProvider(docker_user)
    return asyncio.run(Planner(infra=infra, provider=provider, destroy=destroy).look()).plan


def apply(docker_user: DockerUser, infra: Infra, *, destroy: bool = False) -> None:
    async def run() -> None:
        provider = DockerProvider(docker_user)
        look = await Planner(infra=infra, provider=provider, destroy=destroy).look()
        for change in look.plan.changes:
            for step in provider.steps(infra.name, change):
                await step.run(lambda text: None)

    asyncio.run(run())


def test_what_docker_drops_is_healed_and_taken_out_again(
    wires: Wires, neighbours: Neighbours, docker_user: DockerUser, infra: Infra
) -> None:
    assert plan(docker_user, infra).is_empty, "without Docker there is nothing to do"
    neighbours.start_docker(DOCKER_28)
    others = neighbours.saved()
    assert wires.reached([OUT, TO_PRO]) == set()

    [change] = plan(docker_user, infra).changes
    assert (str(change.address), change.action) == ("docker-user:host", Action.CREATE)
    apply(docker_user, infra)
    assert wires.reached([OUT, TO_PRO]) == {OUT, TO_PRO}
    assert plan(docker_user, infra).is_empty

    neighbours.type("iptables -D DOCKER-USER 3")
    assert [c.action for c in plan(docker_user, infra).changes] == [Action.UPDATE]
    apply(docker_user, infra)
    fewer = replace(infra, domains=infra.domains[:2])
    [change] = plan(docker_user, fewer).changes
    assert [field.path for field in change.fields] == ["passing.net-pro"]
    apply(docker_user, fewer)
    assert plan(docker_user, fewer).is_empty

    apply(docker_user, infra, destroy=True)
    assert neighbours.saved() == others
