"""What this version accepts but does not carry out: a warning each, so that nobody relies on it."""

from collections.abc import Iterator

from freehold.config.checks.context import Context
from freehold.diagnostics import Diagnostic


def not_enforced(context: Context) -> Iterator[Diagnostic]:
    """Policies, the firewall, and what goes inside machines."""
    if context.tree.get(("policies",)):
        detail = "The file has policies, and no rules are loaded for them."
        yield context.at_key(("policies",), "policies-not-enforced", detail)
    if context.tree.has(("network", "firewall")):
        detail = "`network.firewall` is written, and no rules are loaded."
        yield context.at(("network", "firewall"), "firewall-not-enforced", detail)
    with_provision = [
        path for path, _, machine in context.machines() if machine.provision is not None
    ]
    if with_provision:
        detail = f"{len(with_provision)} machine(s) have `provision`; the first one is here."
        yield context.at_key((*with_provision[0], "provision"), "provision-not-run", detail)
