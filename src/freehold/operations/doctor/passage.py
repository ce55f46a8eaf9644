"""Whether others' rules let the estate's bridges pass, and which of them does not. Used by the checks of firewalls.

All that is read here is read where the estate's network is: on this computer or in the lab.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from freehold.operations.doctor.iptables_rules import ruleset
from freehold.operations.doctor.nft_rules import Json, rulesets
from freehold.operations.doctor.packets import ELSEWHERE, Decision, Packet, Ruleset
from freehold.operations.doctor.subject import NotMeasured, Subject
from freehold.system.iptables import FilterTable, read_tables
from freehold.system.processes import find_program

EXAMPLE = "net-BRIDGE"  # stands for the bridges where no estate is known yet


class Way(StrEnum):
    """What machines need, in the words of a sentence about what is dropped."""

    OUT = "what machines send beyond their domain"
    BACK = "what comes back to machines from beyond their domain"
    WITHIN = "what machines of one domain send each other"
    ADDRESSES = "the machines' requests for an address (DHCP)"
    NAMES = "the machines' questions for names (DNS)"


THROUGH = (Way.OUT, Way.BACK)
TO_HOST = (Way.ADDRESSES, Way.NAMES)


@dataclass(frozen=True, slots=True)
class Block:
    """A way that is closed to some bridges, by one rule or policy of one table."""

    way: Way
    rules: Ruleset
    decision: Decision
    bridges: tuple[str, ...]


def bridges_of(subject: Subject) -> list[str]:
    """The estate's bridges; an example where there is no infra.yml."""
    return [domain.bridge for domain in subject.infra.domains] if subject.infra else [EXAMPLE]


def packets(way: Way, bridge: str) -> Packet:
    """The packet that stands for a way."""
    match way:
        case Way.OUT:
            return Packet(bridge, ELSEWHERE)
        case Way.BACK:
            return Packet(ELSEWHERE, bridge, state="established")
        case Way.WITHIN:
            return Packet(bridge, bridge)
        case Way.ADDRESSES:
            return Packet(bridge, protocol="udp", port="67", sent_to="broadcast")
        case Way.NAMES:
            return Packet(bridge, protocol="udp", port="53", sent_to="local")


def blocks(rules: Ruleset, ways: Sequence[Way], bridges: Sequence[str]) -> list[Block]:
    """What of these ways the table closes, each with what closes it."""
    return [
        Block(way, rules, decision, closed)
        for way in ways
        for chain in rules.base_chains("input" if way in TO_HOST else "forward")
        for decision, closed in _closed(rules, chain, way, bridges)
    ]


def _closed(
    rules: Ruleset, chain: str, way: Way, bridges: Sequence[str]
) -> Iterator[tuple[Decision, tuple[str, ...]]]:
    found: dict[Decision, list[str]] = {}
    for bridge in bridges:
        if decision := rules.obstacle(chain, packets(way, bridge)):
            found.setdefault(decision, []).append(bridge)
    return ((decision, tuple(closed)) for decision, closed in found.items())


def iptables(subject: Subject) -> list[FilterTable]:
    """iptables' tables `filter` for IPv4, of both of its forms. Raises NotMeasured, BackendError."""
    return [table for table in read_tables(subject.prefix()) if table.family == "ip"]


def rules_met(subject: Subject) -> list[Ruleset]:
    """All tables that the machines' packets meet, but Freehold's and Incus's own.

    What iptables shows itself is not taken from nft a second time, which does not know iptables' extensions.
    """
    listed = rulesets(listing(subject))  # first, for it knows who may not ask
    tables = [ruleset(table) for table in iptables(subject)]
    shown = any(table.program and "legacy" not in table.program for table in tables)
    return tables + [
        found
        for found in listed
        if not found.table.startswith(("freehold", "incus"))
        and not (
            shown and (found.family, found.table) == ("ip", "filter") and "FORWARD" in found.chains
        )
    ]


def listing(subject: Subject) -> Sequence[Json]:
    """All tables (libnftables-json(5)), without what is in their sets. Raises NotMeasured."""
    if find_program("nft") is None:
        raise NotMeasured("The program nft is not installed.")
    done = subject.inside(["nft", "--json", "--terse", "list", "ruleset"])
    if done.code != 0:
        raise NotMeasured("Only root may ask the kernel for its firewall.")
    try:
        found: Sequence[Json] = json.loads(done.output)["nftables"]
    except (ValueError, KeyError) as failure:
        raise NotMeasured("This nft cannot list its rules as JSON.") from failure
    return found


def quoted(subject: Subject, block: Block) -> str:
    """`chain FORWARD of ip filter (iptables): policy DROP`, or the rule, word for word."""
    decision, rules = block.decision, block.rules
    where = f"chain {decision.chain} of the table {rules.name}"
    if decision.rule is None:
        return f"{where}: policy drop"
    return f"{where}: `{_words(subject, rules, decision.chain, decision.rule.words)}`"


def _words(subject: Subject, rules: Ruleset, chain: str, words: str) -> str:
    """A rule as its own program writes it; nft gives the words only in its listing for people."""
    if rules.program:
        return f"-A {chain} {words}"
    argv = ["nft", "--handle", "--stateless", "list", "chain", rules.family, rules.table, chain]
    shown = subject.inside(argv).output.splitlines()
    line = next((line for line in shown if line.endswith(words)), words)
    return line.removesuffix(words).strip()
