"""subnet_id: in range, and each taken once."""

from collections.abc import Iterator

from freehold.config.checks.context import Context
from freehold.diagnostics import Diagnostic
from freehold.model.addresses import subnet_count


def lowest_free(context: Context) -> int | None:
    """The lowest subnet_id that no domain has; None when the network is full or not understood."""
    if context.base is None:
        return None
    taken = {domain.subnet_id for _, _, domain in context.domains()}
    count = min(subnet_count(context.base), len(taken) + 1)
    return next((number for number in range(count) if number not in taken), None)


def subnet_ids(context: Context) -> Iterator[Diagnostic]:
    """Each inside the base network and unique."""
    first: dict[int, str] = {}
    hint = _hint(context)
    for path, name, domain in context.domains():
        number = domain.subnet_id
        if number is None:
            continue
        here = (*path, "subnet_id")
        if too_large := _outside(context, number):
            yield context.at(here, "subnet-id-out-of-range", too_large, hint)
        elif number in first:
            line = context.line(("domains", first[number], "subnet_id"))
            detail = f"Domain `{first[number]}` has subnet_id {number} already ({line})."
            yield context.at(here, "subnet-id-taken", detail, hint)
        first.setdefault(number, name)


def _outside(context: Context, number: int) -> str | None:
    base = context.base
    if base is None or number < subnet_count(base):
        return None
    last = subnet_count(base) - 1
    return f"{number} is too large: {base} has the numbers 0 to {last}."


def _hint(context: Context) -> str | None:
    free = lowest_free(context)
    return None if free is None else f"The lowest free one is {free}."
