"""What every cross-check gets: the document that passed validation, and the tree for places and names."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from ipaddress import IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING

from freehold.config.codes import problem
from freehold.config.config_keys import ConfigKeys
from freehold.config.document import (
    DEFAULT_BASE,
    Document,
    DomainPart,
    MachinePart,
    PolicyPart,
    ProfilePart,
)
from freehold.config.hosts import HostPart
from freehold.config.part import Part
from freehold.config.places import KeyPath, PlacedMap, Tree
from freehold.config.provision import Provision
from freehold.diagnostics import Diagnostic, did_you_mean

if TYPE_CHECKING:
    from freehold.config.placing import Placing

DOMAINS: KeyPath = ("domains",)
HOSTS: KeyPath = ("hosts",)

_MOST_COMPARED = 200


@dataclass(frozen=True, slots=True)
class Context:
    """`policy_indexes` are those of the document's policies in the tree, `folder` that of infra.yml.

    `placing` is None in an estate without services; `today` the day on which ends of life are looked at, None for this one.
    """

    tree: Tree
    document: Document
    folder: Path
    policy_indexes: tuple[int, ...] = ()
    known_config: ConfigKeys | None = None
    placing: "Placing | None" = None
    today: date | None = None

    @property
    def base(self) -> IPv4Network | None:
        """The estate's network; None when what is written cannot be used, so that nothing can be said of addresses."""
        if not self.understood(("network", "base"), self.document.network):
            return None
        return self.document.network.base or IPv4Network(DEFAULT_BASE)

    def understood(self, path: KeyPath, part: Part) -> bool:
        """Whether a key of `part` is left out by the user or passed validation, so that its value may be relied on."""
        parent = self.tree.get(path[:-1])
        if parent is not None and not isinstance(parent, PlacedMap):
            return False
        return parent is None or path[-1] not in parent or path[-1] in part.model_fields_set

    def domains(self) -> Iterator[tuple[KeyPath, str, DomainPart]]:
        """Every domain with its path and name."""
        for name, domain in self.document.domains.items():
            yield ("domains", name), name, domain

    def machines(self) -> Iterator[tuple[KeyPath, DomainPart, MachinePart]]:
        """Every machine with its path `(domains, D, machines, M)` and its domain."""
        for path, _, domain in self.domains():
            for name, machine in domain.machines.items():
                yield (*path, "machines", name), domain, machine

    def profiles(self) -> Iterator[tuple[KeyPath, ProfilePart]]:
        """Every profile with its path."""
        for path, _, domain in self.domains():
            for name, profile in domain.profiles.items():
                yield (*path, "profiles", name), profile

    def hosts(self) -> Iterator[tuple[KeyPath, HostPart]]:
        """Every host with its path `(hosts, H)`."""
        for name, host in self.document.hosts.items():
            yield (*HOSTS, name), host

    def provisions(self) -> Iterator[tuple[KeyPath, Provision]]:
        """What stands in `defaults`, in domains, in machines and in hosts about their inside, with its path."""
        yield ("defaults", "provision"), self.document.defaults.provision
        for path, _, domain in self.domains():
            yield (*path, "provision"), domain.provision
        for path, _, machine in self.machines():
            yield (*path, "provision"), machine.provision
        for path, host in self.hosts():
            yield (*path, "provision"), host.provision

    def policies(self) -> Iterator[tuple[KeyPath, PolicyPart]]:
        """Every policy with its path."""
        for index, policy in zip(self.policy_indexes, self.document.policies, strict=True):
            yield ("policies", index), policy

    def at(self, path: KeyPath, code: str, detail: str, hint: str | None = None) -> Diagnostic:
        """A problem with a value."""
        return problem(code, detail, self.tree.source(path), hint)

    def at_key(self, path: KeyPath, code: str, detail: str, hint: str | None = None) -> Diagnostic:
        """A problem with a name or with all that stands below it."""
        return problem(code, detail, self.tree.source(path, key=True), hint)

    def line(self, path: KeyPath) -> str:
        """The place in short, `infra.yml:12`, for a message about another place."""
        source = self.tree.source(path)
        return f"{source.file}:{source.line}" if source else "another file"


def suggestion(word: str, valid: Collection[str]) -> str | None:
    """The nearest of names of the user's, of which there may be thousands: comparing with each takes long."""
    if len(valid) > _MOST_COMPARED:
        valid = [name for name in valid if name[:1] == word[:1]][:_MOST_COMPARED]
    return did_you_mean(word, valid)


def key_of(path: KeyPath) -> str:
    """How users name the machine at this path: `homelab/llm`."""
    return f"{path[1]}/{path[3]}"
