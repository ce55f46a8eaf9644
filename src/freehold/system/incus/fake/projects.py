"""`/projects` of the in-memory Incus. Routes for `server.py`."""

from collections.abc import Iterator, Mapping
from typing import Any

from freehold.system.incus.fake.documents import (
    DEFAULT_PROJECT,
    Document,
    copied,
    listing,
    required_name,
    text_of,
    texts_of,
    url,
)
from freehold.system.incus.fake.options import PROJECT_FEATURES, is_true, project_problem
from freehold.system.incus.fake.profiles import default_profile
from freehold.system.incus.fake.routing import Refusal, Request, Routes, not_found, operation_failed
from freehold.system.incus.fake.state import State

_ON_FROM_THE_START = (
    "features.images",
    "features.profiles",
    "features.storage.buckets",
    "features.storage.volumes",
)


def default_project() -> Document:
    """The project that is always there."""
    config = dict.fromkeys(PROJECT_FEATURES, "true")
    return {"name": DEFAULT_PROJECT, "description": "Default Incus project", "config": config}


def _list(state: State, request: Request) -> list[Any]:
    inhabitants = _inhabitants(state)
    return listing(
        request,
        sorted(state.projects.values(), key=lambda project: str(project["name"])),
        lambda project: _rendered(project, inhabitants.get(project["name"], [])),
        lambda project: url("/projects", project["name"]),
    )


def _get(state: State, request: Request, name: str) -> Document:
    return _rendered(_project(state, name), _inhabitants(state).get(name, []))


def _create(state: State, request: Request) -> None:
    name = required_name(request.body)
    _check_name(name)
    config = texts_of(request.body, "config")
    _check_config(config)
    if name in state.projects:
        raise Refusal(
            500,
            f'Failed creating project "{name}": Failed adding database record: Failed to create "projects" entry: '
            "UNIQUE constraint failed: projects.name",
        )
    config = {**dict.fromkeys(_ON_FROM_THE_START, "true"), **config}
    description = text_of(request.body, "description")
    state.projects[name] = {"name": name, "description": description, "config": config}
    if is_true(config["features.profiles"]):
        state.profiles[name, "default"] = default_profile(name)


def _replace(state: State, request: Request, name: str) -> Document:
    return _write(
        state, name, texts_of(request.body, "config"), text_of(request.body, "description")
    )


def _patch(state: State, request: Request, name: str) -> Document:
    project = _project(state, name)
    config = texts_of(request.body, "config") if "config" in request.body else project["config"]
    description = request.body.get("description", project["description"])
    return _write(state, name, config, description)


def _write(state: State, name: str, config: dict[str, str], description: str) -> Document:
    """A feature that is not given is switched off, which only an empty project allows."""
    project = _project(state, name)
    _check_config(config)
    before = project["config"]
    for feature in PROJECT_FEATURES:
        if is_true(before.get(feature)) == is_true(config.get(feature)):
            continue
        if not _is_empty(state, name):
            verb = "enabled" if is_true(config.get(feature)) else "disabled"
            raise Refusal(
                400, f'Project feature "{feature}" cannot be {verb} on non-empty projects'
            )
        if feature == "features.profiles":
            _switch_profiles(state, name, on=is_true(config.get(feature)))
    state.projects[name] = {**project, "config": dict(config), "description": description}
    return {}


def _switch_profiles(state: State, name: str, *, on: bool) -> None:
    if on:
        state.profiles[name, "default"] = default_profile(name)
    else:
        state.profiles.pop((name, "default"), None)


def _rename(state: State, request: Request, name: str) -> Document:
    project = _project(state, name)
    wanted = required_name(request.body)
    _check_name(wanted)
    if wanted in state.projects:
        raise operation_failed(f'A project named "{wanted}" already exists')
    if name == DEFAULT_PROJECT:
        raise Refusal(403, "The 'default' project cannot be renamed")
    if not _is_empty(state, name):
        raise operation_failed("Only empty projects can be renamed")
    state.projects[wanted] = {**state.projects.pop(name), "name": wanted}
    if is_true(project["config"].get("features.profiles")):
        profile = state.profiles.pop((name, "default"))
        state.profiles[wanted, "default"] = {**profile, "project": wanted}
    return state.operation("Renaming project")


def _delete(state: State, request: Request, name: str) -> Document:
    if name == DEFAULT_PROJECT:
        raise Refusal(403, "The 'default' project cannot be deleted")
    if name not in state.projects:
        raise not_found(f'Fetch project "{name}": Project not found')
    if not _is_empty(state, name):
        raise Refusal(500, "Only empty projects can be removed.")
    del state.projects[name]
    state.profiles.pop((name, "default"), None)
    return {}


def _is_empty(state: State, name: str) -> bool:
    """The default profile does not count."""
    own = url("/profiles", "default", name)
    return all(address == own for address in _inhabitants(state).get(name, []))


def _inhabitants(state: State) -> Mapping[str, list[str]]:
    """The addresses of everything in each project, in one walk."""
    found: dict[str, list[str]] = {}
    for project, address in _addresses(state):
        found.setdefault(project, []).append(address)
    return found


def _addresses(state: State) -> Iterator[tuple[str, str]]:
    for project, name in state.instances:
        yield project, url("/instances", name, project)
    for fingerprint in state.images:
        yield DEFAULT_PROJECT, url("/images", fingerprint)
    for name in state.networks:
        yield DEFAULT_PROJECT, url("/networks", name)
    for project, name in state.profiles:
        yield project, url("/profiles", name, project)
    for pool, project, name in state.volumes:
        yield project, url(f"/storage-pools/{pool}/volumes/custom", name, project)


def _rendered(project: Document, inhabitants: list[str]) -> Document:
    return {**copied(project), "used_by": list(inhabitants)}


def _project(state: State, name: str) -> Document:
    if name not in state.projects:
        raise not_found("Project not found")
    return state.projects[name]


def _check_name(name: str) -> None:
    for character, called in (("/", "slashes"), (" ", "spaces"), ("_", "underscores")):
        if character in name:
            raise Refusal(400, f"Project names may not contain {called}")


def _check_config(config: Mapping[str, str]) -> None:
    if problem := project_problem(config):
        raise Refusal(400, problem)


ROUTES: Routes = {
    ("GET", "/projects"): _list,
    ("POST", "/projects"): _create,
    ("GET", "/projects/{name}"): _get,
    ("PUT", "/projects/{name}"): _replace,
    ("PATCH", "/projects/{name}"): _patch,
    ("POST", "/projects/{name}"): _rename,
    ("DELETE", "/projects/{name}"): _delete,
}
