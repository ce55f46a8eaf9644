"""What goes inside a machine, as typed values: what `config` makes of `provision` and `providers.ansible` carries out. No I/O.

`provision` may stand in `defaults`, in a domain and in a machine. Lists add up in that order (`added`); variables stay where
they are written, for Ansible's own precedence lets the nearest win.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """A Git repository checked out at `dest`; `version` is a branch, tag or commit, None the repository's own choice."""

    repo: str
    dest: str
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A script of the estate's folder that runs inside; not again once `creates` is there."""

    src: str
    creates: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A file of the estate's folder, or a template, and where it goes. `mode` is octal text such as `0644`."""

    src: str
    dest: str
    owner: str | None = None
    group: str | None = None
    mode: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Provision:
    """What one place of infra.yml says goes inside machines."""

    apt: tuple[str, ...] = ()
    pip: tuple[str, ...] = ()
    git: tuple[Checkout, ...] = ()
    script: tuple[Script, ...] = ()
    files: tuple[Placed, ...] = ()
    templates: tuple[Placed, ...] = ()
    roles: tuple[str, ...] = ()
    vars: Mapping[str, object] = field(default_factory=dict)

    @property
    def asks(self) -> bool:
        """Whether there is anything to do; variables alone are nothing."""
        return any(getattr(self, name) for name in LISTS)

    @property
    def built_in(self) -> bool:
        """Whether the role `provision` has anything to do."""
        return any(getattr(self, name) for name in LISTS if name != "roles")

    def added(self, nearer: "Provision") -> "Provision":
        """This and what a nearer place adds, each thing once, in the order of its first mention; variables are the nearer's."""
        lists = {
            name: tuple(dict.fromkeys((*getattr(self, name), *getattr(nearer, name))))
            for name in LISTS
        }
        return Provision(**lists, vars=nearer.vars)


LISTS = tuple(each.name for each in fields(Provision) if each.name != "vars")
NOTHING = Provision()
