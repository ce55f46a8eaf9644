"""What this version accepts but does not carry out: a warning each, so that nobody relies on it."""

from collections.abc import Iterator

from freehold.config.checks.context import Context
from freehold.diagnostics import Diagnostic


def not_enforced(context: Context) -> Iterator[Diagnostic]:
    """What goes inside machines."""
    with_provision = [
        path for path, _, machine in context.machines() if machine.provision is not None
    ]
    if with_provision:
        detail = f"{len(with_provision)} machine(s) have `provision`; the first one is here."
        yield context.at_key((*with_provision[0], "provision"), "provision-not-run", detail)
