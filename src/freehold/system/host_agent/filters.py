"""The host's nftables and Docker's chain, as a control machine has them: every question goes to the agent.

Made by `systems.py`; the same protocols as `system.nftables` and the chain of `providers.firewall.docker`.
"""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from freehold.system.docker_user import DockerFilter
from freehold.system.host_agent.client import AgentClient, Conversation
from freehold.system.host_agent.messages import HostUnseen
from freehold.system.iptables import FilterTable
from freehold.system.nftables import Commands, Listing, NftablesError


class AgentNftables:
    """The packet filter of the host. Rules that are tried out are guarded there, so they come back whatever ends here."""

    def __init__(self, agent: AgentClient) -> None:
        self._agent = agent

    async def table(self, name: str) -> Listing | None:
        found: Listing | None = await self._agent.ask("table", name=name)
        return found

    async def written(self, name: str, commands: Commands) -> Listing:
        found: Listing = await self._agent.ask("written", name=name, commands=list(commands))
        return found

    async def load(self, commands: Commands) -> None:
        await self._agent.ask("load", commands=list(commands))

    async def try_out(self, name: str, commands: Commands, seconds: float) -> "AgentTrial":
        conversation = await Conversation(self._agent.path).__aenter__()
        words = {"name": name, "commands": list(commands), "seconds": seconds}
        try:
            await conversation.ask({"do": "try_out", **words})
        except BaseException:
            conversation.close()  # the agent then undoes
            raise
        return AgentTrial(conversation)

    async def at_boot(self, name: str) -> Commands | None:
        found: Commands | None = await self._agent.ask("at_boot", name=name)
        return found

    async def set_at_boot(self, name: str, commands: Commands | None) -> None:
        given = None if commands is None else list(commands)
        await self._agent.ask("set_at_boot", name=name, commands=given)


class AgentTrial:
    """A trial that the host watches over. Its end, and that of the connection, bring the old rules back."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation

    async def keep(self) -> None:
        await self._end("keep", "keeping the new rules")

    async def undo(self) -> None:
        await self._end("undo", "bringing the rules from before back")

    async def _end(self, word: str, doing: str) -> None:
        try:
            await self._conversation.ask({"do": word})
        except HostUnseen as error:
            if word == "undo":  # without the connection the host has done so by itself
                return
            raise NftablesError(
                doing, "the computer's agent is gone, so the rules from before are back."
            ) from error
        finally:
            self._conversation.close()


class AgentDocker:
    """The chain DOCKER-USER of the host."""

    def __init__(self, agent: AgentClient) -> None:
        self._agent = agent

    def read(self) -> tuple[DockerFilter, ...] | None:
        found = self._agent.ask_now("docker")
        return None if found is None else tuple(map(_filter, found))

    def write(self, estate: str, bridges: Iterable[str]) -> None:
        self._agent.ask_now("set_docker", estate=estate, bridges=sorted(bridges))


def as_document(found: tuple[DockerFilter, ...] | None) -> Any:
    """What the agent answers."""
    return None if found is None else [asdict(each) for each in found]


def _filter(document: Any) -> DockerFilter:
    table = document["table"]
    rules = {name: tuple(texts) for name, texts in table["rules"].items()}
    return DockerFilter(
        table=FilterTable(**{**table, "rules": rules}),
        drops=document["drops"],
        rules=tuple(document["rules"]),
    )
