"""Everything that the in-memory Incus remembers, and the questions that several kinds of objects ask of it.

Made by `server.py`, changed by the handlers of the other modules.
"""

import uuid
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

from freehold.system.incus.api import ExecResult
from freehold.system.incus.fake.computer import FakeComputer
from freehold.system.incus.fake.documents import DEFAULT_PROJECT, Document
from freehold.system.incus.fake.routing import not_found, operation_failed
from freehold.system.incus.fake.usage import Usage

Key = tuple[str, str]
"""(project, name)"""
VolumeKey = tuple[str, str, str]
"""(pool, project, name)"""


@dataclass(slots=True)
class Behaviour:
    """What a test may set, at any time.

    `address_after`: how many reads of a started machine's state show no address yet. `agent_after`: the same for the
    agent of a VM. `virtual_machines`: whether the host runs VMs. `shuts_down`:
    whether guests obey a polite stop. `bridge_netfilter`: whether the host filters bridged IPv6. `commands`: answers of `execute` by the command's words joined with spaces.
    `computer`: what the host has.
    """

    address_after: int = 0
    agent_after: int = 2
    virtual_machines: bool = True
    shuts_down: bool = True
    bridge_netfilter: bool = True
    commands: dict[str, ExecResult] = field(default_factory=dict)
    computer: FakeComputer = field(default_factory=FakeComputer)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot of an instance or a volume: its document without what is computed on reading, and its data."""

    document: Document
    content: str


@dataclass(slots=True)
class State:
    """The objects by their keys; volumes by (pool, project, name), bridges by name, aliases to fingerprints.

    Of running instances: `leases` by (project, instance, device), `plugged` the bridge of each NIC they were given on.
    `content` is what instances and volumes hold, a text that only tests write: snapshots take it and bring it back.
    Snapshots are by name, the oldest first.
    """

    behaviour: Behaviour = field(default_factory=Behaviour)
    projects: dict[str, Document] = field(default_factory=dict)
    networks: dict[str, Document] = field(default_factory=dict)
    profiles: dict[Key, Document] = field(default_factory=dict)
    instances: dict[Key, Document] = field(default_factory=dict)
    snapshots: dict[Key, dict[str, Snapshot]] = field(default_factory=dict)
    volumes: dict[VolumeKey, Document] = field(default_factory=dict)
    volume_snapshots: dict[VolumeKey, dict[str, Snapshot]] = field(default_factory=dict)
    content: defaultdict[Key | VolumeKey, str] = field(default_factory=lambda: defaultdict(str))
    pools: dict[str, Document] = field(default_factory=dict)
    images: dict[str, Document] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    reads_since_start: dict[Key, int] = field(default_factory=dict)
    leases: dict[tuple[str, str, str], str] = field(default_factory=dict)
    plugged: dict[Key, dict[str, str]] = field(default_factory=dict)
    random: Random = field(default_factory=lambda: Random(0))  # noqa: S311 not for secrets

    def home(self, project: str, feature: str) -> str:
        """The project that really holds a project's things of one sort: `default` unless the feature is on."""
        config = self.require_project(project)["config"]
        return project if config.get(feature) == "true" else DEFAULT_PROJECT

    def require_project(self, name: str) -> Document:
        """The project. Raises Refusal when there is none."""
        if name not in self.projects:
            raise not_found(f'Failed loading project "{name}": Project not found')
        return self.projects[name]

    def require_instance(self, project: str, name: str) -> Document:
        """The instance. Raises Refusal when there is none, or no such project."""
        self.require_project(project)
        if (project, name) not in self.instances:
            raise not_found(
                f'Failed to fetch instance "{name}" in project "{project}": Instance not found'
            )
        return self.instances[project, name]

    def require_pool(self, name: str) -> Document:
        """The storage pool. Raises Refusal when there is none."""
        if name not in self.pools:
            raise not_found("Storage pool not found")
        return self.pools[name]

    def require_volume(self, project: str, pool: str, name: str) -> VolumeKey:
        """The key of a custom volume as a project sees it. Raises Refusal when there is none, or no such pool."""
        self.require_pool(pool)
        key = (pool, self.home(project, "features.storage.volumes"), name)
        if key not in self.volumes:
            raise not_found("Storage pool volume not found")
        return key

    def fingerprint(self, source: Mapping[str, Any], purpose: str) -> str:
        """The image that a source means. Raises Refusal (a failed operation) when there is none."""
        if "alias" in source:
            found = self.aliases.get(str(source["alias"]))
            matching = [] if found is None else [found]
        else:
            start = str(source.get("fingerprint", ""))
            matching = [each for each in self.images if start and each.startswith(start)]
        if len(matching) != 1:
            raise operation_failed(f"Image not provided for instance {purpose}")
        return matching[0]

    def new_uuid(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def new_hardware_address(self) -> str:
        """A MAC address with Incus's own prefix."""
        return "10:66:6a:" + ":".join(f"{self.random.getrandbits(8):02x}" for _ in range(3))

    def operation(
        self,
        description: str,
        resources: Mapping[str, list[str]] | None = None,
        metadata: Document | None = None,
    ) -> Document:
        """The last state of an operation that ended well."""
        return {
            "id": self.new_uuid(),
            "class": "task",
            "description": description,
            "status": "Success",
            "status_code": 200,
            "resources": dict(resources or {}),
            "metadata": metadata,
            "may_cancel": False,
            "err": "",
            "location": "none",
        }


def now() -> str:
    """This moment as the API writes it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
