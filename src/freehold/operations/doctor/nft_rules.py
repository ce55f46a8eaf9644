"""nftables' rules as `packets` wants them, from the JSON of libnftables-json(5)."""

from collections.abc import Iterable, Mapping
from typing import Any

from freehold.operations.doctor.packets import Action, Condition, Rule, Ruleset

Json = Mapping[str, Any]

_HOOKS = frozenset({"forward", "input"})
_FAMILIES = frozenset({"ip", "inet", "bridge"})  # the estate has no IPv6 addresses
_META = {"iifname": "came_in", "iif": "came_in", "oifname": "goes_out", "oif": "goes_out", "ibrname": "came_in",
         "obrname": "goes_out", "l4proto": "protocol"}  # fmt: skip
_VERDICTS = {
    "accept": Action.ACCEPT,
    "drop": Action.DROP,
    "reject": Action.DROP,
    "return": Action.RETURN,
    "jump": Action.JUMP,
    "goto": Action.GOTO,
}
_PASSING_BY = frozenset({"counter", "log", "mangle"})


def rulesets(listing: Iterable[Json]) -> list[Ruleset]:
    """Every table that packets of the estate may meet."""
    chains: dict[tuple[str, str], list[Json]] = {}
    rules: dict[tuple[str, str], dict[str, list[Rule]]] = {}
    for entry in listing:
        if chain := entry.get("chain"):
            chains.setdefault((chain["family"], chain["table"]), []).append(chain)
        elif rule := entry.get("rule"):
            table = rules.setdefault((rule["family"], rule["table"]), {})
            table.setdefault(rule["chain"], []).append(_rule(rule))
    return [
        _ruleset(table, found, rules.get(table, {}))
        for table, found in chains.items()
        if table[0] in _FAMILIES and any(chain.get("hook") in _HOOKS for chain in found)
    ]


def _ruleset(
    table: tuple[str, str], chains: list[Json], rules: Mapping[str, list[Rule]]
) -> Ruleset:
    return Ruleset(
        family=table[0],
        table=table[1],
        program=None,
        chains={chain["name"]: tuple(rules.get(chain["name"], ())) for chain in chains},
        hooks={chain["name"]: chain["hook"] for chain in chains if chain.get("hook") in _HOOKS},
        dropping=frozenset(c["name"] for c in chains if c.get("policy") == "drop"),
    )


def _rule(rule: Json) -> Rule:
    """Its words are not in the JSON: the handle finds them again in what nft prints for people."""
    conditions: list[Condition] | None = []
    action, target = Action.NONE, ""
    for statement in rule.get("expr", ()):
        [(name, body)] = statement.items() if statement else [("", None)]
        if name in _VERDICTS:
            action, target = _VERDICTS[name], (body or {}).get("target", "")
        elif name not in _PASSING_BY and conditions is not None:
            found = _condition(name, body)
            conditions = None if found is None else [*conditions, *found]
    known = None if conditions is None else tuple(conditions)
    return Rule(f"# handle {rule['handle']}", known, action, target)


def _condition(name: str, body: Any) -> list[Condition] | None:
    """What a statement asks for; None when it is not known."""
    if name == "xt" and body:  # an extension of iptables, of which nft says no more than the name
        known: dict[str, list[Condition]] = {
            "comment": [],
            "conntrack": [Condition("state", ("established", "related"))],
        }
        return known.get(body.get("name", ""))
    if name != "match" or body["op"] not in ("==", "!=", "in"):
        return None
    key, values = _key(body["left"]), _values(body["right"])
    if key is None or values is None:
        return None
    found = [Condition(key, values, body["op"] == "!=")]
    if "payload" in body["left"]:
        found.append(Condition("protocol", (body["left"]["payload"]["protocol"],)))
    return found


def _key(left: Any) -> str | None:
    """What is compared: a field of Packet, None for one that is not followed."""
    if not isinstance(left, Mapping):
        return None
    if "meta" in left:
        return _META.get(left["meta"]["key"])
    if "ct" in left:
        return "state" if left["ct"]["key"] == "state" else None
    if "fib" in left:
        return "sent_to" if left["fib"] == {"result": "type", "flags": ["daddr"]} else None
    payload = left.get("payload", {})
    return (
        "port"
        if payload.get("protocol") in ("tcp", "udp") and payload.get("field") == "dport"
        else None
    )


def _values(right: Any) -> tuple[str, ...] | None:
    """The plain values that are compared with; None for named sets, ranges and sums."""
    values = right.get("set") if isinstance(right, Mapping) else right
    values = values if isinstance(values, list) else [values]
    if not all(isinstance(value, str | int) and not str(value).startswith("@") for value in values):
        return None
    return tuple(str(value) for value in values)
