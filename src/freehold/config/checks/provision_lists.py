"""Lists of `provision` after they are added up: nothing twice, and one thing only at each path of a machine."""

from collections.abc import Iterator
from typing import Any

from freehold.config.checks.context import Context
from freehold.config.inside_formats import apt_name, pip_name
from freehold.config.places import KeyPath
from freehold.config.provision import Provision
from freehold.diagnostics import Diagnostic

_AT_PATHS = ("git", "files", "templates")

_Identity = tuple[str, object]
"""What two items must not have in common: a package, a role, a path in the machine."""

_Seen = dict[_Identity, tuple[KeyPath, Any]]


def provision_lists(context: Context) -> Iterator[Diagnostic]:
    """Where two places say exactly the same it counts once; anything else would be two answers to one question."""
    everywhere: _Seen = {}
    document = context.document
    yield from _added(context, everywhere, ("defaults", "provision"), document.defaults.provision)
    for path, _, domain in context.domains():
        in_domain = dict(everywhere)
        yield from _added(context, in_domain, (*path, "provision"), domain.provision)
        for name, machine in domain.machines.items():
            here = (*path, "machines", name, "provision")
            if machine.provision.model_fields_set:
                yield from _added(context, dict(in_domain), here, machine.provision)
    for path, host in context.hosts():
        yield from _added(context, {}, (*path, "provision"), host.provision)


def _added(context: Context, seen: _Seen, path: KeyPath, part: Provision) -> Iterator[Diagnostic]:
    for here, identity, item in _items(path, part):
        other, known = seen.setdefault(identity, (here, item))
        if other == here or (known == item and other[: len(path)] != path):
            continue
        yield _twice(context, here, identity, other)


def _items(path: KeyPath, part: Provision) -> Iterator[tuple[KeyPath, _Identity, Any]]:
    for index, package in enumerate(part.apt):
        yield (*path, "apt", index), ("package", apt_name(package)), package
    for index, requirement in enumerate(part.pip):
        yield (*path, "pip", index), ("requirement", pip_name(requirement)), requirement
    for index, script in enumerate(part.script):
        yield (*path, "script", index), ("script", (script.src, script.creates)), script
    for index, role in enumerate(part.roles):
        yield (*path, "roles", index), ("role", role), role
    for kind in _AT_PATHS:
        for index, placed in enumerate(getattr(part, kind)):
            yield (*path, kind, index), ("path", placed.dest), (kind, placed)


def _twice(context: Context, path: KeyPath, identity: _Identity, other: KeyPath) -> Diagnostic:
    kind, value = identity
    there = context.line(other)
    if kind == "path":
        detail = f"`{value}` is what {context.tree.text(other)} ({there}) makes already."
        return context.at((*path, "dest"), "destination-taken", detail)
    shown = f"`{value[0]}`" if isinstance(value, tuple) else f"`{value}`"
    return context.at(path, "listed-twice", f"The {kind} {shown} stands in {there} already.")
