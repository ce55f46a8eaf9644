"""What an instance gets from its profiles: `expanded_config` and `expanded_devices`, and the indices that follow.

Called after every change of an instance or of one of its profiles.
"""

from freehold.system.incus.fake.documents import Document, copied
from freehold.system.incus.fake.state import Key, State


def profile_home(state: State, project: str) -> str:
    """The project whose profiles the instances of a project use."""
    return state.home(project, "features.profiles")


def volume_home(state: State, project: str) -> str:
    """The project whose volumes the instances of a project use."""
    return state.home(project, "features.storage.volumes")


def expand(state: State, instance: Document) -> None:
    """Compute what profiles and the instance itself say together; the instance wins, then the later profile."""
    home = profile_home(state, instance["project"])
    config: dict[str, str] = {}
    devices: dict[str, dict[str, str]] = {}
    for name in instance["profiles"]:
        profile = state.profiles[home, name]
        config.update(profile["config"])
        devices.update(profile["devices"])
    instance["expanded_config"] = {**config, **instance["config"]}
    instance["expanded_devices"] = copied({**devices, **instance["devices"]})


def store(state: State, key: Key, instance: Document) -> None:
    """Keep an instance: expand it and bring the indices up to date."""
    expand(state, instance)
    state.instances[key] = instance
    project = key[0]
    state.usage.add(key, instance, profile_home(state, project), volume_home(state, project))


def forget(state: State, key: Key) -> Document:
    """Take an instance away with its snapshots, its content and its leases."""
    state.usage.remove(key)
    state.reads_since_start.pop(key, None)
    state.plugged.pop(key, None)
    state.snapshots.pop(key, None)
    state.content.pop(key, None)
    instance = state.instances.pop(key)
    for name in instance["expanded_devices"]:
        state.leases.pop((*key, name), None)
    return instance
