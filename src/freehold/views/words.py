"""How counts, durations, values and resources are put into words. Pure; shared by the renderers."""

import json
from typing import Any

from freehold.planning.address import Address
from freehold.planning.change import Action
from freehold.views.terminal import columns, shortened, visible

PAST = {
    Action.CREATE: "created",
    Action.UPDATE: "changed",
    Action.REPLACE: "replaced",
    Action.DELETE: "deleted",
}


def past(address: Address, action: Action) -> str:
    """What became of it: `created`; of a machine's data, `brought back`."""
    return "brought back" if address.kind == "data" else PAST[action]


def count(number: int, singular: str, plural: str | None = None) -> str:
    """`1 error`, `3 errors`."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def duration(seconds: float) -> str:
    """`0.3 s`, `4 min 5 s`, `2 h 3 min`."""
    if seconds < 100:
        return f"{max(0.0, seconds):.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def resource(address: Address) -> str:
    """`instance homelab/llm`."""
    return f"{address.kind} {visible(address.path)}"


def value(of: Any, limit: int) -> str:
    """A field's value on one line, at most `limit` columns; None is `(none)`, an empty text `""`."""
    return shortened(_text(of), limit)


def pair(before: Any, after: Any, limit: int) -> tuple[str, str]:
    """Two different values, at most `limit` columns each; where they differ is always to be seen."""
    old, new = _text(before), _text(after)
    if columns(old) <= limit and columns(new) <= limit:
        return old, new
    same = next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), len(old))
    start = max(0, same - limit // 3)
    lead = "…" if start else ""
    return shortened(lead + old[start:], limit), shortened(lead + new[start:], limit)


def _text(of: Any) -> str:
    if of is None:
        return "(none)"
    if isinstance(of, str) and of:
        return visible(of)
    return visible(json.dumps(of, ensure_ascii=False, default=str))


def listed(words: list[str], most: int = 8) -> str:
    """`a, b, c, … and 4 more`."""
    shown = ", ".join(words[:most])
    return f"{shown}, … and {len(words) - most} more" if len(words) > most else shown
