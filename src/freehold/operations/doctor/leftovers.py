"""Tables that nobody needs any more: of estates that are gone, and such as let nothing at all pass."""

from collections.abc import Iterable
from itertools import chain

from freehold.operations.doctor.finding import Finding, ok, warning
from freehold.operations.doctor.network import is_left_over
from freehold.operations.doctor.passage import listing, rules_met
from freehold.operations.doctor.remedies import typed
from freehold.operations.doctor.subject import NotMeasured, Subject
from freehold.system.nftables.boot import STATE

_OURS = "freehold-"
_ESTATE = "user.freehold.estate"  # Freehold's mark on what it makes in Incus


def leftover_tables(subject: Subject) -> Finding:
    """Whether a table is there that only stands in the way."""
    gone = _of_estates_that_are_gone(subject)
    closing = [(rules.family, rules.table) for rules in rules_met(subject) if is_left_over(rules)]
    if not gone and not closing:
        return ok("No table of rules is left over.")
    said = [
        f"The table {' '.join(name)} belongs to an estate that has no bridge in Incus."
        for name in gone
    ]
    said += [
        f"The table {' '.join(name)} drops all that is forwarded and lets nothing pass, as a program leaves it that "
        "did not end well."
        for name in closing
    ]
    return warning(
        " ".join(said),
        f"If nobody needs it any more, delete it:{typed(subject, _commands(subject, gone, closing))}",
    )


def _of_estates_that_are_gone(subject: Subject) -> list[tuple[str, str]]:
    tables = [entry["table"] for entry in listing(subject) if "table" in entry]
    ours = [(t["family"], t["name"]) for t in tables if t["name"].startswith(_OURS)]
    living = _estates(subject) if ours else set()
    return [table for table in ours if table[1].removeprefix(_OURS) not in living]


def _estates(subject: Subject) -> set[str]:
    """The estates that have a bridge in Incus. Raises NotMeasured when Incus does not say."""
    try:
        networks = subject.incus("/networks?recursion=1") or []
    except NotMeasured as reason:
        raise NotMeasured(
            f"Whose the tables of Freehold are, only Incus knows. {reason}"
        ) from reason
    return {network["config"].get(_ESTATE, "") for network in networks}


def _commands(
    subject: Subject, gone: Iterable[tuple[str, str]], closing: Iterable[tuple[str, str]]
) -> list[str]:
    commands = [f"nft delete table {family} {name}" for family, name in chain(gone, closing)]
    if subject.in_lab:
        return commands
    return commands + [command for _, name in gone for command in _not_at_boot(subject, name)]


def _not_at_boot(subject: Subject, name: str) -> list[str]:
    """How the table does not come back when the computer starts (`system.nftables.boot`)."""
    unit = f"freehold-firewall@{name}.service"
    wanted = f"/etc/systemd/system/sysinit.target.wants/{unit}"
    commands = [f"systemctl disable {unit}"] if subject.exists(wanted) else []
    return commands + (
        [f"rm {STATE}/{name}.json"] if subject.exists(f"{STATE}/{name}.json") else []
    )
