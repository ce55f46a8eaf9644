"""The host's routing to the machine between domains, as a control machine has it. Made by `systems.py`."""

from freehold.system.host_agent.client import AgentClient
from freehold.system.routing import Way


class AgentRouting:
    """The protocol of `system.routing`, asked of the agent."""

    def __init__(self, agent: AgentClient) -> None:
        self._agent = agent

    async def way(self, name: str) -> Way | None:
        found = await self._agent.ask("way", name=name)
        return None if found is None else Way.of(found)

    async def faults(self, name: str) -> list[str]:
        found: list[str] = await self._agent.ask("faults", name=name)
        return found

    async def keep(self, name: str, way: Way) -> None:
        await self._agent.ask("keep_way", name=name, way=way.as_document())

    async def forget(self, name: str) -> None:
        await self._agent.ask("forget_way", name=name)
