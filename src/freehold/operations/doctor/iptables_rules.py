"""iptables' rules as `packets` wants them. The words are those of iptables-extensions(8)."""

from freehold.operations.doctor.packets import Action, Condition, Rule, Ruleset
from freehold.system.iptables import FilterTable, without_comment

_HOOKS = {"FORWARD": "forward", "INPUT": "input"}
_VERDICTS = {
    "ACCEPT": Action.ACCEPT,
    "DROP": Action.DROP,
    "REJECT": Action.DROP,
    "RETURN": Action.RETURN,
}
_KEYS = {
    "-i": "came_in",
    "-o": "goes_out",
    "-p": "protocol",
    "--dport": "port",
    "--ctstate": "state",
    "--state": "state",
    "--dst-type": "sent_to",
}
_PASSING_BY = frozenset({"LOG", "NFLOG", "MARK", "CONNMARK", "TRACE", "AUDIT"})
_MODULES = frozenset(
    {"addrtype", "conntrack", "state", "tcp", "udp"}
)  # their conditions are looked at by themselves


def ruleset(table: FilterTable) -> Ruleset:
    """The table, to be followed."""
    return Ruleset(
        family=table.family,
        table="filter",
        program=table.program,
        chains={chain: tuple(map(_rule, rules)) for chain, rules in table.rules.items()},
        hooks={chain: hook for chain, hook in _HOOKS.items() if chain in table.policies},
        dropping=frozenset(chain for chain, policy in table.policies.items() if policy == "DROP"),
    )


def _rule(text: str) -> Rule:
    words = list(without_comment(text))
    target = next((words[i + 1] for i, word in enumerate(words[:-1]) if word in ("-j", "-g")), "")
    end = next((i for i, word in enumerate(words) if word in ("-j", "-g")), len(words))
    return Rule(text, _conditions(words[:end]), _action(words[end:], target), target)


def _action(words: list[str], target: str) -> Action:
    if not target or target in _PASSING_BY:
        return Action.NONE
    return _VERDICTS.get(target) or (Action.GOTO if words[0] == "-g" else Action.JUMP)


def _conditions(words: list[str]) -> tuple[Condition, ...] | None:
    """The conditions, None when one of them is not known."""
    found: list[Condition] = []
    rest = iter(words)
    negated = False
    for word in rest:
        if word == "!":
            negated = True
            continue
        value = next(rest, "")
        if word in _KEYS:
            found.append(Condition(_KEYS[word], _values(word, value), negated))
        elif word != "-m" or value not in _MODULES:
            return None
        negated = False
    return tuple(found)


def _values(word: str, value: str) -> tuple[str, ...]:
    if word in ("-i", "-o"):
        return (f"{value[:-1]}*" if value.endswith("+") else value,)
    return tuple(value.lower().split(","))
