"""The words of a rule, as JSON (libnftables-json(5)). Pure; used by `chains.py`."""

from typing import Any

Expression = dict[str, Any]
Rule = list[Expression]

ACCEPT: Expression = {"accept": None}
COUNTER: Expression = {"counter": {"packets": 0, "bytes": 0}}
DROP: Expression = {"drop": None}


def meta(key: str) -> Expression:
    """A fact about the packet (`iifname`, `l4proto` …)."""
    return {"meta": {"key": key}}


def payload(protocol: str, field: str) -> Expression:
    """A field of a header."""
    return {"payload": {"protocol": protocol, "field": field}}


def equal(left: Any, right: Any, op: str = "==") -> Expression:
    """A comparison; with a set (`@name`) whether it is in it."""
    return {"match": {"op": op, "left": left, "right": right}}


def concat(*parts: Expression) -> Expression:
    """Several values as one key of a set."""
    return {"concat": list(parts)}


def jump(chain: str) -> Expression:
    """Go on in another chain, and come back."""
    return {"jump": {"target": chain}}


def goto(chain: str) -> Expression:
    """Go on in another chain, and come back to whoever called this one."""
    return {"goto": {"target": chain}}
