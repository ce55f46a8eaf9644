"""The contract for scripts, as shapes that documents are compared with. Further keys are allowed; missing ones are not."""

from collections.abc import Iterator
from typing import Any

TEXT, NUMBER, TRUTH = str, int, bool
MAYBE = (str, type(None))
ANY = object

CHANGE = {
    "address": TEXT,
    "action": {"create", "update", "replace", "delete"},
    "impact": {"live", "restart", "recreate", None},
    "reason": TEXT,
    "destroys_data": TRUTH,
    "fields": [{"path": TEXT, "before": ANY, "after": ANY}],
}
SUMMARY = dict.fromkeys(("create", "update", "replace", "delete", "unchanged", "orphans"), NUMBER)
TAKEN = dict.fromkeys(("cpus", "memory", "disk", "vram"), NUMBER)
CAPACITY = {
    "hosts": [
        {
            "host": TEXT,
            "measured": TRUTH,
            "reason": MAYBE,
            "resources": [
                {
                    "resource": {"cpus", "memory", "disk", "vram"},
                    "asked": NUMBER,
                    "available": (int, type(None)),
                    "verdict": {"fits", "tight", "does not fit", "not measured"},
                }
            ],
            "machines": [{"machine": TEXT, "type": {"container", "vm"}, **TAKEN}],
            "others": {"number": NUMBER, **TAKEN},
        }
    ]
}
PLAN = {
    "schema": {1},
    "kind": {"plan"},
    "changes": [CHANGE],
    "orphans": [{"address": TEXT}],
    "summary": SUMMARY,
    "capacity": CAPACITY,
}
STATUS = {
    "schema": {1},
    "kind": {"status"},
    "machines": [
        {
            "name": TEXT,
            "domain": TEXT,
            "type": {"container", "vm"},
            "state": TEXT,
            "declared_address": TEXT,
            "addresses": [TEXT],
            "drift": [TEXT],
        }
    ],
}
DIAGNOSTIC = {
    "severity": {"error", "warning"},
    "code": TEXT,
    "summary": TEXT,
    "detail": TEXT,
    "file": MAYBE,
    "line": (int, type(None)),
    "column": (int, type(None)),
    "path": MAYBE,
    "hint": MAYBE,
}
VALIDATE = {"schema": {1}, "kind": {"validate"}, "valid": TRUTH, "diagnostics": [DIAGNOSTIC]}


def deviations(document: Any, shape: Any, place: str = "document") -> list[str]:
    """Where a document is not of its shape; empty when it is."""
    return list(_deviations(document, shape, place))


def _deviations(document: Any, shape: Any, place: str) -> Iterator[str]:
    if isinstance(shape, dict):
        yield from _in_object(document, shape, place)
    elif isinstance(shape, list):
        if not isinstance(document, list):
            yield f"{place} is not a list"
            return
        for number, item in enumerate(document):
            yield from _deviations(item, shape[0], f"{place}[{number}]")
    elif isinstance(shape, set):
        if document not in shape:
            yield f"{place} is {document!r}"
    elif not isinstance(document, shape) or (shape is int and isinstance(document, bool)):
        yield f"{place} is {document!r}"


def _in_object(document: Any, shape: dict[str, Any], place: str) -> Iterator[str]:
    if not isinstance(document, dict):
        yield f"{place} is not an object"
        return
    for key, value in shape.items():
        if key in document:
            yield from _deviations(document[key], value, f"{place}.{key}")
        else:
            yield f"{place}.{key} is missing"
