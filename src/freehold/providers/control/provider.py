"""The host's agent for an estate's control machines, as one resource: `host-agent:host`.

There when infra.yml has such a machine, taken away again when it has none. Made by `cli`; driven by `engine` through
`providers.protocol.Provider`.
"""

from collections.abc import Mapping, Sequence

from freehold.model import Infra
from freehold.planning.address import HOST, Address
from freehold.planning.change import Change
from freehold.planning.resource import Desired, Kind, Observed
from freehold.providers.protocol import Observation, Report, Step
from freehold.system.host_agent.agents import Agents, AgentState

KIND = Kind(name="host-agent", rank=0)
ADDRESS = Address(HOST, KIND.name)
_NONE = "none, no machine needs it"
_WELL = "answers"


class AgentProvider:
    """The agent of an estate on one host."""

    def __init__(self, agents: Agents) -> None:
        self._agents = agents

    @property
    def kinds(self) -> Mapping[str, Kind]:
        return {KIND.name: KIND}

    async def observe(self, infra: Infra) -> Observation:
        state = await self._agents.read(infra.name)
        if state is None:
            return Observation()
        fields = {"network": state.base, "agent": _told(state)}
        return Observation({ADDRESS: Observed(address=ADDRESS, fields=fields)})

    def desired(self, infra: Infra, observation: Observation) -> Mapping[Address, Desired]:
        if any(machine.control for machine in infra.machines()):
            fields = {"network": str(infra.base), "agent": _WELL}
        elif infra.domains and (seen := observation.observed.get(ADDRESS)):
            fields = {**seen.fields, "agent": _NONE}
        else:
            return {}
        return {ADDRESS: Desired(address=ADDRESS, fields=fields)}

    def steps(self, estate: str, change: Change) -> Sequence[Step]:
        wanted = change.desired

        async def keep(report: Report) -> None:
            assert wanted is not None
            await self._agents.keep(estate, wanted["network"])

        async def forget(report: Report) -> None:
            await self._agents.forget(estate)

        if wanted is None or wanted["agent"] == _NONE:
            return [Step("end the agent for control machines", forget)]
        return [Step("start the agent for control machines", keep)]

    async def wait_ready(self, timeout: float) -> None:
        """Nothing is asked of it in the course of a change that may be away for a moment."""


def _told(state: AgentState) -> str:
    """In words, how it is."""
    if not state.is_current:
        return "is of another version"
    if not state.answers:
        return "does not answer"
    return _WELL if state.stays else "is not there after a restart"
