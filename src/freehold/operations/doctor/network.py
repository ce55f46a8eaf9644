"""nftables, and firewalls of others that stop what passes over the bridges. Everything here only reads.

What to do about each is from Incus's documentation, "How to configure your firewall" (howto/network_bridge_firewalld).
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from freehold.operations.doctor.finding import Finding, error, not_measured, ok, warning
from freehold.operations.doctor.subject import NotMeasured, Subject
from freehold.system.processes import find_program

# What Freehold's own rules need of the kernel: the inet family, and sets that hold pairs of interface names.
_PROBE = """\
table inet freehold-doctor {
    set pairs { type ifname . ifname; elements = { "a" . "b" } }
    chain forward { type filter hook forward priority 0; iifname . oifname @pairs ct state new accept; }
}
"""


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


def docker(subject: Subject) -> Finding:
    """Whether Docker's FORWARD policy drops what comes from the bridges."""
    legacy = "filter" in (subject.text("/proc/net/ip_tables_names") or "").split()
    for chain in _forward_chains(subject):
        if chain["name"] == "FORWARD" and chain.get("policy") == "drop":
            return warning(
                "The chain FORWARD of iptables drops by default, as Docker sets it: "
                "machines reach nothing beyond their domain.",
                "Allow the bridges (after every start of Docker):\n"
                "    sudo iptables -I DOCKER-USER -i net-+ -j ACCEPT\n"
                "    sudo iptables -I DOCKER-USER -o net-+ -j ACCEPT\n"
                'Or, with Docker 28 and newer, write `"ip-forward-no-drop": true` into /etc/docker/daemon.json '
                "and restart the computer.",
            )
    if legacy:
        return not_measured(
            "Rules of the old iptables are loaded, which nft does not show.",
            "Look whether FORWARD drops by default:\n    sudo iptables-legacy -S FORWARD",
        )
    return ok("No iptables rule stops what passes over the bridges.")


def ufw(subject: Subject) -> Finding:
    """Whether ufw is active and drops what is forwarded."""
    if not re.search(r"(?mi)^ENABLED=yes", subject.text("/etc/ufw/ufw.conf") or ""):
        return ok("ufw is not active.")
    policy = re.search(
        r'(?mi)^DEFAULT_FORWARD_POLICY="?(\w+)', subject.text("/etc/default/ufw") or ""
    )
    if policy is not None and policy[1].upper() == "ACCEPT":
        return ok("ufw is active and lets forwarded packets pass.")
    commands = [
        f"\n    sudo ufw {rule} on {bridge}"
        for bridge in _bridges(subject)
        for rule in ("allow in", "route allow in", "route allow out")
    ]
    return warning(
        "ufw is active and drops forwarded packets: machines get no address and reach nothing.",
        f"Allow the bridges:{''.join(commands)}",
    )


def firewalld(subject: Subject) -> Finding:
    """Whether firewalld is active. It drops what comes from interfaces that no zone holds."""
    if not any(chain["table"] == "firewalld" for chain in _chains(subject)):
        return ok("firewalld is not active.")
    commands = [
        f"\n    sudo firewall-cmd --permanent --zone=trusted --change-interface={bridge}"
        for bridge in _bridges(subject)
    ]
    return warning(
        "firewalld is active: it drops what comes from bridges that it does not know.",
        f"Put the bridges into a zone:{''.join(commands)}\n    sudo firewall-cmd --reload",
    )


def others(subject: Subject) -> Finding:
    """Whether any other table drops what is forwarded, by its policy. A drop is final, whatever others accept."""
    found = [
        f"{chain['family']} {chain['table']} {chain['name']}"
        for chain in _forward_chains(subject)
        if chain.get("policy") == "drop"
        and chain["table"] != "firewalld"
        and chain["name"] not in {"FORWARD", "ufw-before-forward"}
        and not _is_ours(chain)
    ]
    if not found:
        return ok("No other table drops forwarded packets by default.")
    return warning(
        f"Forwarded packets are dropped by default in: {', '.join(found)}.",
        'Let the bridges pass there (`iifname "net-*" accept`, `oifname "net-*" accept`). To look at it:\n'
        f"    sudo nft list chain {found[0]}",
    )


def _is_ours(chain: dict[str, Any]) -> bool:
    return str(chain["table"]).startswith(("freehold", "incus"))


def _bridges(subject: Subject) -> list[str]:
    return [domain.bridge for domain in subject.infra.domains] if subject.infra else ["BRIDGE"]


def _forward_chains(subject: Subject) -> Iterator[dict[str, Any]]:
    return (chain for chain in _chains(subject) if chain.get("hook") == "forward")


def _chains(subject: Subject) -> list[dict[str, Any]]:
    """The chains of all tables (libnftables-json(5)); rules and sets, which may be many, are not asked for."""
    if find_program("nft") is None:
        raise NotMeasured("The program nft is not installed.")
    done = subject.inside(["nft", "--json", "list", "chains"])
    if done.code != 0:
        raise NotMeasured("Only root may ask the kernel for its firewall.")
    try:
        listed = json.loads(done.output)["nftables"]
    except (ValueError, KeyError) as failure:
        raise NotMeasured("This nft cannot list chains as JSON.") from failure
    return [entry["chain"] for entry in listed if "chain" in entry]
