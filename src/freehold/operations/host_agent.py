"""The program behind `system.host_agent`: the agent of one estate on its host, as root, for its control machines.

`python -m freehold.operations.host_agent FILE` does what the file says (`charge.Charge`) until it is told to end. Started by
systemd, in the lab by the lab's first process. It needs nothing beyond Python and Freehold's own code.
"""

from ipaddress import IPv4Address
from pathlib import Path

from freehold.model.names import instance_name, is_dns_label
from freehold.model.transfer import ROUTER
from freehold.providers.firewall.handover import MARK
from freehold.providers.firewall.own_rules import (
    is_bridge,
    is_transfer_bridge,
    own_rules,
    own_skeleton,
)
from freehold.providers.firewall.ruleset import table_name
from freehold.providers.incus.marks import owner
from freehold.system.docker_user import DockerUser
from freehold.system.host_agent.answers import Answers, NotAllowed
from freehold.system.host_agent.charge import Charge
from freehold.system.host_agent.running import run
from freehold.system.host_agent.server import Agent
from freehold.system.nftables import Commands
from freehold.system.nftables.boot import BootRules
from freehold.system.nftables.program import NftProgram
from freehold.system.routing import Way
from freehold.system.routing.program import RoutingProgram
from freehold.system.unix_http import ask


class EstateRights:
    """What control machines may ask for: rules, chain and routing of their estate, as Freehold writes them."""

    def __init__(self, charge: Charge) -> None:
        self._charge = charge

    @property
    def table(self) -> str:
        return table_name(self._charge.estate)

    def rules(self, commands: Commands) -> Commands:
        return own_rules(self.table, self._charge.network, commands)

    def sketch(self, commands: Commands) -> Commands:
        return own_skeleton(self.table, commands)

    def bridges(self, names: list[str]) -> list[str]:
        for name in names:
            if not is_bridge(name):
                raise NotAllowed(f"`{name}` is no bridge of an estate")
        return names

    def way(self, way: Way) -> Way:
        """Only marked packets of this estate's network, to its own machine, which is kept running."""
        if way.base != self._charge.base or way.mark != MARK or not is_transfer_bridge(way.bridge):
            raise NotAllowed("that is not the way that Freehold sets")
        if IPv4Address(way.router) not in self._charge.network:
            raise NotAllowed(f"{way.router} is not in the estate's network")
        named = is_dns_label(way.project) and way.instance == instance_name(way.project, ROUTER)
        if not named or self._owner(way) != self._charge.estate:
            raise NotAllowed(f"`{way.instance}` is not the estate's firewall machine")
        return way

    def _owner(self, way: Way) -> str | None:
        """Whose mark the machine carries."""
        target = f"/1.0/instances/{way.instance}?project={way.project}"
        try:
            reply = ask(Path(self._charge.incus), "GET", target)
        except OSError as error:
            raise NotAllowed(f"Incus does not answer: {error}") from error
        return owner(reply.body["metadata"]["config"]) if reply.code == 200 else None


def agent_of(charge: Charge, code: str) -> Agent:
    """The agent, with the real systems of this host."""
    units = Path(charge.units) if charge.units else None
    boot = BootRules(Path(charge.rules), units)
    routing = RoutingProgram(Path(charge.ways), units, Path(charge.incus))
    rights = EstateRights(charge)
    return Agent(Answers(charge, code, rights, NftProgram(boot), DockerUser(), routing))


if __name__ == "__main__":
    run(agent_of)
