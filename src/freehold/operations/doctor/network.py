"""nftables, and rules of anybody else that stop what passes over the bridges. Everything here only reads."""

from freehold.operations.doctor.docker import is_dockers
from freehold.operations.doctor.finding import Finding, error, ok, warning
from freehold.operations.doctor.firewalls import is_firewallds, is_ufws
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
from freehold.operations.doctor.remedies import let_pass, typed
from freehold.operations.doctor.subject import NotMeasured, Subject
from freehold.operations.doctor.words import told
from freehold.system.processes import find_program

# What Freehold's own rules need of the kernel: the inet family, and sets that hold pairs of interface names.
_PROBE = """\
table inet freehold-doctor {
    set pairs { type ifname . ifname; elements = { "a" . "b" } }
    chain forward { type filter hook forward priority 0; iifname . oifname @pairs ct state new accept; }
}
"""
_OWNERS = {
    "docker-bridges": "Docker",
    "fw4": "OpenWrt's firewall",
    "libvirt_network": "libvirt",
    "mullvad": "Mullvad VPN",
    "nixos-fw": "NixOS's firewall",
}


def nftables(subject: Subject) -> Finding:
    """Whether the program nft is there, and the kernel takes rules like ours. They are checked, not loaded."""
    if find_program("nft") is None:
        return error(
            "The program nft is not installed.", "Install it:\n    sudo apt-get install nftables"
        )
    done = subject.inside(["nft", "--check", "--file", "-"], given=_PROBE)
    if done.code == 0:
        version = subject.inside(["nft", "--version"]).output.split()
        return ok(
            f"nft {version[1].lstrip('v') if len(version) > 1 else ''} and the kernel work together."
        )
    if "Operation not permitted" in done.errors or "Permission denied" in done.errors:
        raise NotMeasured("Only root may ask the kernel for its firewall.")
    said = (done.errors.strip().splitlines() or ["no reason given"])[0]
    return error(
        f"The kernel refuses firewall rules like Freehold's: {said}",
        "Use a kernel with nf_tables (CONFIG_NF_TABLES_INET), such as the distribution's own; "
        "after a kernel update, reboot.",
    )


def others(subject: Subject) -> Finding:
    """Whether any other table drops what machines need. A drop is final, whatever other tables accept."""
    found = [(rules, block) for rules in _strangers(subject) for block in _blocks(subject, rules)]
    if not found:
        return ok("No other table drops what machines send.")
    said = [
        told(subject, owner, [block for rules, block in found if _owner(rules) == owner])
        for owner in dict.fromkeys(_owner(rules) for rules, _ in found)
    ]
    commands = typed(subject, let_pass([block for _, block in found]))
    return warning(
        " ".join(said),
        f"Let the bridges pass there, and note it in the file that loads these rules:{commands}",
    )


def _strangers(subject: Subject) -> list[Ruleset]:
    """Tables of programs that have no check of their own; a table that only drops is not among them."""
    return [
        rules
        for rules in rules_met(subject)
        if not (is_dockers(rules) or is_ufws(rules) or is_firewallds(rules) or is_left_over(rules))
    ]


def is_left_over(rules: Ruleset) -> bool:
    """Whether it is a table of its own that only drops."""
    return rules.program is None and rules.is_shut


def _owner(rules: Ruleset) -> str:
    return _OWNERS.get(rules.table, "Somebody")


def _blocks(subject: Subject, rules: Ruleset) -> list[Block]:
    ways: tuple[Way, ...] = (Way.WITHIN,) if rules.family == "bridge" else (*THROUGH, *TO_HOST)
    return blocks(rules, ways, bridges_of(subject))
