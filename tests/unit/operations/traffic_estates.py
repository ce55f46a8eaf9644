"""A network that is simulated behind Incus's exec, for the tests of the proof by packets.

`World` answers as the prober would: `passes` decides which packets arrive. The real prober is tested in the lab.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from freehold.model import Domain, Infra, Machine, Policy, Protocol, Trust
from freehold.operations.traffic.ends import End
from freehold.operations.traffic.station import CannotProbe
from freehold.system.incus.api import ExecResult, IncusError

Passes = Callable[[str, str, str, int], bool]
"""Source, target (an address), kind and port: whether it arrives."""


def infra(
    sizes: Sequence[int], *policies: Policy, closed: Sequence[str] = (), admin: str = "d0"
) -> Infra:
    """A domain for each number, with that many machines from .10 on."""
    domains = tuple(
        Domain(
            name=f"d{n}",
            subnet_id=n,
            subnet=IPv4Network(f"10.100.{n}.0/24"),
            trust=Trust.ADMIN if f"d{n}" == admin else Trust.TRUSTED,
            internet=f"d{n}" not in closed,
            machines=tuple(
                Machine(
                    domain=f"d{n}",
                    name=f"m{m}",
                    image="debian/13",
                    address=IPv4Address(f"10.100.{n}.{10 + m}"),
                )
                for m in range(size)
            ),
        )
        for n, size in enumerate(sizes)
    )
    return Infra(
        name="cottage", base=IPv4Network("10.100.0.0/16"), domains=domains, policies=policies
    )


def policy(
    source: str, target: str, *ports: int, protocol: Protocol = Protocol.TCP, **more: Any
) -> Policy:
    return Policy(
        source=source,
        target=target,
        protocol=protocol,
        ports=tuple((port, port) for port in ports),
        **more,
    )


def ends_of(infra: Infra, problems: Mapping[str, str] | None = None) -> tuple[End, ...]:
    return tuple(
        End(
            name=machine.key,
            domain=machine.domain,
            instance=machine.instance,
            address=str(machine.address),
            problem=(problems or {}).get(machine.key, ""),
        )
        for machine in infra.machines()
    )


@dataclass
class World:
    """Stands for the machines (as an Incus client) and, by `host`, for the host."""

    infra: Infra
    passes: Passes
    without_python: frozenset[str] = frozenset()
    dies_when: Mapping[str, str] = field(default_factory=dict)
    loses_first: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)
    _arrived: dict[str, set[int]] = field(default_factory=dict)

    async def execute(
        self, project: str, instance: str, command: Sequence[str], *, timeout: float = 30.0
    ) -> ExecResult:
        name = f"{project}/{instance.removeprefix(project + '-')}"
        request = json.loads(command[-1])
        if self.dies_when.get(name) == request["mode"]:
            raise IncusError("POST /exec", 400, "Instance is not running")
        if name in self.without_python:
            return ExecResult(127, "", "")
        return ExecResult(0, json.dumps(self.answer(name, request)), "")

    def answer(self, name: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        self.asked.append((name, request["mode"]))
        match request["mode"]:
            case "listen":
                return {"problem": "", "addresses": self._addresses(name), "addresses6": []}
            case "collect":
                return {"arrived": sorted(self._arrived.get(name, ())), "syns": []}
            case _:
                return {"answered": list(self._sent(name, request["checks"])), "failed": {}}

    def _addresses(self, name: str) -> list[str]:
        return [str(d.gateway) for d in self.infra.domains] if name == "host" else []

    def _sent(self, name: str, checks: Sequence[Any]) -> Any:
        again = self.asked.count((name, "probe")) > 1
        for number, kind, address, port, _ in checks:
            if self.loses_first and not again and kind != "spoofed":
                continue
            if self.passes(name, address, kind, port):
                self._arrived.setdefault(self._who(address), set()).add(number)
                if kind not in ("spoofed", "ipv6"):
                    yield number

    def _who(self, address: str) -> str:
        return next((m.key for m in self.infra.machines() if str(m.address) == address), "host")

    @property
    def host(self) -> "Host":
        return Host(self)


@dataclass
class Host:
    """The host's station."""

    world: World
    problem: str = ""

    async def ask(self, request: Mapping[str, object], seconds: float) -> Mapping[str, Any]:
        if self.problem:
            raise CannotProbe(self.problem)
        return self.world.answer("host", request)
