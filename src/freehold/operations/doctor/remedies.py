"""What to type, as it is typed: as root on this computer, or into the lab. Used by the checks."""

from collections.abc import Iterable, Mapping

from freehold.operations.doctor.passage import Block, Way
from freehold.operations.doctor.subject import Subject

_KEYS = {Way.BACK: "oifname"}
_LASTING = "/etc/sysctl.d/60-freehold.conf"


def typed(subject: Subject, commands: Iterable[str]) -> str:
    """Commands for the estate's network, a line each."""
    before = "freehold lab run --" if subject.in_lab else "sudo"
    return "".join(f"\n    {before} {command}" for command in commands)


def lasting_sysctl(settings: Mapping[str, int]) -> str:
    """How to set values of sysctl(8) for this computer, now and at every start."""
    writing = "".join(
        f"    echo '{name} = {value}' | sudo tee -a {_LASTING}\n"
        for name, value in settings.items()
    )
    return f"Set it, now and at every start:\n{writing}    sudo sysctl -p {_LASTING}"


def network_sysctl(subject: Subject, settings: Mapping[str, int]) -> str:
    """How to set values that every network has for itself; the lab's last as long as the lab runs."""
    if not subject.in_lab:
        return lasting_sysctl(settings)
    commands = [f"sysctl -w {name}={value}" for name, value in settings.items()]
    return f"Set it:{typed(subject, commands)}"


def let_pass(found: Iterable[Block], chain: str | None = None) -> list[str]:
    """Commands that put a rule for all bridges first into the chain that drops, or into `chain`, which it asks first."""
    return list(
        dict.fromkeys(_letting_pass(block, chain or block.decision.base) for block in found)
    )


def _letting_pass(block: Block, chain: str) -> str:
    rules = block.rules
    if rules.program:
        way = "-o" if block.way is Way.BACK else "-i"
        return f"{rules.program} -I {chain} {way} net-+ -j ACCEPT"
    key = "meta ibrname" if rules.family == "bridge" else _KEYS.get(block.way, "iifname")
    return f"nft 'insert rule {rules.name} {chain} {key} \"net-*\" accept'"
