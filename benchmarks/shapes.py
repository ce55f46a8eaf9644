"""The same estate three ways: as infra.yml, as a script of `incus` commands, as a concurrent REST script.

Run as `shapes.py SOCKET DOMAINS MACHINES`, it is that REST script, and nothing else.
"""

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

IMAGE = "debian/13"
FILTERS = {f"security.{what}_filtering": "true" for what in ("mac", "ipv4")}


@dataclass(frozen=True, slots=True)
class Shape:
    """So many domains of so many machines."""

    domains: int
    machines: int

    def all(self) -> Iterator[tuple[str, int, list[tuple[str, str]]]]:
        """Domain, subnet_id, and the machines as (name, address)."""
        for number in range(self.domains):
            machines = [(f"m{m}", f"10.100.{number}.{10 + m}") for m in range(self.machines)]
            yield f"d{number}", number, machines

    def infra_yml(self) -> str:
        lines = ["freehold: 1", "name: bench", "domains:"]
        for domain, number, machines in self.all():
            lines += [f"  {domain}:", f"    subnet_id: {number}", "    machines:"]
            lines += [f"      {name}: {{ip: {address}}}" for name, address in machines]
        return "\n".join(lines) + "\n"


def shell_script(shape: Shape) -> str:
    """What a careful person would write with the `incus` client."""
    lines = []
    filters = " ".join(f"{option}={value}" for option, value in FILTERS.items())
    for domain, number, machines in shape.all():
        lines += [
            (
                f"incus project create {domain} -c features.images=false -c features.profiles=true"
                " -c features.storage.volumes=true >/dev/null"
            ),
            (
                f"incus network create net-{domain} ipv4.address=10.100.{number}.1/24 ipv4.nat=true"
                f" ipv4.dhcp.ranges=10.100.{number}.200-10.100.{number}.254 ipv6.address=none >/dev/null"
            ),
            f"incus profile device add default root disk path=/ pool=default --project {domain} >/dev/null",
            (
                f"incus profile device add default eth0 nic network=net-{domain} name=eth0"
                f" {filters} --project {domain} >/dev/null"
            ),
        ]
        for name, address in machines:
            lines.append(
                f"incus launch {IMAGE} {domain}-{name} --project {domain}"
                f" -d eth0,ipv4.address={address} >/dev/null"
            )
    for domain, _, machines in shape.all():
        for name, address in machines:
            lines.append(
                f"until incus list --project {domain} {domain}-{name} -f csv -c 4 | grep -q {address};"
                " do sleep 0.1; done"
            )
    return "\n".join(lines)


class _Api:
    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.session = session

    async def call(self, method: str, path: str, body: object = None) -> Any:
        """A request and its operation; tried again where Incus trips over an interface that went meanwhile."""
        while True:
            try:
                return await self._call(method, path, body)
            except RuntimeError as error:
                if "bridge children" not in str(error):
                    raise

    async def _call(self, method: str, path: str, body: object) -> Any:
        async with self.session.request(method, f"http://incus/1.0{path}", json=body) as response:
            answer = await response.json()
        if answer["type"] == "error":
            raise RuntimeError(f"{method} {path}: {answer['error']}")
        if answer["type"] == "async":
            path = f"/operations/{answer['metadata']['id']}/wait"
            state = await self._call("GET", path, None)
            if state["err"]:
                raise RuntimeError(f"{method} {path}: {state['err']}")
            return state
        return answer["metadata"]


async def rest_create(socket: Path, shape: Shape) -> None:
    """The least that has to be asked of the API, as much at once as it allows."""
    async with _session(socket) as session:
        api = _Api(session)
        await asyncio.gather(*(_domain(api, *domain) for domain in shape.all()))


async def _domain(api: _Api, domain: str, number: int, machines: list[tuple[str, str]]) -> None:
    features = {"features.images": "false", "features.networks": "false"}
    network = {
        "name": f"net-{domain}",
        "type": "bridge",
        "config": {
            "ipv4.address": f"10.100.{number}.1/24",
            "ipv4.dhcp.ranges": f"10.100.{number}.200-10.100.{number}.254",
            "ipv4.nat": "true",
            "ipv6.address": "none",
        },
    }
    await asyncio.gather(
        api.call("POST", "/projects", {"name": domain, "config": features}),
        api.call("POST", "/networks", network),
    )
    nic = {"type": "nic", "network": f"net-{domain}", "name": "eth0", **FILTERS}
    devices = {"root": {"type": "disk", "path": "/", "pool": "default"}, "eth0": nic}
    await api.call("PUT", f"/profiles/default?project={domain}", {"config": {}, "devices": devices})
    await asyncio.gather(*(_machine(api, domain, nic, *machine) for machine in machines))


async def _machine(api: _Api, domain: str, nic: dict[str, str], name: str, address: str) -> None:
    body = {
        "name": f"{domain}-{name}",
        "type": "container",
        "source": {"type": "image", "alias": IMAGE},
        "devices": {"eth0": {**nic, "ipv4.address": address}},
        "start": True,
    }
    await api.call("POST", f"/instances?project={domain}", body)
    while True:
        state = await api.call("GET", f"/instances/{domain}-{name}/state?project={domain}")
        nics = (state["network"] or {}).values()
        if any(entry["address"] == address for nic in nics for entry in nic["addresses"]):
            return
        await asyncio.sleep(0.1)


async def rest_delete(socket: Path, shape: Shape) -> None:
    """Make the server empty again."""
    async with _session(socket) as session:
        api = _Api(session)
        for domain, _, _ in shape.all():
            await api.call("DELETE", f"/projects/{domain}?force=1")
            await api.call("DELETE", f"/networks/net-{domain}")


def _session(socket: Path) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=aiohttp.UnixConnector(path=str(socket), limit=0))


if __name__ == "__main__":
    asyncio.run(rest_create(Path(sys.argv[1]), Shape(int(sys.argv[2]), int(sys.argv[3]))))
