"""What a table has counted: packets dropped by each chain, and in the machine between the domains which ones. Pure.

Called by `operations.firewall_counts`. The kernel counts since the rules were last loaded; what it remembers of single
packets it forgets after an hour (`router.ruleset`), and counts them anew.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from freehold.providers.firewall.router.rules import DROPPED, DROPPED_OTHERS
from freehold.providers.firewall.router.ruleset import REMEMBERED_FOR
from freehold.system.nftables import Listing


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """Packets of one kind that were dropped: addresses, protocol, port (None for one without), the last one's age."""

    source: str
    target: str
    protocol: str
    port: int | None
    packets: int
    seconds_ago: int


def counted(listing: Listing, verdict: str) -> dict[str, int]:
    """Packets by chain that rules with this verdict (`drop`, `accept`) counted."""
    found: defaultdict[str, int] = defaultdict(int)
    for entry in listing:
        expressions = entry.get("rule", {}).get("expr", [])
        if any(verdict in each for each in expressions):
            counts = (each["counter"]["packets"] for each in expressions if each.get("counter"))
            found[entry["rule"]["chain"]] += sum(counts)
    return dict(found)


def remembered(listing: Listing) -> list[Dropped]:
    """What was dropped within the last hour, the latest first."""
    found = [
        _dropped(element["elem"])
        for entry in listing
        if entry.get("set", {}).get("name") in (DROPPED, DROPPED_OTHERS)
        for element in entry["set"].get("elem", [])
    ]
    return sorted(found, key=lambda each: (each.seconds_ago, each.source, each.target))


def _dropped(element: Mapping[str, Any]) -> Dropped:
    source, target, protocol, *port = element["val"]["concat"]
    return Dropped(
        source=source,
        target=target,
        protocol=str(protocol),
        port=int(port[0]) if port else None,
        packets=next(_packets(element), 0),
        seconds_ago=max(0, REMEMBERED_FOR - int(element.get("expires", REMEMBERED_FOR))),
    )


def _packets(element: Mapping[str, Any]) -> Iterator[int]:
    """Its counter, where this version of nft lists it: in the element, or among its statements."""
    for each in (element, *element.get("stmt", [])):
        if "counter" in each:
            yield int(each["counter"]["packets"])
