"""From what probers and listeners say to results. Pure; used by `verify`.

A packet that must not pass has passed as soon as anything shows it: an answer, or its arrival. One that may pass must be
answered too: half a way is none. Silence counts only when somebody was there to hear.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from freehold.model.traffic import HOST, INTERNET, domain_of
from freehold.operations.traffic.check import Check, Kind, Result

TCP_ATTEMPTS = 2  # of the prober; each from a port of its own
_FIRST_PORT, _PORTS = 20000, 40000
_NEED_A_LISTENER = {Kind.UDP, Kind.IPV6, Kind.SPOOFED}
_ARE_NEVER_ANSWERED = {Kind.IPV6, Kind.SPOOFED}


@dataclass
class Findings:
    """What was said, by numbers of checks.

    `ports`: from which port a TCP check is sent first, see `own_ports`. `unable`: why a station cannot send, `deaf`: why
    it did not listen, `gone`: those of them that cannot answer at all.
    """

    answered: set[int] = field(default_factory=set)
    failed: dict[int, str] = field(default_factory=dict)
    ports: dict[int, int] = field(default_factory=dict)
    arrived: dict[str, set[int]] = field(default_factory=dict)
    syns: dict[str, set[tuple[int, int]]] = field(default_factory=dict)
    unable: dict[str, str] = field(default_factory=lambda: {INTERNET: "nobody sends from outside"})
    deaf: dict[str, str] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)

    def cannot(self, name: str, why: str, *, gone: bool) -> None:
        """The prober did not run on that station; the first reason is the one that counts."""
        self.unable.setdefault(name, why)
        self.deaf.setdefault(name, why)
        if gone:
            self.gone.add(name)

    def take(self, asked: Sequence[int], answer: Mapping[str, Any]) -> None:
        """What a prober says of the checks that it was asked to make, and of no others."""
        mine = set(asked)
        self.answered |= mine & _numbers(answer.get("answered"))
        failed = answer.get("failed")
        told: dict[Any, Any] = failed if isinstance(failed, dict) else {}
        self.failed |= {n: str(told[str(n)])[:200] for n in mine if str(n) in told}

    def hear(self, name: str, answer: Mapping[str, Any]) -> None:
        """What a listener says."""
        self.arrived[name] = _numbers(answer.get("arrived"))
        syns = answer.get("syns")
        self.syns[name] = {
            (pair[0], pair[1])
            for pair in (syns if isinstance(syns, list) else ())
            if _numbers(pair) and len(pair) == 2
        }

    def is_open(self, number: int, check: Check) -> bool:
        """Whether a check that was to be answered was not, and another try may change that."""
        ends = {check.source, check.target}
        return not (number in self.answered or number in self.failed or ends & self.gone) and (
            check.kind not in _ARE_NEVER_ANSWERED and check.source not in self.unable
        )

    def came_to(self, name: str, number: int, check: Check) -> bool:
        """Whether the listener of that name saw it."""
        if check.kind is Kind.TCP:
            seen = self.syns.get(name, set())
            first = self.ports[number]
            return any((first + more, check.port) in seen for more in range(TCP_ATTEMPTS))
        return number in self.arrived.get(name, set())


def _numbers(of: Any) -> set[int]:
    return {n for n in of if isinstance(n, int)} if isinstance(of, list) else set()


def own_ports(checks: Sequence[Check], start: int) -> dict[int, int]:
    """For each TCP check a port to send from that no other one to the same target has: so the listener knows it.

    A first packet carries nothing else of ours, and a router that masquerades changes its address. `start` is another one
    in each run, so that a run never meets what is left of the one before.
    """
    used: defaultdict[str, int] = defaultdict(lambda: start)
    ports = {}
    for number, check in enumerate(checks):
        if check.kind is Kind.TCP:
            ports[number] = _FIRST_PORT + used[check.target] % _PORTS
            used[check.target] += TCP_ATTEMPTS
    return ports


def results(checks: Sequence[Check], findings: Findings) -> Iterator[Result]:
    """A result for every check but the controls, in their order."""
    controls = {
        control_of(check): findings.came_to(check.target, number, check)
        or number in findings.answered
        for number, check in enumerate(checks)
        if check.is_control
    }
    for number, check in enumerate(checks):
        if not check.is_control:
            reason = _not_measured(number, check, findings, controls)
            yield Result(check, None, reason) if reason else _measured(number, check, findings)


def control_of(check: Check) -> object:
    """By what a check finds its control: of the way out the host's own attempt, of a lie the same machine's truth."""
    return (check.kind, check.port) if check.target == INTERNET else (check.kind, check.source)


def _not_measured(
    number: int,
    check: Check,
    findings: Findings,
    controls: Mapping[object, bool],
) -> str:
    """Why nothing can be said; empty when something can."""
    if not check.address:
        return "no address outside is known: name one with --outside ADDRESS:PORT"
    if check.source in findings.unable:
        return f"{check.source}: {findings.unable[check.source]}"
    if check.target in findings.gone:
        return f"{check.target}: {findings.unable[check.target]}"
    if check.target == INTERNET and not controls.get(control_of(check)):
        port = f" port {check.port}" if check.port else ""
        return f"the host itself does not reach {check.address}{port}"
    if why := findings.failed.get(number):
        return f"{check.source}: {why}"
    if check.kind is Kind.SPOOFED and not controls.get(control_of(check)):
        return f"{check.source}: not even its honest packets of this kind arrive"
    deaf = findings.deaf.get(check.target)
    if deaf and check.kind in _NEED_A_LISTENER and number not in findings.answered:
        return f"{check.target}: {deaf}"
    return ""


def _measured(number: int, check: Check, findings: Findings) -> Result:
    answered = number in findings.answered
    came = findings.came_to(check.target, number, check)
    strangers = _strangers(number, check, findings)
    if check.because is None:
        remark = f"it came to {', '.join(strangers)}" if strangers else ""
        return Result(check, answered or came or bool(strangers), remark)
    remark = "it arrived, but no answer came back" if came and not answered else ""
    return Result(check, answered, remark)


def _strangers(number: int, check: Check, findings: Findings) -> list[str]:
    """Machines of other domains that heard what was said to everybody on the link."""
    if check.kind not in _ARE_NEVER_ANSWERED:
        return []
    return [
        name
        for name, seen in sorted(findings.arrived.items())
        if number in seen
        and name != check.target
        and domain_of(name) not in (domain_of(check.source), HOST)
    ]
