"""`network.firewall: machine`: a domain for the machine, its name free, and a network on which it is handed packets."""

from collections.abc import Iterator

from freehold.config.checks.context import Context
from freehold.config.places import KeyPath
from freehold.diagnostics import Diagnostic
from freehold.model import FirewallMode, Trust
from freehold.model.transfer import ROUTER, transfer_subnet

_NETWORK: KeyPath = ("network",)
_MODE: KeyPath = (*_NETWORK, "firewall")
_MACHINE: KeyPath = (*_NETWORK, "firewall_machine")


def firewall_machine(context: Context) -> Iterator[Diagnostic]:
    """What the mode needs, or a machine that is described for nothing."""
    network = context.document.network
    if not context.understood(_MODE, network):
        return
    if network.firewall is FirewallMode.MACHINE:
        yield from _home(context)
        yield from _transfer(context)
    elif network.firewall_machine is not None:
        detail = "`network.firewall` is `host`."
        yield context.at_key(_MACHINE, "firewall-machine-unused", detail)


def _home(context: Context) -> Iterator[Diagnostic]:
    default = context.document.defaults.trust
    admins = [
        (name, path)
        for path, name, domain in context.domains()
        if (domain.trust or default) is Trust.ADMIN
    ]
    if not admins:
        yield context.at(_MODE, "no-admin-domain", "No domain has `trust: admin`.")
        return
    name, path = min(admins)
    if ROUTER in context.document.domains[name].machines:
        detail = f"`{name}/{ROUTER}` is the machine that routes between the domains."
        yield context.at_key((*path, "machines", ROUTER), "firewall-machine-taken", detail)


def _transfer(context: Context) -> Iterator[Diagnostic]:
    base = context.base
    if base is None:
        return
    taken = {domain.subnet_id for _, _, domain in context.domains() if domain.subnet_id is not None}
    if transfer_subnet(base, taken) is None:
        yield context.at(_MODE, "no-transfer-network", f"Domains have all of {base}.")
