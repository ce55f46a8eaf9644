"""Which packets beside the tunnel are the VPN's own: those to its server. Pure; called by `verdict`.

Who the server is, is learned with the tunnel up: where by far the most packets go. From then on it is known by protocol, port and
address: at port 443 alone every page of the web would be one. A VPN that is restarted may choose another server. That is believed of
an address that is new, that the tunnel's packets go to, and only when nothing goes to the old one any more.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Answer = Mapping[str, Any]


def server(up: Answer) -> Answer | None:
    """Where the most packets go that are not ours, and no fewer than half of the probes in the tunnel."""
    beside = [each for each in up["seen"] if _beside(each)]
    return _most(beside, in_tunnel(up))


def successor(seen: Answer, old: Answer, earlier: Sequence[Answer]) -> Answer | None:
    """Another server in place of the old one; `earlier` are moments in which nobody may have spoken to it."""
    known = {each["to"] for moment in earlier for each in moment["seen"]}
    others = [each for each in seen["seen"] if _beside(each) and _alike(each, old)]
    new = [each for each in others if each["to"] != old["to"]]
    most = _most(new, in_tunnel(seen))
    if most is None or most["to"] in known:
        return None
    after = (each["last"] > most["first"] for each in others if each["to"] == old["to"])
    return None if any(after) else most


def in_tunnel(seen: Answer) -> int:
    """How many probes went into a tunnel."""
    return sum(int(each["count"]) for each in seen["seen"] if each["ours"] and each["in_tunnel"])


def strange(seen: Answer, servers: Sequence[Answer]) -> Iterator[Answer]:
    """What went beside the tunnel to nobody that is the VPN's server."""
    for each in seen["seen"]:
        if _beside(each) and not any(_same(each, one) for one in servers):
            yield each


def doubtful(packet: Answer, seen: Answer, servers: Sequence[Answer]) -> bool:
    """Whether it may have been a server that the VPN tried in vain: at the port of its server, and while it spoke to no other one."""
    if not any(_alike(packet, one) for one in servers):
        return False
    spoken = [each for each in seen["seen"] if any(_same(each, one) for one in servers)]
    return all(
        packet["last"] <= each["first"] or each["last"] <= packet["first"] for each in spoken
    )


def _beside(packet: Answer) -> bool:
    return not packet["ours"] and not packet["in_tunnel"]


def _alike(packet: Answer, one: Answer) -> bool:
    """Whether it is spoken to in the same way; where there are no ports, that says nothing."""
    same = (packet["protocol"], packet["port"]) == (one["protocol"], one["port"])
    return same and bool(one["port"])


def _same(packet: Answer, one: Answer) -> bool:
    names = ("protocol", "port", "to")
    return all(packet[name] == one[name] for name in names)


def _most(packets: Sequence[Answer], probes: int) -> Answer | None:
    most = max(packets, key=lambda each: int(each["count"]), default=None)
    return most if most is not None and most["count"] * 2 >= probes > 0 else None
