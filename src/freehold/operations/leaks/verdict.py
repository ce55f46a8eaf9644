"""What the packets that were seen say about each moment. Pure; called by `prove` with the answer of `freehold.system.leaks`.

A packet beside the tunnel is a leak when it is one of our probes, or goes outside to anybody but the VPN's server (`server`). That nothing
was seen proves something only where something would have been: probes were sent, every packet was looked at, and the tunnel was as it should be.
"""

from collections.abc import Iterator, Sequence

from freehold.operations.leaks.report import Finding, Leak, Moment, Verdict
from freehold.operations.leaks.server import (
    Answer,
    doubtful,
    in_tunnel,
    server,
    strange,
    successor,
)

_PACKETS = (Moment.UP, Moment.DOWN, Moment.RESTART)
_BRIEF = 0.05  # seconds
_DOCKERS_RESOLVER = "127.0.0.11"
"""It listens in the container's network; a resolver on the computer's loopback it asks from the computer's own (github.com/moby/moby/issues/38512)."""


def findings(answer: Answer) -> tuple[Finding, ...]:
    """One for each moment."""
    if "problem" in answer:
        return not_measured(_said(answer))
    up = answer["up"]
    known = server(up)
    down = answer.get("down")
    earlier = [up, down] if down and "seen" in down else [up]
    return (
        _up(up, known),
        _address(answer["address"]),
        _down(down, known, up),
        _restart(answer["restart"], known, earlier),
    )


def not_measured(why: str) -> tuple[Finding, ...]:
    """Nothing could be seen at all."""
    return tuple(Finding(each, Verdict.NOT_MEASURED, why) for each in _PACKETS)


def _up(up: Answer, known: Answer | None) -> Finding:
    leaks = _leaks(up, [known] if known else [])
    inside = in_tunnel(up)
    if leaks:
        return _leaking(Moment.UP, leaks, "with the tunnel up")
    if why := _blind(up):
        return _unknown(Moment.UP, why)
    if not inside:
        return _unknown(Moment.UP, "no probe went into a tunnel; is its VPN connected?")
    if not known:
        return _unknown(Moment.UP, "nothing was seen to leave, not even to the VPN's server")
    if _DOCKERS_RESOLVER in up["resolvers"]:
        return _unknown(Moment.UP, f"names are asked of {_DOCKERS_RESOLVER}, which is Docker's own, and it cannot be seen which way it asks")  # fmt: skip
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


def _down(down: Answer | None, known: Answer | None, up: Answer) -> Finding:
    if down is None:
        return _unknown(Moment.DOWN, "there is no tunnel that could be cut")
    if "problem" in down:
        return _unknown(Moment.DOWN, _said(down))
    by_itself = down["by_itself"] or in_tunnel(down)
    servers = _servers(down, known, [up] if by_itself else None)
    if leaks := _leaks(down, servers):
        return _leaking(Moment.DOWN, leaks, "with the tunnel cut")
    if by_itself:
        return _unknown(Moment.DOWN, "the tunnel came back by itself before it was over")
    if down["answers"]:
        first = down["answers"][0]
        who = f"{first['to']} answered by {first['protocol']} with the tunnel cut"
        return Finding(Moment.DOWN, Verdict.LEAKS, who)
    if why := _blind(down) or _silence(known, "it was cut"):
        return _unknown(Moment.DOWN, why)
    why = f"{_tried(down)} probes, none left; {down['refused']} were refused at once"
    return Finding(Moment.DOWN, Verdict.HOLDS, why)


