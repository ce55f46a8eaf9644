"""What the packets that were seen say about each moment. Pure; called by `prove` with the answer of `freehold.system.leaks`.

A packet beside the tunnel is a leak when it is one of our probes, or goes outside to anybody but the VPN's server. Who that is, is
learned with the tunnel up: where by far the most packets go. A VPN that comes back may choose another server at the same port.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from freehold.operations.leaks.report import Finding, Leak, Moment, Verdict

Answer = Mapping[str, Any]
_PACKETS = (Moment.UP, Moment.DOWN, Moment.RESTART)
_BRIEF = 0.05  # seconds


def findings(answer: Answer) -> tuple[Finding, ...]:
    """One for each moment."""
    if problem := answer.get("problem"):
        return not_measured(str(problem))
    up = answer["up"]
    servers = _servers(up)
    return (
        _up(up, servers),
        _address(answer["address"]),
        _down(answer.get("down"), servers),
        _restart(answer["restart"], servers),
    )


def not_measured(why: str) -> tuple[Finding, ...]:
    """Nothing could be seen at all."""
    return tuple(Finding(each, Verdict.NOT_MEASURED, why) for each in _PACKETS)


def _up(up: Answer, servers: Sequence[Answer]) -> Finding:
    leaks = tuple(_leaks(up, servers))
    inside = _in_tunnel(up)
    if leaks:
        return _leaking(Moment.UP, leaks, "with the tunnel up")
    if up["lost"]:
        return _unknown(Moment.UP, _lost(up))
    if not inside:
        return _unknown(Moment.UP, "no probe went into a tunnel; is its VPN connected?")
    if not servers:
        return _unknown(Moment.UP, "nothing was seen to leave, not even to the VPN's server")
    why = f"{inside} probes went into the tunnel, none beside it, by IPv6 neither"
    return Finding(Moment.UP, Verdict.HOLDS, why)


def _address(address: Answer) -> Finding:
    target, inside = address["target"], address["inside"]
    if not target or not inside:
        who = "the target" if not target else "the service"
        return _unknown(Moment.ADDRESS, f"nobody told {who} its address")
    if target == inside:
        return Finding(Moment.ADDRESS, Verdict.LEAKS, f"{inside}, which is the target's own")
    return Finding(Moment.ADDRESS, Verdict.HOLDS, f"{inside}; the target's own is {target}")


def _down(down: Answer | None, servers: Sequence[Answer]) -> Finding:
    if down is None:
        return _unknown(Moment.DOWN, "there is no tunnel that could be cut")
    leaks = tuple(_leaks(down, servers))
    answered = [each for each in down["answers"] if not down["by_itself"]]
    if leaks:
        return _leaking(Moment.DOWN, leaks, "with the tunnel cut")
    if answered:
        who = f"{answered[0]['to']} answered by {answered[0]['protocol']} with the tunnel cut"
        return Finding(Moment.DOWN, Verdict.LEAKS, who)
    if not servers:
        why = "nothing was seen to leave before it was cut, so silence shows nothing"
        return _unknown(Moment.DOWN, why)
    tried = down["sent"] + down["refused"]
    why = f"{tried} probes, none left; {down['refused']} were refused at once"
    return Finding(Moment.DOWN, Verdict.HOLDS, why)


def _restart(restart: Answer, servers: Sequence[Answer]) -> Finding:
    if problem := restart.get("problem"):
        return _unknown(Moment.RESTART, str(problem))
    if restart["there"] is None:
        return _unknown(Moment.RESTART, "it did not start again")
    # What left before any program but the VPN's own could be there, nobody but our probes can have sent.
    late = {
        **restart,
        "seen": [each for each in restart["seen"] if each["last"] >= restart["there"]],
    }
    if leaks := tuple(_leaks(late, servers)):
        return _leaking(Moment.RESTART, leaks, "at the restart")
    if not servers:
        why = "nothing was seen to leave before the restart, so silence shows nothing"
        return _unknown(Moment.RESTART, why)
    if not restart["serves"]:
        return _unknown(Moment.RESTART, "its VPN was not healthy again in time")
    tried = restart["sent"] + restart["refused"]
    return Finding(Moment.RESTART, Verdict.HOLDS, f"{tried} probes, none left{_early(restart)}")


def _early(restart: Answer) -> str:
    ours = [each["last"] for each in restart["seen"] if each["ours"] and not each["in_tunnel"]]
    if not ours:
        return ", from the first moment on"
    return f" from when it was there; until {max(*ours, _BRIEF):.2f} s after the start, before that, they did"


def _servers(up: Answer) -> list[Answer]:
    """The VPN's server: where the most packets go that are not ours, and no fewer than half of the probes in the tunnel."""
    beside = [each for each in up["seen"] if not each["ours"] and not each["in_tunnel"]]
    most = max(beside, key=lambda each: int(each["count"]), default=None)
    return [most] if most and most["count"] * 2 >= _in_tunnel(up) > 0 else []


def _in_tunnel(up: Answer) -> int:
    return sum(int(each["count"]) for each in up["seen"] if each["ours"] and each["in_tunnel"])


def _leaks(seen: Answer, servers: Sequence[Answer]) -> Iterator[Leak]:
    """Our probes in any case; of other packets nothing can be said while nobody knows the VPN's server."""
    for each in seen["seen"]:
        strange = bool(servers) and not _is_server(each, servers)
        if not each["in_tunnel"] and (each["ours"] or strange):
            names = ("protocol", "to", "port", "interface", "count", "ours")
            yield Leak(**{name: each[name] for name in names})


def _is_server(packet: Answer, servers: Sequence[Answer]) -> bool:
    return any(
        packet["protocol"] == each["protocol"]
        and (packet["port"] == each["port"] if each["port"] else packet["to"] == each["to"])
        for each in servers
    )


def _leaking(moment: Moment, leaks: tuple[Leak, ...], when: str) -> Finding:
    more = f" and {len(leaks) - 1} more ways" if len(leaks) > 1 else ""
    return Finding(moment, Verdict.LEAKS, f"{leaks[0]}{more} {when}", leaks)


def _unknown(moment: Moment, why: str) -> Finding:
    return Finding(moment, Verdict.NOT_MEASURED, why)


def _lost(seen: Answer) -> str:
    return f"{seen['lost']} packets came too fast to be looked at; try when it is quieter"
