"""What the inside of a machine is made from: a digest of each input, so that a plan can say which one changed.

Called by `provisioning.py`. The inputs are those of Ansible's run on that machine: its roles, the variables of its groups and
its own, the files it is given, the playbook, and the versions of what does the work. Values of variables never show: only
digests of whole files do.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from freehold import __version__
from freehold.model import Host, Provision
from freehold.planning.resource import Fields
from freehold.providers.ansible.inventory import Inhabited, groups_of, inventory_name
from freehold.providers.ansible.managed import split
from freehold.providers.ansible.secret_lookups import looked_up
from freehold.providers.ansible.tree import SITE
from freehold.system.host_agent.agents import own_code
from freehold.system.secrets import Secrets

SECRETS = "secrets"
"""The field with the fingerprints of the secrets that go inside, by their names."""

SUFFIXES = ("", ".yml", ".yaml", ".json")
_VARIABLE_FOLDERS = (
    "group_vars", "host_vars", "inventory/group_vars", "inventory/host_vars",
)  # fmt: skip
_TREE_WIDE = ("library", "module_utils", "filter_plugins", "lookup_plugins", "action_plugins")
_SHARED = ("files", "templates")  # where roles of the tree's own may take files from
_BESIDE = {"__pycache__", "molecule"}  # folders in a role that no run reads
_CONTROL = {"control", "freehold.estate.control"}
_LENGTH = 12  # hexadecimal digits: 48 bits tell two states apart


class Inputs:
    """The inputs of one tree. `texts` are its files as they are to be, by name; others are read from `folder`, once each.

    Of `secrets` only fingerprints are taken, and only of those that the variables name.
    """

    def __init__(
        self, folder: Path, texts: Mapping[str, str], collection: Path, secrets: Secrets
    ) -> None:
        self._folder = folder
        self._texts = texts
        self._collection = collection
        self._secrets = secrets
        self._known: dict[Path, str] = {}
        self.versions = _versions()

    def fields(self, each: Inhabited) -> Fields:
        """The inputs of a machine or host."""
        wanted, names = each.provision, [*groups_of(each), inventory_name(each)]
        own_roles = [name for name in wanted.roles if self._own_role(name).is_dir()]
        return {
            **_lists(wanted),
            "system": _system(each),
            "roles": dict(self._roles(wanted)),
            "variables": dict(self._variables(names)),
            **self._named_secrets(names),
            "files": dict(self._files(wanted)),
            "tree": dict(self._tree(bool(own_roles))),
            "versions": self._versions(wanted),
        }

    def _versions(self, wanted: Provision) -> str:
        """The role `control` takes this very Freehold along, so there its code is an input too."""
        if any(name in _CONTROL and not self._own_role(name).is_dir() for name in wanted.roles):
            return f"{self.versions} with the code {own_code()[:_LENGTH]}"
        return self.versions

    def _own_role(self, name: str) -> Path:
        return self._folder / "roles" / name

    def _roles(self, wanted: Provision) -> Iterator[tuple[str, str]]:
        """Each role that runs, with those of the tree that it may depend on: all of them."""
        names = [*wanted.roles, *(["provision"] if wanted.built_in else [])]
        for name in names:
            own, ours = self._own_role(name), self._collection / "roles" / name.rsplit(".", 1)[-1]
            yield name, self._digest(own if own.is_dir() else ours)
        if any(self._own_role(name).is_dir() for name in names):
            yield "all of roles/", self._digest(self._folder / "roles")

    def _variables(self, names: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Every variables file of these groups and this host, in any of the shapes that Ansible reads."""
        for name in names:
            for folder in _VARIABLE_FOLDERS:
                for suffix in SUFFIXES:
                    inner = f"{folder}/{name}{suffix}"
                    if inner in self._texts:
                        yield inner, _short(self._texts[inner].encode())
                    elif (path := self._folder / inner).exists():
                        yield inner, self._digest(path)

    def _named_secrets(self, names: Iterable[str]) -> Fields:
        """The fingerprint of each secret that these variables ask for; no key where they ask for none."""
        asked = {
            secret
            for inner, _ in self._variables(names)
            for secret in looked_up(self._texts.get(inner, ""))
        }
        found = {name: self._secrets.fingerprint(name) for name in sorted(asked)}
        return {SECRETS: found} if found else {}

    def _files(self, wanted: Provision) -> Iterator[tuple[str, str]]:
        sources = {each.src for each in (*wanted.files, *wanted.templates)}
        for source in sorted(sources | {each.src for each in wanted.script}):
            yield source, self._digest(self._folder / source)

    def _tree(self, own_roles: bool) -> Iterator[tuple[str, str]]:
        if added := "\n".join(self._added_plays()):
            yield "site.yml", _short(added.encode())
        for name in (*_TREE_WIDE, *(_SHARED if own_roles else ())):
            if (path := self._folder / name).is_dir():
                yield f"{name}/", self._digest(path)

    def _added_plays(self) -> Iterator[str]:
        """The user's own part of the playbook; Freehold's follows from the roles, which are inputs themselves."""
        marked = split(self._texts.get(SITE, ""))
        for _, line in marked.user_lines() if marked else ():
            if line.strip() and not line.lstrip().startswith("#") and line.strip() != "---":
                yield line

    def _digest(self, path: Path) -> str:
        if path not in self._known:
            self._known[path] = _digest(path)
        return self._known[path]


def _system(each: Inhabited) -> str:
    if isinstance(each, Host):
        return f"host {each.architecture.value}"
    return f"{each.type.value} {each.image}"


def _versions() -> str:
    from importlib import metadata  # slow to import, and most commands never need it

    return f"ansible-core {metadata.version('ansible-core')}, freehold {__version__}"


def _lists(wanted: Provision) -> dict[str, Any]:
    """What is asked for in words: a plan shows it."""
    found: dict[str, Any] = {
        "apt": list(wanted.apt),
        "pip": list(wanted.pip),
        "git": [f"{each.repo} {each.version or ''}".rstrip() for each in wanted.git],
        "script": [each.src for each in wanted.script],
    }
    return {name: values for name, values in found.items() if values}


def _digest(path: Path) -> str:
    """Of a file's content, or of a folder's: names, which of them are programs, and contents. `absent` when it is not there."""
    if path.is_dir():
        total = hashlib.sha256()
        for each in sorted(path.rglob("*")):
            inner = each.relative_to(path)
            if each.is_file() and not _BESIDE.intersection(inner.parts):
                mode = "x" if each.stat().st_mode & 0o100 else "-"
                line = f"{inner}\0{mode}\0{_file(each)}\n"
                total.update(line.encode("utf-8", "surrogateescape"))
        return total.hexdigest()[:_LENGTH]
    return _file(path)[:_LENGTH] if path.is_file() else "absent"


def _file(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return "unreadable"


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_LENGTH]
