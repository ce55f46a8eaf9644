"""The proof by packets: everybody listens, everybody sends, and then everybody is asked what arrived.

Called by `cli.verify`. One command per machine and phase, all machines at once, whatever the number of pairs. What was to
arrive and did not is tried once more, with more patience, before it is told.
"""

import asyncio
import contextlib
import secrets
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from typing import Any

from freehold.model import Infra
from freehold.model.traffic import HOST, INTERNET
from freehold.operations.traffic.check import Check, Kind, TrafficReport
from freehold.operations.traffic.checks import Checks, Surroundings
from freehold.operations.traffic.ends import Scope
from freehold.operations.traffic.station import CannotProbe, MachineStation, Station
from freehold.operations.traffic.verdict import (
    TCP_ATTEMPTS,
    Findings,
    control_of,
    own_ports,
    results,
)
from freehold.system.incus.api import Incus

PATIENCE = 1.3  # seconds for an answer; an open way answers within milliseconds
SECOND_PATIENCE = 3.0
LISTENING = 40.0  # seconds after which a listener ends by itself, and 0.3 more for each machine
_AT_ONCE = 32  # machines that are asked at the same time
_CHUNK = (
    500  # checks in one request: it must fit into one word of a command line (128 KiB, execve(2))
)
_DNS_DOMAIN = "incus"  # what the bridge's name server answers for (Incus, `dns.domain`)


@dataclass
class _Run:
    """One verification under way."""

    stations: Mapping[str, Station]
    token: str = field(default_factory=lambda: secrets.token_hex(8))
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))
    findings: Findings = field(default_factory=Findings)

    async def ask(self, name: str, limit: float, **request: object) -> Mapping[str, Any] | None:
        """The answer of a station within `limit` seconds; None when it has none, and why is among the findings."""
        try:
            async with self.slots:
                return await self.stations[name].ask({"token": self.token, **request}, limit)
        except CannotProbe as reason:
            self.findings.cannot(name, str(reason), gone=reason.gone)
            return None


async def verify_traffic(
    incus: Incus,
    infra: Infra,
    scope: Scope,
    host: Station,
    outside: tuple[str, int] | None,
) -> TrafficReport:
    """Try everything between the machines of `scope`. What cannot be tried is told as not measured."""
    start = time.monotonic()
    machines: dict[str, Station] = {e.name: MachineStation(incus, e) for e in scope.machines}
    run = _Run({**machines, HOST: host})
    ready = await _listen(run)
    building = Checks(infra, scope, _surroundings(ready, outside))
    checks = list(building.all())
    run.findings.ports = own_ports(checks, secrets.randbelow(10000) * TCP_ATTEMPTS)
    await _probe(run, checks, range(len(checks)), PATIENCE)
    await _probe(run, checks, _worth_another_try(checks, run.findings), SECOND_PATIENCE)
    await _collect(run, ready)
    return TrafficReport(
        estate=infra.name,
        machines=tuple(end.name for end in scope.machines),
        results=tuple(results(checks, run.findings)),
        outside=":".join(map(str, outside)) if outside else None,
        notes=tuple(building.notes()),
        seconds=time.monotonic() - start,
    )


async def _listen(run: _Run) -> Mapping[str, Mapping[str, Any]]:
    """Have everybody listen; what those say who do."""
    seconds = LISTENING + 0.3 * len(run.stations)

    async def start(name: str) -> tuple[str, Mapping[str, Any] | None]:
        return name, await run.ask(name, 0.0, mode="listen", seconds=int(seconds))

    answers = await asyncio.gather(*map(start, run.stations))
    ready = {name: answer for name, answer in answers if answer is not None}
    for name, answer in ready.items():
        if problem := str(answer.get("problem") or ""):
            run.findings.deaf[name] = f"it may not listen ({problem})"
    return ready


def _surroundings(
    ready: Mapping[str, Mapping[str, Any]], outside: tuple[str, int] | None
) -> Surroundings:
    host = ready.get(HOST, {})
    return Surroundings(
        host=list(map(str, host.get("addresses", ()))),
        bridges={str(link): str(address) for address, link in host.get("addresses6", ())},
        links={
            name: list(_link_addresses(answer.get("addresses6")))
            for name, answer in ready.items()
            if name != HOST
        },
        outside=outside,
    )


def _link_addresses(told: Any) -> Iterator[str]:
    """What a machine says of itself, as far as it is IPv6 addresses: others will send there."""
    for entry in told if isinstance(told, list) else ():
        with contextlib.suppress(ValueError, TypeError, LookupError):
            yield str(IPv6Address(entry[0]))


async def _probe(
    run: _Run, checks: Sequence[Check], numbers: Iterable[int], patience: float
) -> None:
    """Send these checks from where they start, everybody at once."""
    by_source: defaultdict[str, list[int]] = defaultdict(list)
    for number in numbers:
        if checks[number].address and checks[number].source not in run.findings.unable:
            by_source[checks[number].source].append(number)

    async def send(name: str, mine: Sequence[int]) -> None:
        for first in range(0, len(mine), _CHUNK):
            wire = [_wire(run, number, checks[number]) for number in mine[first : first + _CHUNK]]
            answer = await run.ask(name, patience, mode="probe", patience=patience, checks=wire)
            run.findings.take(mine[first : first + _CHUNK], answer or {})

    await asyncio.gather(*(send(name, mine) for name, mine in by_source.items()))


def _worth_another_try(checks: Sequence[Check], findings: Findings) -> list[int]:
    """What was to be answered and was not. An outside that the host does not reach is not asked again by everybody."""
    silent = [n for n, check in enumerate(checks) if check.because and findings.is_open(n, check)]
    reached = {
        control_of(check)
        for number, check in enumerate(checks)
        if check.is_control and number in findings.answered
    }
    return [
        number
        for number in silent
        if checks[number].target != INTERNET or control_of(checks[number]) in reached
    ]


def _wire(run: _Run, number: int, check: Check) -> list[object]:
    """As the prober reads it."""
    extra: object = check.forged
    if check.kind is Kind.DNS:
        extra = _DNS_DOMAIN
    elif check.kind is Kind.TCP:
        extra = run.findings.ports[number]
    return [number, check.kind.value, check.address, check.port or 0, extra]


async def _collect(run: _Run, ready: Iterable[str]) -> None:
    async def ask(name: str) -> None:
        answer = await run.ask(name, 5.0, mode="collect")
        if answer is not None:
            run.findings.hear(name, answer)

    await asyncio.gather(*map(ask, ready))
