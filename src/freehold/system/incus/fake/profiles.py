"""`/profiles` of the in-memory Incus. Routes for `server.py`."""

from collections.abc import Mapping
from typing import Any

from freehold.system.incus.fake import devices
from freehold.system.incus.fake.documents import (
    DEFAULT_PROJECT,
    Document,
    copied,
    devices_of,
    listing,
    required_name,
    text_of,
    texts_of,
    url,
)
from freehold.system.incus.fake.expansion import profile_home, store
from freehold.system.incus.fake.options import instance_problem
from freehold.system.incus.fake.power import settle_leases
from freehold.system.incus.fake.routing import Refusal, Request, Routes, not_found
from freehold.system.incus.fake.state import Key, State


def default_profile(project: str) -> Document:
    """The profile that every project with profiles of its own starts with."""
    suffix = "" if project == DEFAULT_PROJECT else f" for project {project}"
    return {
        "name": "default",
        "description": f"Default Incus profile{suffix}",
        "config": {},
        "devices": {},
        "project": project,
    }


def _list(state: State, request: Request) -> list[Any]:
    chosen = list(state.profiles)
    if not request.everywhere:
        home = profile_home(state, request.project)
        chosen = [key for key in chosen if key[0] == home]
    return listing(
        request,
        sorted(chosen),
        lambda key: _rendered(state, key),
        lambda key: url("/profiles", key[1], key[0]),
    )


def _get(state: State, request: Request, name: str) -> Document:
    return _rendered(state, _found(state, request, name, "Fetch profile: Profile not found"))


def _create(state: State, request: Request) -> None:
    home = profile_home(state, request.project)
    name = required_name(request.body)
    if "/" in name:
        raise Refusal(400, "Profile names may not contain slashes")
    if (home, name) in state.profiles:
        raise Refusal(500, f'Error inserting "{name}" into database: The profile already exists')
    config, given = texts_of(request.body, "config"), devices_of(request.body)
    if problem := instance_problem(config, None) or devices.invalid(state, given):
        raise Refusal(400, problem)
    state.profiles[home, name] = {
        "name": name,
        "description": text_of(request.body, "description"),
        "config": config,
        "devices": given,
        "project": home,
    }


def _replace(state: State, request: Request, name: str) -> Document:
    key = _found(state, request, name, f'Failed to retrieve profile "{name}": Profile not found')
    body = request.body
    return _write(
        state, key, texts_of(body, "config"), devices_of(body), text_of(body, "description")
    )


def _patch(state: State, request: Request, name: str) -> Document:
    key = _found(state, request, name, f'Failed to retrieve profile "{name}": Profile not found')
    profile = state.profiles[key]
    config = {**profile["config"], **texts_of(request.body, "config")}
    given = {**profile["devices"], **devices_of(request.body)}
    description = request.body.get("description") or profile["description"]
    return _write(state, key, config, given, description)


def _write(
    state: State,
    key: Key,
    config: dict[str, str],
    given: dict[str, dict[str, str]],
    description: str,
) -> Document:
    """A change is saved even when some of the instances that use the profile cannot follow it."""
    if problem := instance_problem(config, None) or devices.invalid(state, given):
        raise Refusal(404 if problem.endswith("not found") else 500, problem)
    if _takes_roots_away(state, key, given):
        raise Refusal(500, "At least one instance relies on this profile's root disk device")
    state.profiles[key] = {
        **state.profiles[key],
        "config": config,
        "devices": given,
        "description": description,
    }
    if failures := _followed(state, key):
        lines = "".join(f" - {line}\n" for line in failures)
        raise Refusal(
            500, f"The following instances failed to update (profile change still saved):\n{lines}"
        )
    return {}


def _takes_roots_away(state: State, key: Key, given: Mapping[str, Mapping[str, str]]) -> bool:
    if devices.has_root(given) or not devices.has_root(state.profiles[key]["devices"]):
        return False
    return any(
        not devices.has_root(_other_devices(state, user, key))
        for user in state.usage.profiles.get(key, ())
    )


def _other_devices(state: State, user: Key, without: Key) -> dict[str, dict[str, str]]:
    instance = state.instances[user]
    found: dict[str, dict[str, str]] = {}
    for name in instance["profiles"]:
        if name != without[1]:
            found.update(state.profiles[without[0], name]["devices"])
    return {**found, **instance["devices"]}


def _followed(state: State, key: Key) -> list[str]:
    """Bring the instances that use a profile up to date; the problems of those that are no longer valid."""
    failures = []
    for user in list(state.usage.profiles.get(key, ())):
        instance = state.instances[user]
        store(state, user, instance)
        if problem := devices.invalid(state, instance["expanded_devices"]):
            failures.append(f"Project: {user[0]}, Instance: {user[1]}: Invalid devices: {problem}")
        else:
            settle_leases(state, user)
    return failures


def _rename(state: State, request: Request, name: str) -> None:
    if name == "default":
        raise Refusal(403, 'The "default" profile cannot be renamed')
    key = _found(state, request, name, f'Failed loading profile "{name}": Profile not found')
    wanted = required_name(request.body)
    if (key[0], wanted) in state.profiles:
        raise Refusal(500, f'Profile "{wanted}" already exists')
    users = list(state.usage.profiles.get(key, ()))
    state.profiles[key[0], wanted] = {**state.profiles.pop(key), "name": wanted}
    for user in users:
        instance = state.instances[user]
        instance["profiles"] = [wanted if each == name else each for each in instance["profiles"]]
        store(state, user, instance)


def _delete(state: State, request: Request, name: str) -> Document:
    if name == "default":
        raise Refusal(403, 'The "default" profile cannot be deleted')
    key = _found(state, request, name, "Profile not found")
    if state.usage.profiles.get(key):
        raise Refusal(500, "Profile is currently in use")
    del state.profiles[key]
    return {}


def _found(state: State, request: Request, name: str, otherwise: str) -> Key:
    key = (profile_home(state, request.project), name)
    if key not in state.profiles:
        raise not_found(otherwise)
    return key


def _rendered(state: State, key: Key) -> Document:
    users = [
        url("/instances", name, project) for project, name in state.usage.profiles.get(key, {})
    ]
    return {**copied(state.profiles[key]), "used_by": users}


ROUTES: Routes = {
    ("GET", "/profiles"): _list,
    ("POST", "/profiles"): _create,
    ("GET", "/profiles/{name}"): _get,
    ("PUT", "/profiles/{name}"): _replace,
    ("PATCH", "/profiles/{name}"): _patch,
    ("POST", "/profiles/{name}"): _rename,
    ("DELETE", "/profiles/{name}"): _delete,
}
