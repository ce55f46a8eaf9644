"""The systems of the host, from wherever this process is: itself, or by the agent from inside a control machine.

Called by `cli.site` when the lab is not meant. What is not needed is not imported.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from freehold.system.host_agent.agents import Agents
from freehold.system.host_agent.place import INSIDE, agent_socket, is_elsewhere
from freehold.system.nftables import Nftables
from freehold.system.routing import Routing

if TYPE_CHECKING:
    from freehold.system.docker_user import DockerUser
    from freehold.system.host_agent.filters import AgentDocker
    from freehold.system.timers.api import Timers


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSystems:
    """What belongs to the host besides Incus. `is_inside`: this process is in a control machine of it, where no timer is seen."""

    nftables: Nftables
    docker: "DockerUser | AgentDocker"
    routing: Routing
    agents: Agents
    timers: "Timers | None"
    is_inside: bool


def host_systems(incus: Path) -> HostSystems:
    """Those of the computer on which the Incus behind this socket runs.

    Inside a control machine without an agent each of them raises HostUnseen: never is this machine's own packet filter
    taken for the host's.
    """
    agent = agent_socket()
    if agent is None and is_elsewhere(incus):
        agent = INSIDE
    return _of_this_computer(incus) if agent is None else _by_the_agent(agent)


def _of_this_computer(incus: Path) -> HostSystems:
    from freehold.system.docker_user import DockerUser
    from freehold.system.host_agent.program import AgentProgram
    from freehold.system.nftables.boot import BootRules
    from freehold.system.nftables.program import NftProgram
    from freehold.system.routing.program import RoutingProgram
    from freehold.system.timers.place import timers_of_this_computer

    return HostSystems(
        nftables=NftProgram(BootRules.of_this_computer()),
        docker=DockerUser(),
        routing=RoutingProgram.of_this_computer(incus),
        agents=AgentProgram.of_this_computer(incus),
        timers=timers_of_this_computer(incus),
        is_inside=False,
    )


def _by_the_agent(path: Path) -> HostSystems:
    from freehold.system.host_agent.agents import AgentItself
    from freehold.system.host_agent.client import AgentClient
    from freehold.system.host_agent.filters import AgentDocker, AgentNftables
    from freehold.system.host_agent.routing import AgentRouting

    agent = AgentClient(path)
    return HostSystems(
        nftables=AgentNftables(agent),
        docker=AgentDocker(agent),
        routing=AgentRouting(agent),
        agents=AgentItself(agent),
        timers=None,
        is_inside=True,
    )