def _restart(restart: Answer, known: Answer | None, earlier: Sequence[Answer]) -> Finding:
    if "problem" in restart:
        return _unknown(Moment.RESTART, _said(restart))
    if restart["there"] is None:
        return _unknown(Moment.RESTART, "it did not start again")
    # What left before any program but the VPN's own could be there, nobody but our probes can have sent.
    late = {
        **restart,
        "seen": [each for each in restart["seen"] if each["last"] >= restart["there"]],
    }
    servers = _servers(restart, known, earlier)
    unsure = [each for each in strange(late, servers) if doubtful(each, restart, servers)]
    late["seen"] = [each for each in late["seen"] if each not in unsure]
    if leaks := _leaks(late, servers):
        return _leaking(Moment.RESTART, leaks, "at the restart")
    if why := _blind_restart(late) or _silence(known, "the restart"):
        return _unknown(Moment.RESTART, why)
    if unsure:
        return _unknown(Moment.RESTART, f"{unsure[0]['to']} was spoken to, at the port of the VPN's server: another server that it tried, or a leak")  # fmt: skip
    other = f"; the VPN's server is another one, {servers[1]['to']}" if servers[1:] else ""
    why = f"{_tried(restart)} probes, none left{_early(restart)}{other}"
    return Finding(Moment.RESTART, Verdict.HOLDS, why)


def _blind_restart(late: Answer) -> str:
    """Why what was seen from when the service was there is not all that there was."""
    if why := _blind(late):
        return why
    if not late["serves"]:
        return "its VPN was not healthy again in time"
    if not in_tunnel(late):
        return "no probe went into the tunnel again"
    if any(each["to"] == _DOCKERS_RESOLVER for each in late["answers"]):
        return f"{_DOCKERS_RESOLVER} answered, which is Docker's own resolver, and it cannot be seen which way it asked"
    return ""


def _early(restart: Answer) -> str:
    ours = [each["last"] for each in restart["seen"] if each["ours"] and not each["in_tunnel"]]
    if not ours:
        return ", from the first moment on"
    return f" from when it was there; until {max(*ours, _BRIEF):.2f} s after the start, before that, they did"


def _servers(seen: Answer, known: Answer | None, earlier: Sequence[Answer] | None) -> list[Answer]:
    """The VPN's server, and the one that it has changed to where it can have done so."""
    if known is None:
        return []
    other = successor(seen, known, earlier) if earlier is not None else None
    return [known, other] if other else [known]


def _leaks(seen: Answer, servers: Sequence[Answer]) -> tuple[Leak, ...]:
    """Our probes in any case; of other packets nothing can be said while nobody knows the VPN's server."""
    return tuple(_each_leak(seen, servers))


def _each_leak(seen: Answer, servers: Sequence[Answer]) -> Iterator[Leak]:
    ours = [each for each in seen["seen"] if each["ours"] and not each["in_tunnel"]]
    others = list(strange(seen, servers)) if servers else []
    for each in [*ours, *others]:
        names = ("protocol", "to", "port", "interface", "count", "ours")
        yield Leak(**{name: each[name] for name in names})


def _leaking(moment: Moment, leaks: tuple[Leak, ...], when: str) -> Finding:
    more = f" and {len(leaks) - 1} more ways" if len(leaks) > 1 else ""
    return Finding(moment, Verdict.LEAKS, f"{leaks[0]}{more} {when}", leaks)


def _unknown(moment: Moment, why: str) -> Finding:
    return Finding(moment, Verdict.NOT_MEASURED, why)


def _said(answer: Answer) -> str:
    return str(answer["problem"]) or "it failed, and nobody says why"


def _tried(seen: Answer) -> int:
    return int(seen["sent"] + seen["refused"])


def _blind(seen: Answer) -> str:
    """Why silence shows nothing; nothing where it does."""
    if not seen["stayed"]:
        return "its VPN was started once more meanwhile in another network, or nobody says in which"
    if seen["lost"]:
        return f"{seen['lost']} packets came too fast to be looked at; try when it is quieter"
    return "" if _tried(seen) else "no probe was sent"


def _silence(known: Answer | None, when: str) -> str:
    shows = f"nothing was seen to leave before {when}, so silence shows nothing"
    return "" if known else shows
