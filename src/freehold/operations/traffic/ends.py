"""Who takes part: the machines with their addresses, and which pairs of them are tried. Pure; called by `verify`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from freehold.model import Infra
from freehold.planning.address import Address
from freehold.planning.resource import Desired, Observed
from freehold.planning.selection import Selection
from freehold.providers.incus.instances import KIND, instance_address

MOST_MACHINES = 40  # up to here every pair is tried
MOST_DOMAINS = 40  # up to here every gateway is tried


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """A machine. `problem` says why it can neither send nor receive; empty when it runs."""

    name: str
    domain: str
    instance: str
    address: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """The machines that take part and the pairs that are tried; `note` says what was left out."""

    machines: tuple[End, ...]
    pairs: tuple[tuple[End, End], ...]
    sources: tuple[End, ...]
    note: str = ""


def ends(
    infra: Infra, desired: Mapping[Address, Desired], observed: Mapping[Address, Observed]
) -> tuple[End, ...]:
    """Every machine of the estate with the address that it is to have."""
    return tuple(
        End(
            name=machine.key,
            domain=machine.domain,
            instance=machine.instance,
            address=desired[address].fields["devices"]["eth0"]["ipv4.address"],
            problem=_problem(observed.get(address)),
        )
        for machine in infra.machines()
        for address in [instance_address(machine.domain, machine.name)]
    )


def _problem(seen: Observed | None) -> str:
    if seen is None:
        return "it does not exist"
    if not seen.owned:
        return "it does not belong to this estate"
    state = str(seen.fields["state"])
    return "" if state == "running" else f"it is {state}"


def scope(infra: Infra, machines: Sequence[End], selection: Selection) -> Scope:
    """All pairs; in a large estate one machine of each domain, and whoever a policy names.

    With --limit, those pairs of which one end is in it.
    """
    chosen = {end.name for end in machines if _selected(selection, end)}
    some, note = _taking_part(infra, machines)
    pairs = tuple(
        (source, target)
        for source, target in _pairs(some)
        if source.name in chosen or target.name in chosen
    )
    within = {end.name for pair in pairs for end in pair} | (chosen & {end.name for end in some})
    taking_part = tuple(end for end in some if end.name in within)
    return Scope(taking_part, pairs, tuple(e for e in taking_part if e.name in chosen), note)


def _selected(selection: Selection, end: End) -> bool:
    return selection.includes(Address(end.domain, KIND.name, end.name.partition("/")[2]))


def _pairs(machines: Sequence[End]) -> Iterator[tuple[End, End]]:
    return ((one, other) for one in machines for other in machines if one is not other)


def _taking_part(infra: Infra, machines: Sequence[End]) -> tuple[Sequence[End], str]:
    if len(machines) <= MOST_MACHINES:
        return machines, ""
    named = {end for policy in infra.policies for end in (policy.source, policy.target)}
    first: dict[str, End] = {}
    for end in sorted(machines, key=lambda end: bool(end.problem)):  # one that runs, where there is
        first.setdefault(end.domain, end)
    some = [end for end in machines if first[end.domain] is end or end.name in named]
    note = (
        f"The estate has {len(machines)} machines: {len(some)} of them were tried, one of each domain and those "
        f"that policies name. Name domains with --limit to look at others."
    )
    return some, note
