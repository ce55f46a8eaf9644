"""The in-memory Incus itself: the protocol `Incus` over the handlers of this package, and what tests may do to it."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from freehold.system.incus.api import ExecResult, IncusError, Progress
from freehold.system.incus.fake import (
    images,
    instance_changes,
    instances,
    networks,
    power,
    profiles,
    projects,
    resources,
    snapshots,
    volume_snapshots,
    volumes,
)
from freehold.system.incus.fake.documents import Document, copied
from freehold.system.incus.fake.faults import Faults
from freehold.system.incus.fake.machine_state import agent_answers
from freehold.system.incus.fake.options import configuration_metadata
from freehold.system.incus.fake.routing import (
    Refusal,
    Request,
    Router,
    Routes,
    operation_failed,
)
from freehold.system.incus.fake.state import Behaviour, State

EXTENSIONS = (
    "projects",
    "instances",
    "instances_rebuild",
    "metadata_configuration",
    "init_preseed",
)


@dataclass(frozen=True, slots=True)
class Write:
    """A write request as it came in, whatever became of it."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        project = f" in {self.query['project']}" if "project" in self.query else ""
        return f"{self.method} {self.path}{project}"


class FakeIncus:
    """An Incus server in memory.

    A fresh one has the project `default`, a btrfs pool and a default profile with a root disk, as a lab has. Tests may
    read `writes` (every write request) and `reads` (their number), set `behaviour`, and order `fail_next` and `slow`.
    `state` is for what no request can do.
    """

    def __init__(
        self, images: Iterable[str] = (), vm_images: Iterable[str] = (), pool: str = "default"
    ) -> None:
        self.behaviour = Behaviour()
        self.state = _fresh(self.behaviour, pool)
        for alias in images:
            self.add_image(alias)
        for alias in vm_images:
            self.add_image(alias, "virtual-machine")
        self.writes: list[Write] = []
        self.reads = 0
        self._faults = Faults()
        self._router = Router([_SERVER, *(module.ROUTES for module in _MODULES)])

    def add_image(self, alias: str, image_type: str = "container") -> str:
        """Put an image there; its fingerprint. `image_type`: container or virtual-machine."""
        return images.preload(self.state, alias, image_type)

    def fail_next(
        self, method: str, path: str, error: Exception, *, after: bool = False, times: int = 1
    ) -> None:
        """Let the next request (`times`: that many) fail; `after`: once it has taken effect. `*` matches anything.

        The path is below `/1.0`. The error is what the client raises: IncusError, IncusInterrupted, IncusUnavailable.
        """
        self._faults.order(method, path, error, after=after, times=times)

    def slow(self, method: str, path: str, seconds: float) -> None:
        """Let such requests take that long before they take effect."""
        self._faults.slow(method, path, seconds)

    async def get(self, path: str, **query: str) -> Any:
        self.reads += 1
        return await self._answer(Request("GET", path, query))

    async def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        progress: Progress | None = None,
        **query: str,
    ) -> Any:
        self.writes.append(Write(method, path, query, copied(dict(body or {}))))
        return await self._answer(Request(method, path, query, copied(dict(body or {})), progress))

    async def execute(
        self, project: str, instance: str, command: Sequence[str], *, timeout: float = 30.0
    ) -> ExecResult:
        """Answers what `behaviour.commands` holds for the command, else success without a word."""
        body = {"command": list(command)}
        ended = await self.send("POST", f"/instances/{instance}/exec", body, project=project)
        result: ExecResult = ended["metadata"]["result"]
        return result

    async def wait_ready(self, timeout: float) -> None:
        await self.get("")

    async def close(self) -> None:
        """There is nothing to give back."""

    async def _answer(self, request: Request) -> Any:
        await asyncio.sleep(self._faults.delay(request.method, request.path))
        self._faults.raise_for(request.method, request.path, after=False)
        try:
            handler, parts = self._router.find(request.method, request.path)
            answer = handler(self.state, request, *parts)
        except Refusal as refusal:
            sent = f"{request.method} {request.path or '/'}"
            raise IncusError(sent, refusal.status, refusal.message) from refusal
        self._faults.raise_for(request.method, request.path, after=True)
        return answer


def _fresh(behaviour: Behaviour, pool: str) -> State:
    state = State(behaviour=behaviour)
    state.projects["default"] = projects.default_project()
    state.pools[pool] = volumes.new_pool(pool)
    profile = profiles.default_profile("default")
    profile["devices"] = {"root": {"type": "disk", "path": "/", "pool": pool}}
    state.profiles["default", "default"] = profile
    return state


def _server_info(state: State, request: Request) -> Document:
    return {
        "api_extensions": list(EXTENSIONS),
        "api_status": "stable",
        "api_version": "1.0",
        "auth": "trusted",
        "auth_methods": ["tls"],
        "config": {"images.auto_update_interval": "0"},
        "environment": {
            "architectures": ["x86_64", "i686"],
            "driver": "lxc | qemu" if state.behaviour.virtual_machines else "lxc",
            "firewall": "nftables",
            "project": request.project,
            "server": "incus",
            "server_clustered": False,
            "server_name": "fake",
            "server_version": "6.0.4",
            "storage": "btrfs",
            "storage_version": "6.2",
            "storage_supported_drivers": [
                {"Name": "btrfs", "Version": "6.2", "Remote": False},
                {"Name": "dir", "Version": "1", "Remote": False},
            ],
        },
        "public": False,
    }


def _metadata(state: State, request: Request) -> Document:
    return configuration_metadata()


def _execute(state: State, request: Request, name: str) -> Document:
    instance = state.require_instance(request.project, name)
    key = (request.project, name)
    if not power.is_running(instance):
        raise Refusal(400, "Instance is not running")
    if instance["status"] == "Frozen":
        raise Refusal(400, "Instance is frozen")
    if not agent_answers(state, key, state.reads_since_start.get(key, 0)):
        raise operation_failed("VM agent isn't currently running")
    result = state.behaviour.commands.get(" ".join(request.body["command"]), ExecResult(0, "", ""))
    return state.operation("Executing command", {}, {"return": result.exit_code, "result": result})


_MODULES = (
    projects, networks, profiles, volumes, volume_snapshots, images, instances, instance_changes, snapshots, power,
    resources,
)  # fmt: skip
_SERVER: Routes = {
    ("GET", ""): _server_info,
    ("GET", "/metadata/configuration"): _metadata,
    ("POST", "/instances/{name}/exec"): _execute,
}
