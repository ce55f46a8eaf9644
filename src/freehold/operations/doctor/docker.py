"""Docker's FORWARD drop.

Docker sets the policy of iptables' chain FORWARD to drop when it is the one that switches forwarding on, and keeps the
chain DOCKER-USER for the administrator's own rules (docs.docker.com, "Docker with iptables").
"""

from freehold.operations.doctor.finding import Finding, not_measured, ok, warning
from freehold.operations.doctor.packets import Ruleset
from freehold.operations.doctor.passage import (
    THROUGH,
    Block,
    blocks,
    bridges_of,
    iptables,
    rules_met,
)
from freehold.operations.doctor.remedies import let_pass, network_sysctl, typed
from freehold.operations.doctor.subject import Subject
from freehold.operations.doctor.words import told
from freehold.system.docker_user import CHAIN, INTERFACES

_OPTION = '`"ip-forward-no-drop": true` in /etc/docker/daemon.json'


def is_dockers(rules: Ruleset) -> bool:
    """Whether Docker has its chains in the table."""
    return CHAIN in rules.chains or "DOCKER" in rules.chains


def docker(subject: Subject) -> Finding:
    """Whether Docker's rules drop what comes from the bridges or goes back to them."""
    dockers = [rules for rules in rules_met(subject) if is_dockers(rules)]
    bridges = bridges_of(subject)
    found = [block for rules in dockers for block in blocks(rules, THROUGH, bridges)]
    if found:
        return _drops(subject, found)
    if not all(table.readable for table in iptables(subject)):
        return not_measured(
            "Rules of the old iptables are loaded, and iptables-legacy, which shows them, is not installed.",
            "Install it, and look again:\n    sudo apt-get install iptables",
        )
    if dockers:
        return ok("Docker's rules are loaded; they let the bridges pass.")
    return ok("No rules of Docker are loaded.")


def _drops(subject: Subject, found: list[Block]) -> Finding:
    said = told(subject, "Docker", found)
    return warning(
        f"{said} Docker sets that policy when it finds forwarding switched off at its start.",
        f"{_apply(subject, found[0].rules)}{typed(subject, _by_hand(found))}\n{_for_good(subject)}",
    )


def _apply(subject: Subject, rules: Ruleset) -> str:
    """Freehold's own way needs an estate, Docker's chain and the iptables that shows it (`system.docker_user`)."""
    place = "lab" if subject.in_lab else "computer"
    by_hand = f"et the bridges pass by hand, until the {place} starts again:"
    if subject.infra is None or rules.program is None or CHAIN not in rules.chains:
        return f"L{by_hand}"
    verb = "freehold --lab apply" if subject.in_lab else "freehold apply"
    return f"Have Freehold put its bridges into {CHAIN}, Docker's chain for that:\n    {verb}\nOr l{by_hand}"


def _by_hand(found: list[Block]) -> list[str]:
    """Each command puts its rule first; what goes to Docker's own networks is left to Docker."""
    rules = found[0].rules
    if CHAIN not in rules.chains:
        return let_pass(found)
    commands = let_pass(found, CHAIN)
    if rules.program:
        commands += [
            f"{rules.program} -I {CHAIN} -i net-+ -o {name} -j RETURN" for name in INTERFACES
        ]
    return commands


def _for_good(subject: Subject) -> str:
    if subject.in_lab:
        return f"With Docker 28 and newer, {_OPTION} keeps Docker from dropping."
    lasting = network_sysctl(subject, {"net.ipv4.ip_forward": 1}).partition("\n")[2]
    return (
        f"For good: have forwarding on before Docker starts, or, with Docker 28 and newer, {_OPTION}; "
        f"then restart the computer.\n{lasting}"
    )
