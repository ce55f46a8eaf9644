"""Programs that people choose as their firewall: ufw and firewalld, recognised by the chains that they load.

What to do about each is from Incus's documentation, "How to configure your firewall" (howto/network_bridge_firewalld).
"""

import re
from collections.abc import Iterable

from freehold.operations.doctor.finding import Finding, not_measured, ok, warning
from freehold.operations.doctor.packets import Ruleset
from freehold.operations.doctor.passage import (
    THROUGH,
    TO_HOST,
    Block,
    Way,
    blocks,
    bridges_of,
    rules_met,
)
from freehold.operations.doctor.remedies import typed
from freehold.operations.doctor.subject import NotMeasured, Subject
from freehold.operations.doctor.words import told


def is_ufws(rules: Ruleset) -> bool:
    """Whether ufw has its chains in the table (ufw-framework(8))."""
    return "ufw-before-forward" in rules.chains


def is_firewallds(rules: Ruleset) -> bool:
    """Whether it is firewalld's, or, with `FirewallBackend=iptables`, has its chains (firewalld.conf(5))."""
    return rules.table == "firewalld" or "FORWARD_direct" in rules.chains


def ufw(subject: Subject) -> Finding:
    """Whether ufw drops what is forwarded, or the machines' requests to this computer."""
    try:
        rules = [rules for rules in rules_met(subject) if is_ufws(rules)]
    except NotMeasured:
        return _ufw_by_its_files(subject)
    found = _blocks(subject, rules)
    if found:
        return warning(
            told(subject, "ufw", found),
            f"Allow the bridges:{typed(subject, _ufw_commands(_bridges(found)))}",
        )
    return ok("ufw is active and lets the bridges pass." if rules else "ufw is not active.")


def _ufw_commands(bridges: Iterable[str]) -> list[str]:
    rules = ("allow in", "route allow in", "route allow out")
    return [f"ufw {rule} on {bridge}" for bridge in bridges for rule in rules]


def _ufw_by_its_files(subject: Subject) -> Finding:
    """What can be said without root: whether ufw is meant to be active, and what it does by default (ufw(8))."""
    if subject.in_lab:
        raise NotMeasured("Only root may ask the kernel for its firewall.")
    if not re.search(r"(?mi)^ENABLED=yes", subject.text("/etc/ufw/ufw.conf") or ""):
        return ok("ufw is not active.")
    text = subject.text("/etc/default/ufw") or ""
    policies = re.findall(r'(?mi)^(DEFAULT_(?:FORWARD|INPUT)_POLICY="?(?:DROP|REJECT)"?)', text)
    if not policies:
        return ok("ufw is active and lets forwarded packets pass.")
    return not_measured(
        f"ufw is active with {' and '.join(policies)} (/etc/default/ufw). Only root may see whether it lets the "
        "bridges pass.",
        f"Allow the bridges, if that was not done:{typed(subject, _ufw_commands(bridges_of(subject)))}",
    )


def firewalld(subject: Subject) -> Finding:
    """Whether firewalld drops what comes from the bridges, as it does for interfaces that no zone of its own holds."""
    rules = [rules for rules in rules_met(subject) if is_firewallds(rules)]
    found = _blocks(subject, rules)
    if found:
        return warning(told(subject, "firewalld", found), _firewalld_remedy(subject, found))
    return ok(
        "firewalld is active and lets the bridges pass." if rules else "firewalld is not active."
    )


def _firewalld_remedy(subject: Subject, found: list[Block]) -> str:
    if subject.in_lab:
        command = typed(subject, ["nft delete table inet firewalld"])
        return f"The lab needs no firewalld. Delete its table:{command}"
    zone = "firewall-cmd --permanent --zone=trusted"
    commands = [f"{zone} --change-interface={bridge}" for bridge in _bridges(found)]
    return (
        "Put the bridges into the zone that lets all pass; Freehold's own rules still keep the domains apart:"
        f"{typed(subject, [*commands, 'firewall-cmd --reload'])}"
    )


def _blocks(subject: Subject, rules: Iterable[Ruleset]) -> list[Block]:
    ways: tuple[Way, ...] = (*THROUGH, *TO_HOST)
    return [block for each in rules for block in blocks(each, ways, bridges_of(subject))]


def _bridges(found: Iterable[Block]) -> list[str]:
    return sorted({bridge for block in found for bridge in block.bridges})
