"""Proves for each service behind a VPN that nothing of it leaves beside the tunnel. Called by `cli.verify`.

On each target one program (`freehold.system.leaks`) does it, for one VPN after the other: what it cuts it brings back, also when it is killed.
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from freehold.diagnostics import BackendError
from freehold.model import Infra
from freehold.model.services import Service
from freehold.operations.leaks.report import LeakReport, Proof
from freehold.operations.leaks.verdict import findings
from freehold.planning.selection import Selection
from freehold.providers.compose.places import ESTATE_LABEL, SERVICE_LABEL, service_address
from freehold.system import leaks
from freehold.system.targets.api import Target, Targets
from freehold.wiring.addresses import guests, home

OUTSIDE = ("198.51.100.1", "203.0.113.1", "2001:db8::1")
"""Where probes go: addresses that belong to nobody (RFC 5737, RFC 3849). That they leave is seen; nobody has to answer."""

TELLS_ADDRESS = "https://api.ipify.org"
"""Answers with nothing but the address of who asks (ipify.org)."""

_SECONDS = 4.0  # for which each moment is watched
_PATIENCE = 180.0  # until a VPN that was restarted must be connected
_MARGIN = 240.0  # more for all that it takes besides: programs that stop in their own time

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Behind:
    """A VPN's service, and those that have its network."""

    vpn: Service
    guests: tuple[Service, ...]


def behind_vpns(infra: Infra, selection: Selection) -> list[Behind]:
    """Every service with others in its network, as far as one of them is selected."""
    return [each for each in _shared(infra) if any(_chosen(one, selection) for one in each.guests)]


async def prove(
    infra: Infra, chosen: Sequence[Behind], targets: Targets, url: str, told: Told
) -> LeakReport:
    """Prove it for these. `told` hears what is begun. A target that does not answer is not measured."""
    began = time.monotonic()
    by_target: dict[str, list[Behind]] = {}
    for each in chosen:
        by_target.setdefault(each.vpn.target, []).append(each)

    async def on(target: str) -> list[Proof]:
        found: list[Proof] = []
        for each in by_target[target]:
            told(
                f"{each.vpn.name} on {target}: probes, then its tunnel is cut, then it is restarted"
            )
            found += await _proved(infra, each, targets.target(target), url)
        return found

    proofs = await asyncio.gather(*map(on, sorted(by_target)))
    every = tuple(proof for some in proofs for proof in some)
    return LeakReport(infra.name, every, time.monotonic() - began)


def _shared(infra: Infra) -> Iterator[Behind]:
    for service in infra.services:
        if service.as_container and home(infra, service) is service:
            others = [each for each in guests(infra, service) if each.as_container]
            if others:
                yield Behind(service, tuple(others))


def _chosen(service: Service, selection: Selection) -> bool:
    return selection.includes(service_address(service.target, service.name))


async def _proved(infra: Infra, each: Behind, target: Target, url: str) -> list[Proof]:
    try:
        answer = await _asked(infra, each, target, url)
    except BackendError as error:
        answer = {"problem": error.diagnostics[0].detail}
    seen, told = findings(answer), answer.get("back")
    back = bool(told) if told is not None else None
    return [Proof(one.name, each.vpn.name, one.target, seen, back) for one in each.guests]


async def _asked(infra: Infra, each: Behind, target: Target, url: str) -> dict[str, object]:
    served = [port.number for one in (each.vpn, *each.guests) for port in one.descriptor.ports]
    request = {
        "labels": {"estate": f"{ESTATE_LABEL}={infra.name}", "service": f"{SERVICE_LABEL}="},
        "vpn": each.vpn.name,
        "guests": [one.name for one in each.guests],
        "ports": served,
        "outside": list(OUTSIDE),
        "url": url,
        "seconds": _SECONDS,
        "patience": _PATIENCE,
    }
    words = ["python3", "-I", "-S", "-c", leaks.text()]
    ended = await target.run(words, given=json.dumps(request).encode(), timeout=_PATIENCE + _MARGIN)
    try:
        answer: dict[str, object] = json.loads(ended.output)
    except ValueError:
        said = ended.errors.strip().splitlines() or ["nothing"]
        return {"problem": f"{target.name} answered: {said[-1]}"}
    return answer
