"""A quiet corner on an Incus server for one test: a project and a bridge of its own, and requests in few words."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest

from freehold.system.incus.api import Incus, IncusError

Value = TypeVar("Value")

IMAGE = {"type": "image", "alias": "debian/13"}
FEATURES = {
    "features.images": "false",
    "features.networks": "false",
    "features.networks.zones": "false",
    "features.profiles": "true",
    "features.storage.buckets": "true",
    "features.storage.volumes": "true",
}
SOON = 30.0  # seconds for a guest to do what it will do
_KEPT = ("architecture", "config", "devices", "ephemeral", "profiles", "description")


class Site:
    """One server, talked to from tests that are not coroutines. `number` makes names and subnets its own."""

    def __init__(self, connect: Callable[[], Awaitable[Incus]], number: int) -> None:
        self._runner = asyncio.Runner()
        self.incus: Incus = self._runner.run(_awaited(connect))
        self.number = number
        self.project = f"t{number}"
        self.bridge = f"net-t{number}"
        self._networks: list[str] = []
        self._projects: list[str] = []

    def run(self, work: Awaitable[Value]) -> Value:
        """Wait for a coroutine."""

        async def wait() -> Value:
            return await work

        return self._runner.run(wait())

    def get(self, path: str, **query: str) -> Any:
        return self.run(self.incus.get(path, **query))

    def send(
        self, method: str, path: str, body: Mapping[str, object] | None = None, *, project: str = ""
    ) -> Any:
        query = {"project": project} if project else {}
        return self.run(self.incus.send(method, path, body, progress=None, **query))

    def host(self, last: int) -> str:
        """An address on the site's bridge; `.1` is its gateway."""
        high, low = divmod(self.number, 256)  # one for each test, and there are more than 256
        return f"10.{100 + high}.{low}.{last}"

    def elsewhere(self, last: int) -> str:
        """An address of a subnet that the site's bridge has not."""
        high, low = divmod(self.number, 256)
        return f"10.{120 + high}.{low}.{last}"

    def hardware(self, kind: int) -> str:
        """A MAC address of the test's own."""
        return f"10:66:6a:{kind:02x}:{self.number >> 8:02x}:{self.number & 255:02x}"

    def add_project(self, name: str, **body: object) -> None:
        self.send("POST", "/projects", {"name": name, **body})
        self._projects.append(name)

    def add_network(self, name: str, **config: str) -> None:
        self.send("POST", "/networks", {"name": name, "config": config})
        self._networks.append(name)

    def settle(self) -> None:
        """Make the project and the bridge; machines of the project get a root disk and eth0 on the bridge."""
        self.add_project(self.project, config=FEATURES)
        self.add_network(
            self.bridge,
            **{
                "ipv4.address": f"{self.host(1)}/24",
                "ipv4.dhcp.ranges": f"{self.host(200)}-{self.host(250)}",
                "ipv6.address": "none",
            },
        )
        devices = {"eth0": self.nic(), "root": {"type": "disk", "path": "/", "pool": "default"}}
        self.send("PUT", "/profiles/default", {"devices": devices}, project=self.project)

    def nic(self, **options: str) -> dict[str, str]:
        """eth0 on the site's bridge; underscores stand for dots in options that have none."""
        dotted = {
            key if "." in key else key.replace("_", "."): value for key, value in options.items()
        }
        return {"type": "nic", "name": "eth0", "network": self.bridge, **dotted}

    def create(self, name: str, **body: object) -> Any:
        """An instance of the site's project, stopped unless `start` is given."""
        request = {"name": name, "source": IMAGE, **body}
        return self.send("POST", "/instances", request, project=self.project)

    def instance(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"/instances/{name}", project=self.project)
        return found

    def change(self, name: str, **changed: object) -> None:
        """Read, change, PUT. In `config` and `devices` None takes a key away, and the rest stays."""
        body = {key: self.instance(name)[key] for key in _KEPT}
        for key, value in changed.items():
            if isinstance(value, dict):
                merged = {**body[key], **value}
                body[key] = {each: new for each, new in merged.items() if new is not None}
            else:
                body[key] = value
        self.send("PUT", f"/instances/{name}", body, project=self.project)

    def power(self, name: str, action: str, **body: object) -> None:
        request = {"action": action, "timeout": -1, "force": action != "start", **body}
        self.send("PUT", f"/instances/{name}/state", request, project=self.project)

    def delete(self, name: str) -> None:
        self.send("DELETE", f"/instances/{name}", project=self.project)

    def addresses(self, name: str) -> list[str]:
        """The global IPv4 addresses that the instance shows now."""
        state = self.get(f"/instances/{name}/state", project=self.project)
        return [
            address["address"]
            for interface in (state["network"] or {}).values()
            for address in interface["addresses"]
            if address["scope"] == "global" and address["family"] == "inet"
        ]

    def wait_for_address(self, name: str) -> str:
        """Its first IPv4 address, once it has one."""
        deadline = time.monotonic() + SOON
        while not (found := self.addresses(name)):
            assert time.monotonic() < deadline, f"{name} has no address"
            time.sleep(0.2)
        return found[0]

    def clear(self) -> None:
        """Delete what the site made and everything in it."""
        for project in self._projects:
            self._empty(project)
            self._try("DELETE", f"/projects/{project}")
        for network in self._networks:
            self._try("DELETE", f"/networks/{network}")

    def close(self) -> None:
        """Give the connection back."""
        self.run(self.incus.close())
        self._runner.close()

    def _empty(self, project: str) -> None:
        """A test may have renamed or deleted its project."""
        if f"/1.0/projects/{project}" not in self.get("/projects"):
            return
        stop = {"action": "stop", "force": True, "timeout": -1}
        for instance in self.get("/instances", recursion="1", project=project):
            path = f"/instances/{instance['name']}"
            if instance["status"] != "Stopped":
                self._try("PUT", f"{path}/state", stop, project=project)
            config = {"config": {"security.protection.delete": "false"}}
            self._try("PATCH", path, config, project=project)
            self._try("DELETE", path, project=project)
        volumes = "/storage-pools/default/volumes/custom"
        for volume in self.get(volumes, recursion="1", project=project):
            if volume["project"] == project:
                self._try("DELETE", f"{volumes}/{volume['name']}", project=project)
        for profile in self.get("/profiles", recursion="1", project=project):
            path = f"/profiles/{profile['name']}"
            if profile["project"] != project:
                continue  # without profiles of its own a project shows those of `default`
            if profile["name"] == "default":
                self._try("PUT", path, {"devices": {}}, project=project)
            else:
                self._try("DELETE", path, project=project)

    def _try(
        self, method: str, path: str, body: Mapping[str, object] | None = None, *, project: str = ""
    ) -> None:
        """What is left behind must not hide why a test failed."""
        try:
            self.send(method, path, body, project=project)
        except IncusError:
            return


async def _awaited(connect: Callable[[], Awaitable[Incus]]) -> Incus:
    return await connect()


@contextmanager
def refused(status: int, *words: str) -> Iterator[None]:
    """The block is refused with this status, and the message holds these words."""
    with pytest.raises(IncusError) as caught:
        yield
    assert caught.value.status == status, caught.value.message
    for word in words:
        assert word in caught.value.message
