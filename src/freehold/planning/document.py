"""Plans as JSON: the contract of `plan --json`, and the file that `plan --out` writes and `apply FILE` reads.

A saved plan carries the files it was made from. Applying it makes the plan again from them and refuses unless it is
the same, field by field, on a world that has not moved: so it does exactly what was shown, or nothing.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from freehold.diagnostics import Diagnostic, StalePlan, UsageError
from freehold.planning.address import Address
from freehold.planning.change import Change
from freehold.planning.plan import Plan
from freehold.planning.resource import Fields, Observed
from freehold.planning.selection import Selection

SCHEMA = 1


def plan_document(plan: Plan) -> dict[str, Any]:
    """The plan as in the contract for scripts."""
    return {
        "schema": SCHEMA,
        "kind": "plan",
        "estate": plan.estate,
        "changes": [change_document(change) for change in plan.changes],
        "orphans": [orphan.as_json() for orphan in plan.orphans],
        "summary": plan.summary(),
        "not_measured": list(plan.not_measured),
        "diagnostics": [diagnostic.as_json() for diagnostic in plan.diagnostics],
    }


def change_document(change: Change) -> dict[str, Any]:
    """One change as in the contract for scripts."""
    return {
        "address": str(change.address),
        "action": change.action.value,
        "impact": change.impact.value if change.impact else None,
        "reason": change.reason,
        "destroys_data": change.destroys_data,
        "fields": [
            {
                "path": field.path,
                "before": field.before,
                "after": field.after,
                "impact": field.impact.value if field.impact else None,
            }
            for field in change.fields
        ],
    }


def digests(observed: Mapping[Address, Observed]) -> dict[str, str]:
    """A short fingerprint of everything that was seen: equal for equal fields, and telling nothing of them."""
    return {str(address): _digest(seen.fields) for address, seen in observed.items()}


def _digest(fields: Fields) -> str:
    text = json.dumps(fields, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that is needed to make a plan again. `sources` maps names relative to the estate's folder to file contents."""

    sources: Mapping[str, str]
    selection: Selection = Selection()
    prune: bool = False
    refresh: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPlan:
    """A plan on disk: what it showed, what it saw, and all that is needed to make it again.

    `sources` maps names relative to the estate's folder to file contents.
    """

    document: Mapping[str, Any]
    digests: Mapping[str, str]
    sources: Mapping[str, str]
    selection: Selection
    prune: bool
    refresh: bool = False

    @classmethod
    def of(cls, plan: Plan, observed: Mapping[Address, Observed], inputs: Inputs) -> "SavedPlan":
        """A plan that was just made."""
        return cls(
            document=plan_document(plan),
            digests=digests(observed),
            sources=inputs.sources,
            selection=inputs.selection,
            prune=inputs.prune,
            refresh=inputs.refresh,
        )

    def dump(self) -> str:
        """As the text of a file."""
        inputs = {
            "sources": dict(self.sources),
            "limits": self.selection.limits,
            "kinds": self.selection.kinds,
            "prune": self.prune,
            "refresh": self.refresh,
        }
        return json.dumps(
            {**self.document, "inputs": inputs, "digests": dict(self.digests)}, indent=1
        )

    @classmethod
    def parse(cls, text: str, name: str) -> "SavedPlan":
        """Read a file's text. Raises UsageError when it is not a plan of this version."""
        try:
            content = json.loads(text)
            if content["schema"] != SCHEMA or content["kind"] != "plan":
                raise ValueError("another schema")
            inputs, digests = content.pop("inputs"), content.pop("digests")
            return cls(
                document=content,
                digests=_texts(digests),
                sources=_texts(inputs["sources"]),
                selection=Selection(tuple(inputs["limits"]), tuple(inputs["kinds"])),
                prune=inputs["prune"],
                refresh=inputs["refresh"],
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(_not_a_plan(name)) from error

    def check(self, plan: Plan, observed: Mapping[Address, Observed]) -> None:
        """Raise StalePlan unless `plan`, made again just now from `observed`, is what this one showed."""
        now = digests(observed)
        moved = sorted(k for k in {*self.digests, *now} if self.digests.get(k) != now.get(k))
        made = json.loads(json.dumps(plan_document(plan)))
        if not moved and _lasting(made) == _lasting(self.document):
            return
        what = (
            ", ".join(moved[:8]) + (", …" if len(moved) > 8 else "") if moved else "the plan itself"
        )
        raise StalePlan(
            Diagnostic(
                code="stale-plan",
                summary="The world has moved since this plan was made",
                detail=f"Different now: {what}. Nothing was changed.",
                hint="Make a new plan and look at it:\n    freehold plan --out FILE",
            )
        )


def _lasting(document: Mapping[str, Any]) -> dict[str, Any]:
    """Without the measurements of the computer, which say something else at each moment."""
    from freehold.planning.capacity_words import CODES  # only a saved plan is compared

    said = [each for each in document.get("diagnostics", ()) if each.get("code") not in CODES]
    return {**document, "diagnostics": said}


def _texts(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise ValueError("not a mapping to texts")
    return value


def _not_a_plan(name: str) -> Diagnostic:
    return Diagnostic(
        code="not-a-plan",
        summary="This file is not a saved plan",
        detail=f"{name} was not written by this version of `freehold plan --out`.",
        hint="Make one:\n    freehold plan --out FILE",
    )
