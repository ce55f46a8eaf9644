"""What the table that is loaded says, in the same fields as `desired.py` writes. Pure; called by `provider.py`.

The sets give zones and openings; the rules are the same for every estate and only compared.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from freehold.providers.firewall.chains import PAIRS, set_name
from freehold.providers.firewall.handover import BRIDGES
from freehold.providers.firewall.openings import HOST, INTERNET, Allowed, Opening, merged
from freehold.system.nftables import Commands, Listing

Elements = Mapping[str, list[tuple[list[Any], str]]]
"""By set: each element's parts and its comment."""


def zones(listing: Listing) -> dict[str, dict[str, Any]]:
    """The domains that the table knows, by name."""
    elements = _elements(listing)
    gateways = {parts[0]: str(parts[1]) for parts, _ in elements["gateways"]}
    subnets = {parts[0]: _network(parts[1]) for parts, _ in elements["sources"]}
    admins, outward = ({parts[0] for parts, _ in elements[name]} for name in ("admins", "outward"))
    return {
        comment or bridge: {
            "bridge": bridge,
            "subnet": subnets.get(bridge, ""),
            "gateway": gateways.get(bridge, ""),
            "admin": bridge in admins,
            "internet": bridge in outward,
        }
        for (bridge, *_), comment in elements["bridges"]
    }


def transfer(listing: Listing) -> dict[str, str]:
    """`transfer`: the bridge on which a machine is handed packets; nothing when the host itself decides."""
    found = _elements(listing)[BRIDGES]
    return {"transfer": str(found[0][0][0])} if found else {}


def opened(listing: Listing) -> dict[str, str]:
    """What the table lets pass, by label."""
    elements = _elements(listing)
    found: defaultdict[tuple[str, str, str], list[Allowed]] = defaultdict(list)
    for source, target in PAIRS:
        for parts, comment in elements[set_name(source, target)]:
            *ends, protocol, ports = parts
            pair = _pair(source, target, iter(map(_network, ends)))
            label = comment or f"{pair[0]} to {pair[1]}"
            found[label, *pair].append(Allowed(str(protocol), _ports(ports)))
    result: dict[str, str] = {}
    for (label, source, target), allowed in found.items():
        free = label if label not in result else f"{source} to {target}"
        result[free] = Opening(free, source, target, tuple(merged(allowed))).text
    return result


def contents(source: Listing | Commands) -> dict[str, list[str]]:
    """What each set holds, in an order of its own, so that equal means equal."""
    entries = [entry.get("add", entry) for entry in source]
    return {
        f"set {name}": sorted(json.dumps(element) for element in held)
        for name, held in _elements(entries).items()
    }


def _pair(source: str, target: str, ends: Iterator[str]) -> tuple[str, str]:
    """The two ends; `host` and `internet` are in the set's name, not in its elements."""
    first, second = (kind if kind in (HOST, INTERNET) else next(ends) for kind in (source, target))
    return first, second


def _elements(listing: Listing) -> Elements:
    found: defaultdict[str, list[tuple[list[Any], str]]] = defaultdict(list)
    for entry in listing:
        body = entry.get("set") or entry.get("element") or {}
        for element in body.get("elem", []):
            found[body["name"]].append(_parts(element))
    return found


def _parts(element: Any) -> tuple[list[Any], str]:
    comment = ""
    if isinstance(element, Mapping) and "elem" in element:
        comment = element["elem"].get("comment", "")
        element = element["elem"]["val"]
    if isinstance(element, Mapping) and "concat" in element:
        return list(element["concat"]), comment
    return [element], comment


def _network(part: Any) -> str:
    if isinstance(part, Mapping) and "prefix" in part:
        return f"{part['prefix']['addr']}/{part['prefix']['len']}"
    return str(part)


def _ports(part: Any) -> tuple[int, int]:
    if isinstance(part, Mapping):
        first, last = part["range"]
        return int(first), int(last)
    return int(part), int(part)


def structure(source: Listing | Commands) -> dict[str, Any]:
    """Sets without what they hold, chains and rules, in a form in which equal means equal: no handles, no counts."""
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for entry in source:
        [(noun, body)] = entry.get("add", entry).items()
        if noun == "rule":
            found[f"chain {body['chain']}"].append([_plain(each) for each in body["expr"]])
        elif noun in {"set", "map", "chain"}:
            kept = {key: value for key, value in body.items() if key not in {"handle", "elem"}}
            found[f"{noun} {body['name']}"].insert(0, kept)
    return dict(found)


def _plain(expression: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"counter": None} if "counter" in expression else expression


def difference(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """In words, what of the structure is not as Freehold writes it; empty when all is."""
    changed = [name for name in sorted({*wanted, *found}) if wanted.get(name) != found.get(name)]
    return f"changed by hand: {', '.join(changed)}" if changed else ""
