"""The moments in which something could leak, one after the other. The last part of what `leaks.text` brings to a target.

up       probes are sent as they would go, and past the tunnel (bound to the other interfaces)
down     the same with the tunnel put down for a moment
restart  the VPN's container is restarted; who shares its network is started again as early as Docker can, and the probes go from the
         first moment in which Docker says that it runs
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from freehold.system.leaks.containers import TROUBLE, Containers, docker
from freehold.system.leaks.guard import guarded
from freehold.system.leaks.network import Cut, Network
from freehold.system.leaks.packets import Sniffer
from freehold.system.leaks.probes import Probes, public_address, resolvers

if TYPE_CHECKING:
    from collections.abc import Callable

    Request = dict[str, Any]

_EVERY, _OFTEN = (
    0.2,
    0.05,
)  # seconds between two rounds of probes; at a restart, where a moment counts
_EARLIER = 0.05  # by so much before Docker says that it was started, a program may have begun
_LOOK = 0.01  # and between two looks at what left


def main() -> None:
    """Answer the request of standard input; a problem that leaves nothing to measure is `problem`."""
    request = json.load(sys.stdin)
    try:
        containers = Containers(request["labels"], request["vpn"], request["guests"])
        answer = _moments(containers, request)
    except TROUBLE as error:  # before anything was touched
        answer = {**_problem(error), "back": True}
    json.dump(answer, sys.stdout)


def _moments(containers: Containers, request: Request) -> dict[str, Any]:
    """Each with what was seen, or its own problem: what goes wrong later takes nothing away from what was seen before."""
    if not containers.together():
        return {"problem": "it does not run in the network of its VPN", "back": True}
    network = Network(containers.pid(containers.vpn))
    tunnels = network.tunnels()
    answer: dict[str, Any] = {"tunnels": tunnels, "interfaces": network.others()}
    seen = _watched(network, request, request["seconds"], tunnels)
    answer["up"] = {**seen, "stayed": _still(containers, network)}
    addresses = [public_address(request["url"], each) for each in (None, network)]
    answer["address"] = dict(zip(("target", "inside"), addresses))  # noqa: B905 - Python 3.9
    if tunnels:
        answer["down"] = _tried(lambda: _cut(containers, network, request, tunnels))
    answer["restart"] = _tried(lambda: _around(containers, request, tunnels))
    answer["back"] = _back(containers, tunnels)
    return answer


def _tried(look: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return look()
    except TROUBLE as error:
        return _problem(error)


def _problem(error: Exception) -> dict[str, Any]:
    return {"problem": str(error) or type(error).__name__}


def _back(containers: Containers, tunnels: list[str]) -> bool | None:
    """Whether all runs as before; None when nobody says so."""
    try:
        again = Network(containers.pid(containers.vpn))
        return containers.together() and set(tunnels) <= set(again.tunnels())
    except TROUBLE:
        return None


def _cut(
    containers: Containers, network: Network, request: Request, tunnels: list[str]
) -> dict[str, Any]:
    cut = Cut(network, tunnels)
    with guarded(cut.restore, cut.restore):
        cut.down()
        found = _watched(network, request, request["seconds"], tunnels)
        by_itself, stayed = network.tunnels(), _still(containers, network)
        return {**found, "by_itself": by_itself, "stayed": stayed}


def _around(containers: Containers, request: Request, tunnels: list[str]) -> dict[str, Any]:
    """The restart, and whatever it takes until all runs again."""
    patience = request["patience"]

    def restore() -> None:
        if _back(containers, []) is not True:
            containers.bring_back(patience)

    with guarded(restore, lambda: containers.bring_back(patience)):
        return _restarted(containers, request, tunnels)


def _restarted(containers: Containers, request: Request, tunnels: list[str]) -> dict[str, Any]:
    before = containers.pid(containers.vpn)
    docker("stop", *containers.guests)
    quiet: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    ordered = subprocess.Popen(["docker", "restart", containers.vpn], **quiet)
    end = time.monotonic() + request["patience"]
    while (pid := containers.pid(containers.vpn)) in (0, before):
        if time.monotonic() > end:
            return {"problem": "its VPN did not start again"}
    starting = subprocess.Popen(["docker", "start", *containers.guests], **quiet)
    watch, clock = _Watch(containers, end), time.time() - time.monotonic()
    watch.start()
    longer = request["seconds"] / 2
    network, seconds = Network(pid), end - time.monotonic()
    found = _watched(network, request, seconds, tunnels, lambda: watch.over(longer), _OFTEN)
    ordered.wait()
    starting.wait()
    there = watch.there and watch.there - _EARLIER - clock - found["began"]
    stayed = _still(containers, network)
    return {**found, "there": there, "serves": watch.serves is not None, "stayed": stayed}


def _still(containers: Containers, network: Network) -> bool:
    """Whether the VPN is known to have that network now: a container that Docker started once more has another, that nobody watched."""
    with contextlib.suppress(*TROUBLE):
        pid = containers.pid(containers.vpn)
        return bool(pid) and Network(pid).inode == network.inode
    return False


class _Watch(threading.Thread):
    """Waits until one of the others runs, and then until the VPN serves. In a thread: Docker answers about a container when it is started."""

    def __init__(self, containers: Containers, end: float) -> None:
        super().__init__(daemon=True)
        self.there: float | None = None
        self.serves: float | None = None
        self._containers, self._end = containers, end

    def run(self) -> None:
        """Until both are so, or it is too late."""
        while self.serves is None and time.monotonic() < self._end:
            with contextlib.suppress(*TROUBLE):  # Docker is asked again
                self._look()
            time.sleep(_EVERY / 4)

    def _look(self) -> None:
        if self.there is None:
            every = [self._containers.started(each) for each in self._containers.guests]
            self.there = min((each for each in every if each is not None), default=None)
        elif self._containers.serves():
            self.serves = time.monotonic()

    def over(self, longer: float) -> bool:
        """Whether the VPN has served for so long."""
        return self.serves is not None and time.monotonic() - self.serves > longer


def _watched(
    network: Network,
    request: Request,
    seconds: float,
    taps: list[str],
    over: Callable[[], bool] = lambda: False,
    every: float = _EVERY,
) -> dict[str, Any]:
    """Probes for so long, or until it is `over`, and what left meanwhile."""
    asked = resolvers(network.pid)
    targets = {*request["outside"], *(each for each in asked if not each.startswith("127."))}
    sniffer = Sniffer(network, targets, taps, request["ports"])
    probes = Probes(network, request["outside"], asked)
    end = sniffer.began + seconds
    done = False
    while not done and time.monotonic() < end:
        probes.round()
        pause = time.monotonic() + every
        while time.monotonic() < pause:
            sniffer.look()
            done = done or over()
            time.sleep(_LOOK)
    sniffer.look()
    probes.collect()
    return {
        "began": sniffer.began,
        "seen": sniffer.told(network.near()),
        "lost": sniffer.lost(),
        "sent": probes.sent,
        "refused": probes.refused,
        "answers": probes.answers,
        "resolvers": asked,
    }
