"""Profiles that Freehold makes in a domain's project by itself, and which profiles a machine has in the end. Pure.

A kind of built-in profiles is a module such as `gpu.py`. Used by `profiles.py` and `instances.py`.
"""

from collections.abc import Sequence

from freehold.model import Domain, Machine, Profile
from freehold.model.computer import Card
from freehold.model.virtual_machines import vm_profile
from freehold.providers.incus.gpu import gpu_profile


def built_in_of(machine: Machine, cards: Sequence[Card]) -> list[Profile]:
    """Those that a machine gets without naming them, or names."""
    possible = (vm_profile(machine), gpu_profile(machine, cards))
    return [profile for profile in possible if profile is not None]


def built_in_profiles(domain: Domain, cards: Sequence[Card]) -> list[Profile]:
    """Those that the machines of a domain need, each once."""
    needed = (profile for each in domain.machines for profile in built_in_of(each, cards))
    return list({profile.name: profile for profile in needed}.values())


def machine_profiles(domain: Domain, machine: Machine, cards: Sequence[Card]) -> list[Profile]:
    """All but `default`, in the order in which they apply: what infra.yml names may say more than what comes by itself."""
    built_in = {profile.name: profile for profile in built_in_of(machine, cards)}
    named = [
        found
        for name in machine.profiles
        if (found := built_in.pop(name, None) or domain.profile(name))
    ]
    return [*built_in.values(), *named]
