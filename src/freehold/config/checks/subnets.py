"""subnet_id: in range, and each taken once."""

from collections.abc import Iterator

from freehold.config.checks.context import Context
from freehold.diagnostics import Diagnostic
from freehold.model.addresses import subnet_count


def lowest_free(context: Context) -> int | None:
    """The lowest subnet_id that no domain has; None when the network is full."""
    taken = {domain.subnet_id for _, _, domain in context.domains()}
    count = subnet_count(context.base)
    return next(
        (number for number in range(min(count, len(taken) + 1)) if number not in taken), None
    )


def subnet_ids(context: Context) -> Iterator[Diagnostic]:
    """Each inside the base network and unique."""
    count = subnet_count(context.base)
    first: dict[int, str] = {}
    for path, name, domain in context.domains():
        number = domain.subnet_id
        if number is None:
            continue
        here = (*path, "subnet_id")
        if number >= count:
            detail = f"{context.base} holds {count} networks: subnet_id goes from 0 to {count - 1}, not to {number}."
            yield context.at(here, "subnet-id-out-of-range", detail, _hint(context))
        elif number in first:
            detail = f"Domain `{first[number]}` has subnet_id {number} already ({context.line(('domains', first[number], 'subnet_id'))})."
            yield context.at(here, "subnet-id-taken", detail, _hint(context))
        first.setdefault(number, name)


def _hint(context: Context) -> str | None:
    free = lowest_free(context)
    return None if free is None else f"The lowest free one is {free}."
