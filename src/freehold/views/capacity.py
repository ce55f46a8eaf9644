"""Who takes what of the computers that carry an estate, for people and as JSON. Called by `views.plan` and `cli.plan`."""

from collections.abc import Iterator, Sequence
from typing import Any, TextIO

from freehold.planning.capacity import LOCAL, Balance, Fit, Resource, Share
from freehold.planning.capacity_demand import amount
from freehold.planning.document import plan_document
from freehold.planning.plan import Plan
from freehold.views.tables import Column, table_lines
from freehold.views.terminal import Paper, Style, visible
from freehold.views.words import count

_HEADS = {
    Resource.CPUS: "CPUs",
    Resource.MEMORY: "memory",
    Resource.DISK: "disk",
    Resource.VRAM: "VRAM",
}
_NONE = "-"
_ASSUMED = "~"
_LEGEND = f"{_ASSUMED} counts a container without a limit as what one needs at rest."


def measured_plan_document(plan: Plan) -> dict[str, Any]:
    """As in the contract of `plan --json`: the plan, and the computers as it leaves them."""
    return {
        **plan_document(plan),
        "capacity": {"hosts": [_host_document(each) for each in plan.capacity]},
    }


def _host_document(fit: Fit) -> dict[str, Any]:
    capacity = fit.capacity
    ours, others = _parted(fit)
    return {
        "host": capacity.host,
        "measured": capacity.computer is not None,
        "reason": capacity.reason or None,
        "pool": capacity.pool,
        "resources": [_balance_document(balance) for balance in fit.balances],
        "machines": [
            {
                "machine": share.name,
                "type": "vm" if share.demand.is_vm else "container",
                **_amounts([share]),
                "assumed": sorted(share.demand.assumed),
            }
            for share in ours
        ],
        "others": {"number": len(others), **_amounts(others)},
    }


def _balance_document(balance: Balance) -> dict[str, Any]:
    return {
        "resource": balance.resource.value,
        "asked": balance.asked,
        "available": balance.available,
        "free": balance.free,
        "verdict": balance.verdict.value,
    }


def _amounts(shares: Sequence[Share]) -> dict[str, int]:
    return {resource.value: sum(share.takes(resource) for share in shares) for resource in Resource}


def _parted(fit: Fit) -> tuple[list[Share], list[Share]]:
    """The estate's shares in the order of their names, and everybody else's."""
    ours = sorted((each for each in fit.shares if each.is_ours), key=lambda each: each.name)
    return ours, [each for each in fit.shares if not each.is_ours]


def render_capacity(fits: Sequence[Fit], stream: TextIO) -> None:
    """Write a table for each computer, and an empty line after it."""
    paper = Paper(stream)
    for fit in fits:
        for line in _table(fit, paper):
            paper.line(line)
        paper.line()


def _table(fit: Fit, paper: Paper) -> Iterator[str]:
    host = "this computer" if fit.capacity.host == LOCAL else visible(fit.capacity.host)
    yield paper.paint(f"Who takes what of {host}", Style.BOLD)
    shown = [each for each in fit.balances if each.resource is not Resource.VRAM or each.asked]
    heads = [Column("machine"), *(Column(_HEADS[each.resource]) for each in shown)]
    yield from table_lines(heads, [*_takers(fit, shown), [], *_totals(shown)], paper)
    if any(share.demand.assumed for share in fit.shares):
        yield from paper.wrapped(_LEGEND)
    if fit.capacity.computer is None:
        yield from paper.wrapped(f"The computer was not measured: {visible(fit.capacity.reason)}.")


def _takers(fit: Fit, shown: Sequence[Balance]) -> Iterator[list[str]]:
    ours, others = _parted(fit)
    for share in ours:
        name = visible(share.name) + (" (vm)" if share.demand.is_vm else "")
        yield [name, *(_cell(balance.resource, [share]) for balance in shown)]
    if others:
        cells = (_cell(balance.resource, others) for balance in shown)
        yield [count(len(others), "other"), *cells]


def _cell(resource: Resource, shares: Sequence[Share]) -> str:
    assumed = any(resource.value in share.demand.assumed for share in shares)
    return _ASSUMED * assumed + _words(resource, sum(share.takes(resource) for share in shares))


def _words(resource: Resource, number: int) -> str:
    if not number:
        return _NONE
    return str(number) if resource is Resource.CPUS else amount(number)


def _totals(shown: Sequence[Balance]) -> list[list[str]]:
    return [
        ["together", *(_words(each.resource, each.asked) for each in shown)],
        ["there is", *map(_available, shown)],
        ["verdict", *(each.verdict.value for each in shown)],
    ]


def _available(balance: Balance) -> str:
    if balance.available is None:
        return "?"
    words = _words(balance.resource, balance.available)
    return words if balance.free is None else f"{words}, {amount(balance.free)} free"
