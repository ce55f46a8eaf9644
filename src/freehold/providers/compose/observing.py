"""All targets of an estate in one observation: what runs there, what is not ours, and what nobody could look at. Pure; called by `provider`."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from freehold.diagnostics import BackendError, Diagnostic
from freehold.model import Infra
from freehold.planning.address import Address
from freehold.planning.capacity_demand import amount, services_memory
from freehold.planning.resource import Observed
from freehold.providers.compose import places, plan_problems, problems, seen, strangers
from freehold.providers.compose.look import Found
from freehold.providers.protocol import Observation
from freehold.system.targets import TargetUnreached

_TIGHT = 0.9
"""The share of a host's memory that its services may take at rest; the system and what they do take some too."""

Looks = Mapping[str, Found | BackendError]
"""What each target answered, by its name."""


def observation(
    infra: Infra, looks: Looks, files: Mapping[Address, Observed], *, ends: bool
) -> Observation:
    """Of all looks, and of the estate's folder. With `ends` all of the estate is to go: nothing takes anybody's place then."""
    observed, unseen, unreached = dict(files), {}, {}
    said: list[Diagnostic] = []
    for seen_file in _of_hosts_gone(infra, files):
        target = places.target_of(seen_file.address)
        observed[seen_file.address] = replace(
            seen_file, protected=True, unprotect=f"rm -r compose/{target}"
        )
        said.append(plan_problems.host_gone(infra.name, target, seen_file.fields["services"]))
    for target, found in looks.items():
        if isinstance(found, Found):
            observed |= {each.address: each for each in _services(infra, target, found, ends)}
            said += strangers.shared_project(infra, target, found)
            said += _room(infra, target, found)
        elif isinstance(found, TargetUnreached) and infra.host(target):
            unreached[target] = found.diagnostics[0]
        else:
            services = [each.name for each in places.own_services(infra, target)]
            problem = problems.not_looked_at(target, services, found.diagnostics[0])
            unseen[f"{places.SERVICE}:{target}"] = problem
    return Observation(observed, tuple(said), unseen=unseen, unreached=unreached)


def _room(infra: Infra, target: str, found: Found) -> Iterator[Diagnostic]:
    """A warning where the services of a host leave it too little memory. What machines take is counted with all of their computer."""
    if found.memory and infra.host(target):
        taken = services_memory(infra, target)
        if taken > found.memory * _TIGHT:
            yield plan_problems.memory_tight(target, amount(taken), amount(found.memory))


def _of_hosts_gone(infra: Infra, files: Mapping[Address, Observed]) -> Iterator[Observed]:
    """The Compose files of hosts that infra.yml no longer names: what they say ran there when they were last looked at."""
    for address, each in files.items():
        if infra.host(address.domain) is None and not address.name and each.fields.get("services"):
            yield each


def _services(infra: Infra, target: str, found: Found, ends: bool) -> Iterable[Observed]:
    wanted = [] if ends else [each.name for each in places.own_services(infra, target)]
    own = seen.services(target, infra.name, found, wanted)
    alone = {} if ends else strangers.left_alone(infra, target, found, own)
    return {**own, **alone}.values()
