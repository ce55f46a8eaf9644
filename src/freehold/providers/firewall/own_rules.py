"""Are these the rules that Freehold writes? Asked by the host's agent of what a control machine sends. Pure.

Rules are the same for every estate, and all that differs is in the sets. So what is in the sets is read, the whole is
written anew from it, and both must agree: whoever sends rules decides about zones and openings and nothing else.
"""

import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from freehold.planning.resource import Fields
from freehold.providers.firewall.openings import HOST, INTERNET, kind_of, parsed
from freehold.providers.firewall.reading import contents, opened, structure, transfer, zones
from freehold.providers.firewall.ruleset import FAMILY, commands, skeleton
from freehold.system.nftables import Commands

_BRIDGE = re.compile(r"net-[a-z0-9-]{1,11}")  # model.names.bridge_name
_TRANSFER_BRIDGE = re.compile(r"fw-[a-z0-9-]{1,12}")  # model.transfer.transfer_bridge


def is_bridge(name: str) -> bool:
    """Whether a domain's bridge can be called that: no card and no bridge of anybody else's is."""
    return _BRIDGE.fullmatch(name) is not None


def is_transfer_bridge(name: str) -> bool:
    """Whether the bridge to the machine between domains can be called that."""
    return _TRANSFER_BRIDGE.fullmatch(name) is not None


def own_rules(name: str, base: IPv4Network, sent: Commands) -> Commands:
    """The same rules, written here. Raises ValueError when they are not Freehold's for this table and network."""
    gone = [{"add": _table(name)}, {"delete": _table(name)}]
    if list(sent) == gone:
        return gone
    entries = [command.get("add", command) for command in sent]
    fields = {"zones": zones(entries), "open": opened(entries), **transfer(entries)}
    _within(base, fields)
    wanted = commands(name, fields)
    if not _alike(wanted, sent):
        raise ValueError("they are not the rules that this version of Freehold writes")
    return wanted


def own_skeleton(name: str, sent: Commands) -> Commands:
    """The table with nothing in its sets. Raises ValueError when it is another."""
    for fields in ({}, {"transfer": ""}):
        if _alike(wanted := skeleton(name, fields), sent):
            return wanted
    raise ValueError("they are not the rules that this version of Freehold writes")


def _table(name: str) -> Mapping[str, Any]:
    return {"table": {"family": FAMILY, "name": name}}


def _alike(wanted: Commands, sent: Commands) -> bool:
    """Whether both lead to the same, whatever the order of what is in a set."""
    return (
        sorted(map(_verb, wanted)) == sorted(map(_verb, sent))
        and structure(wanted) == structure(sent)
        and contents(wanted) == contents(sent)
    )


def _verb(command: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """What a command does with what, and of which table."""
    [(verb, thing)] = command.items()
    [(noun, body)] = thing.items()
    return verb, noun, str(body["family"]), str(body["name" if noun == "table" else "table"])


def _within(base: IPv4Network, fields: Fields) -> None:
    """Every interface is called like one of ours, every address is in the estate's network. Raises ValueError."""
    for zone in fields["zones"].values():
        _bridge(zone["bridge"])
        if (
            not IPv4Network(zone["subnet"]).subnet_of(base)
            or IPv4Address(zone["gateway"]) not in base
        ):
            raise ValueError(f"{zone['subnet']} is not in the estate's network {base}")
    for label, text in fields["open"].items():
        opening = parsed(label, text)
        for end in (opening.source, opening.target):
            _end(base, end)
    if "transfer" in fields and not is_transfer_bridge(fields["transfer"]):
        raise ValueError(f"`{fields['transfer']}` is no bridge of an estate")


def _end(base: IPv4Network, end: str) -> None:
    match kind_of(end):
        case "domain":
            _bridge(end)
        case "machine" if IPv4Address(end) not in base:
            raise ValueError(f"{end} is not in the estate's network {base}")
        case kind:
            assert kind in (HOST, INTERNET, "machine")


def _bridge(name: str) -> None:
    if not is_bridge(name):
        raise ValueError(f"`{name}` is no bridge of an estate")
