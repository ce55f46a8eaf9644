"""The contract for scripts, as shapes that documents are compared with. Further keys are allowed; missing ones are not."""

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
PLAN = {
    "schema": {1},
    "kind": {"plan"},
    "changes": [CHANGE],
    "orphans": [{"address": TEXT}],
    "summary": SUMMARY,
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


def deviations(document: Any, shape: Any, place: str = "") -> list[str]:
    """Where a document is not of its shape; empty when it is."""
    if isinstance(shape, dict):
        if not isinstance(document, dict):
            return [f"{place} is not an object"]
        missing = [f"{place}.{key} is missing" for key in shape if key not in document]
        inner = [
            deviations(document[key], value, f"{place}.{key}")
            for key, value in shape.items()
            if key in document
        ]
        return missing + sum(inner, [])
    if isinstance(shape, list):
        if not isinstance(document, list):
            return [f"{place} is not a list"]
        each = [deviations(item, shape[0], f"{place}[{n}]") for n, item in enumerate(document)]
        return sum(each, [])
    if isinstance(shape, set):
        return [] if document in shape else [f"{place} is {document!r}"]
    fits = isinstance(document, shape) and (shape is not int or not isinstance(document, bool))
    return [] if fits else [f"{place} is {document!r}"]
