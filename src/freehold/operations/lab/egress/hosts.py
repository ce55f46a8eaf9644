"""The way to packages of the hosts that the lab plays: the same proxy as machines have, told to whoever logs in. Pure.

Called by `Lab.packages`. A host is entered by SSH, which gives nobody the variables of its container: so they are written inside
(`providers.lab_hosts.delivery`), and the container has none.
"""

from freehold.model import Infra
from freehold.model.played import is_named, played_address, played_network
from freehold.operations.lab.egress.machines import DIRECT, INSIDE, Egress
from freehold.providers.lab_hosts.lab import Packages


def packages(infra: Infra, egress: Egress | None) -> Packages:
    """None at all without egress. What stays in the estate does not go by the proxy: its domains and its hosts."""
    if egress is None:
        return Packages()
    variables = egress.variables(infra)
    stays = {str(played_network(played_address(host.address))) for host in infra.hosts}
    stays |= {host.address for host in infra.hosts if is_named(host.address)}
    variables |= {name: ",".join([variables[name], *sorted(stays)]) for name in DIRECT}
    return Packages(egress.devices, variables, str(INSIDE))
