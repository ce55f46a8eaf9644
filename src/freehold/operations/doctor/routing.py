"""How the kernel itself treats what comes from the bridges: forwarding, strict source checks, the bridge's own filter.

The values belong to a network, so that the lab has its own. Facts: Documentation/networking/ip-sysctl.rst of Linux.
"""

import re

from freehold.model import FirewallMode
from freehold.operations.doctor.finding import Finding, ok, warning
from freehold.operations.doctor.passage import Way, blocks, bridges_of, rules_met
from freehold.operations.doctor.remedies import network_sysctl
from freehold.operations.doctor.subject import NotMeasured, Subject
from freehold.operations.doctor.words import told

_STRICT = 1  # rp_filter: 0 off, 1 strict, 2 loose
_BRIDGE_FILTER = "net.bridge.bridge-nf-call-iptables"


def forwarding(subject: Subject) -> Finding:
    """Whether the kernel passes packets between interfaces, as between domains and to the outside."""
    values = _values(subject, "forwarding")
    if _number(subject, "net.ipv4.ip_forward") != 1:
        return _forwards_nothing(subject)
    closed = [bridge for bridge in bridges_of(subject) if values.get(bridge, 1) == 0]
    if not closed:
        return ok("net.ipv4.ip_forward is 1.")
    names = [f"net.ipv4.conf.{bridge}.forwarding" for bridge in closed]
    return warning(
        f"{', '.join(names)} is 0 although net.ipv4.ip_forward is 1: machines there reach nothing beyond their domain.",
        network_sysctl(subject, dict.fromkeys(names, 1)),
    )


def _forwards_nothing(subject: Subject) -> Finding:
    said = "net.ipv4.ip_forward is 0"
    usual = "Incus sets it to 1 with the first bridge."
    try:
        has_bridges = _has_bridges(subject)
    except NotMeasured as reason:
        raise NotMeasured(f"{said}; {usual} {reason}") from None
    if not has_bridges:
        return ok(f"{said}; {usual}")
    return warning(
        f"{said} although Incus has bridges: machines reach nothing beyond their domain.",
        network_sysctl(subject, {"net.ipv4.ip_forward": 1}),
    )


def _has_bridges(subject: Subject) -> bool:
    networks = subject.incus("/networks?recursion=1") or []
    return any(network["type"] == "bridge" and network["managed"] for network in networks)


def reverse_path(subject: Subject) -> Finding:
    """Whether the kernel drops packets that come in by another interface than their answer would go out by."""
    values = _values(subject, "rp_filter")
    everywhere = values.get("all", 0)
    found = {
        b: max(everywhere, values.get(b, values.get("default", 0))) for b in bridges_of(subject)
    }
    strict = [bridge for bridge, value in found.items() if value == _STRICT]
    if not strict:
        return ok("rp_filter is not strict on the bridges.")
    said = f"net.ipv4.conf.*.rp_filter is 1 (strict) for {', '.join(strict)}"
    if subject.infra is None or subject.infra.firewall is not FirewallMode.MACHINE:
        return ok(f"{said}: that only matters where the firewall is a machine.")
    return warning(
        f"{said}: what the firewall machine passes on from another domain comes in by a bridge that its answer does "
        "not go out by, and is dropped.",
        network_sysctl(subject, {f"net.ipv4.conf.{bridge}.rp_filter": 2 for bridge in strict}),
    )


def bridge_filter(subject: Subject) -> Finding:
    """Whether traffic inside a domain goes through iptables (br_netfilter), and is dropped there."""
    value = _number(subject, _BRIDGE_FILTER)
    if value is None:
        return ok("br_netfilter is not loaded: traffic inside a domain meets no firewall.")
    if value == 0:
        return ok(f"{_BRIDGE_FILTER} is 0: traffic inside a domain meets no firewall.")
    found = [
        block
        for rules in rules_met(subject)
        if rules.family != "bridge"
        for block in blocks(rules, (Way.WITHIN,), bridges_of(subject))
    ]
    if not found:
        return ok(
            f"{_BRIDGE_FILTER} is 1: traffic inside a domain meets the firewall, which lets it pass."
        )
    return warning(
        f"{_BRIDGE_FILTER} is 1: traffic inside a domain meets the firewall as if it were forwarded. "
        f"{told(subject, 'It', found)}",
        "Let the bridges pass there (see the checks of firewalls below), or, unless Docker's `--icc=false` or "
        f"Kubernetes need it, switch it off. {network_sysctl(subject, {_BRIDGE_FILTER: 0})}",
    )


def _number(subject: Subject, name: str) -> int | None:
    """A value of sysctl(8); None when the kernel has none of that name."""
    done = subject.inside(["cat", f"/proc/sys/{name.replace('.', '/')}"])
    return int(done.output) if done.code == 0 else None


def _values(subject: Subject, name: str) -> dict[str, int]:
    """A value of every interface, with `all` and `default`."""
    done = subject.inside(["sh", "-c", f"grep -s . /proc/sys/net/ipv4/conf/*/{name}"])
    return {
        interface: int(value)
        for interface, value in re.findall(
            r"(?m)^/proc/sys/net/ipv4/conf/([^/]+)/\w+:(\d+)$", done.output
        )
    }
