"""Roles that `provision` names: there are such, and they run inside machines."""

from collections.abc import Iterator

from freehold.config.checks.context import Context, suggestion
from freehold.config.collection import BUILT_IN, COLLECTION, roles_in, runs_by_name, shipped_roles
from freehold.config.places import KeyPath
from freehold.diagnostics import Diagnostic


def roles(context: Context) -> Iterator[Diagnostic]:
    """A role of `roles/` beside infra.yml, one that comes with Freehold, or one of another collection, named in full."""
    own = roles_in(context.folder / "roles")
    for path, part in context.provisions():
        for index, name in enumerate(part.roles):
            yield from _problems(context, (*path, "roles", index), name, own)


def _problems(
    context: Context, path: KeyPath, name: str, own: frozenset[str]
) -> Iterator[Diagnostic]:
    short = name.removeprefix(f"{COLLECTION}.")
    shipped = shipped_roles()
    if short in shipped and not runs_by_name(short):
        yield context.at(path, "role-not-for-machines", *_runs_elsewhere(short))
    elif name not in own and short not in shipped and not _of_another_collection(name):
        usable = own | {role for role in shipped if runs_by_name(role)}
        detail = f"There is no role `{name}` in `roles/` beside infra.yml, and none that comes with Freehold."
        yield context.at(path, "unknown-role", detail, suggestion(short, usable))


def _of_another_collection(name: str) -> bool:
    """Whether it is named in full: Ansible knows whether it is installed."""
    return name.count(".") == 2 and not name.startswith(f"{COLLECTION}.")


def _runs_elsewhere(name: str) -> tuple[str, str]:
    if name == BUILT_IN:
        hint = "Remove it: it runs where `apt`, `pip`, `git`, `script`, `files` or `templates` say something."
        return f"`{name}` is the role that carries out the other keys of `provision`.", hint
    return f"`{name}` makes what a domain has in Incus.", "Remove it: site.yml runs it already."
