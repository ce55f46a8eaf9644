"""With `network.firewall: machine`: the machine between the domains, and the network on which the host hands it packets.

The network holds just two: the host and that machine. Its bridge is named after the estate (`fw-maison`), which no
domain's bridge can be called. Made by `config.build`, read by the providers.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from freehold.model.addresses import GATEWAY_HOST, domain_subnet, host, subnet_count
from freehold.model.names import hardware_address, instance_name, interface_name

ROUTER = "sys-firewall"
INTERFACE = "transfer"
"""What the machine's interface on the network is called inside."""

_ROUTER_HOST = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """The network between the host and the machine `sys-firewall` of `domain`."""

    estate: str
    domain: str
    subnet: IPv4Network

    @property
    def bridge(self) -> str:
        return transfer_bridge(self.estate)

    @property
    def host(self) -> IPv4Address:
        """The host's address on it."""
        return host(self.subnet, GATEWAY_HOST)

    @property
    def router(self) -> IPv4Address:
        """The machine's address on it."""
        return host(self.subnet, _ROUTER_HOST)

    @property
    def key(self) -> str:
        """How the user names the machine: `admin/sys-firewall`."""
        return f"{self.domain}/{ROUTER}"

    @property
    def instance(self) -> str:
        """The machine's name in Incus."""
        return instance_name(self.domain, ROUTER)

    @property
    def hardware_address(self) -> str:
        """The MAC address of the machine on it."""
        return hardware_address(self.estate, f"{self.instance}/{INTERFACE}")

    def devices(self) -> Mapping[str, Mapping[str, str]]:
        """What the machine has besides what every machine has. It carries others' addresses, so only its MAC is held to."""
        nic = {
            "type": "nic",
            "name": INTERFACE,
            "network": self.bridge,
            "hwaddr": self.hardware_address,
            "security.mac_filtering": "true",
        }
        return {INTERFACE: nic}


def transfer_bridge(estate: str) -> str:
    """The name of an estate's transfer bridge."""
    return interface_name("fw", estate)


def transfer_subnet(base: IPv4Network, taken: Collection[int]) -> IPv4Network | None:
    """The last /24 of the base network whose number no domain has; None when all are taken."""
    for number in range(subnet_count(base) - 1, -1, -1):
        if number not in taken:
            return domain_subnet(base, number)
    return None
