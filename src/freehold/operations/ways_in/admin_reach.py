"""Whether admin machines still reach every other domain, tried from inside of them with packets.

Foreign rules that only bite together with ours, a bridge that is filtered, a route that is gone: whatever the cause, admin
must not lose its machines. Handed to `providers.firewall` by `cli.site`.
"""

import asyncio
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from freehold.model.transfer import ROUTER
from freehold.operations.traffic.ends import End
from freehold.operations.traffic.station import CannotProbe, MachineStation
from freehold.operations.ways_in.lost import WayInLost
from freehold.planning.resource import Fields
from freehold.providers.firewall.ruleset import table_name
from freehold.providers.incus.marks import owner
from freehold.providers.protocol import Report
from freehold.system.incus.api import Incus

_AT_ONCE = 8  # admin machines that try at the same time
_TRIES = 3
_PATIENCE = 1.0  # seconds for an answer; the prober asks four times in them
_SSH = 22  # a machine without a server there refuses, which is an answer too
_FIRST_OWN_PORT = 40000
_WAYS = ("icmp", "tcp")


@dataclass(frozen=True, slots=True)
class Reach:
    """One thing to try: from where, to where, and how."""

    source: End
    target: End
    way: str

    def __str__(self) -> str:
        return f"{self.source.name} to {self.target.name} ({self.target.address}) by {self.way.upper()}"


class AdminReach:
    """Every running admin machine, and one running machine of every other domain."""

    def __init__(self, incus: Incus) -> None:
        self._incus = incus
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._reached: frozenset[Reach] = frozenset()
        self._fields: Fields = {}
        self._silent: set[End] = set()  # machines in which nothing can be run

    async def before(self, fields: Fields, report: Report) -> None:
        self._fields = fields
        if "transfer" in fields:
            report("admin's reach: through the firewall machine, which comes after these rules")
            return
        asked = list(_reaches(fields["zones"], await self._running()))
        if not asked:
            report("admin's reach: nothing to check (no admin machine runs, or nobody else does)")
            return
        report(f"admin's reach: {len(asked)} ways are tried")
        self._reached = await self._tried(asked)

    async def after(self, report: Report) -> None:
        lost = self._reached
        for _ in range(_TRIES):
            if lost:
                report(f"admin's reach: {len(lost)} ways are tried again")
                lost -= await self._tried(sorted(lost, key=str))
        if lost:  # a machine that stopped meanwhile is none that was cut off
            running = set(await self._running())
            lost = frozenset(
                each
                for each in lost
                if {each.source, each.target} <= running and each.source not in self._silent
            )
        if lost:
            raise WayInLost(_told(lost), _HINT)

    async def undone(self, report: Report) -> None:
        """Nothing was left behind."""

    async def _running(self) -> list[End]:
        """The estate's machines that run, with the address that each was given."""
        instances = await self._incus.get(
            "/instances", **{"recursion": "1", "all-projects": "true"}
        )
        zones = self._fields["zones"]
        ours = (each for each in instances if each["project"] in zones and self._is_ours(each))
        ends = (_end(each) for each in ours if each["status"] == "Running")
        return sorted((end for end in ends if end.address), key=lambda end: end.name)

    def _is_ours(self, instance: Mapping[str, Any]) -> bool:
        estate = owner(instance["config"])
        return estate is not None and table_name(estate) == self._fields["table"]

    async def _tried(self, reaches: Sequence[Reach]) -> frozenset[Reach]:
        """Those that were answered. A machine without Python 3 tries nothing."""
        by_source: dict[End, list[Reach]] = {}
        for each in reaches:
            by_source.setdefault(each.source, []).append(each)
        found = await asyncio.gather(*(self._from(end, some) for end, some in by_source.items()))
        return frozenset().union(*found)

    async def _from(self, source: End, reaches: Sequence[Reach]) -> frozenset[Reach]:
        checks = [_check(number, each) for number, each in enumerate(reaches)]
        request = {
            "mode": "probe",
            "token": secrets.token_hex(8),
            "patience": _PATIENCE,
            "checks": checks,
        }
        try:
            async with self._slots:
                answer = await MachineStation(self._incus, source).ask(request, _PATIENCE)
        except CannotProbe:
            self._silent.add(source)
            return frozenset()
        answered = answer.get("answered")
        numbers = answered if isinstance(answered, list) else []
        return frozenset(each for number, each in enumerate(reaches) if number in numbers)


def _reaches(zones: Mapping[str, Any], running: Sequence[End]) -> Iterator[Reach]:
    first: dict[str, End] = {}
    for end in running:
        first.setdefault(end.domain, end)
    for source in running:
        if source.name == f"{source.domain}/{ROUTER}":
            continue  # how it reaches others changes with who keeps the domains apart
        if zones[source.domain]["admin"]:
            for target in first.values():
                if target.domain != source.domain:
                    yield from (Reach(source, target, way) for way in _WAYS)


def _check(number: int, reach: Reach) -> list[object]:
    """As the prober reads it; a try of TCP has a port of its own, and the next one for its second attempt."""
    if reach.way == "tcp":
        return [number, "tcp", reach.target.address, _SSH, _FIRST_OWN_PORT + 2 * number]
    return [number, reach.way, reach.target.address, 0, None]


def _end(instance: Mapping[str, Any]) -> End:
    domain, name = instance["project"], instance["name"]
    return End(
        name=f"{domain}/{name.removeprefix(f'{domain}-')}",
        domain=domain,
        instance=name,
        address=instance["expanded_devices"].get("eth0", {}).get("ipv4.address", ""),
    )


def _told(lost: frozenset[Reach]) -> list[str]:
    most = 8
    lines = [f"No longer reached: {each}." for each in sorted(lost, key=str)]
    return [*lines[:most], *([f"And {len(lines) - most} more."] if len(lines) > most else [])]


_HINT = (
    "The estate's own rules let admin reach every domain, so something else on this computer drops it:\n"
    "    freehold doctor"
)
