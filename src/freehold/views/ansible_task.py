"""The answer to a task of an Ansible playbook: what was or would be changed, as Ansible's users know it.

Called by `cli.ansible_task`. `changed`, `diff`, `msg` and `warnings` are Ansible's own words; values that may be secrets are
in none of them.
"""

import io
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from freehold.diagnostics import Diagnostic
from freehold.engine.events import ChangeDone, ChangeInterrupted, Event, StepStarted
from freehold.engine.execute import Status
from freehold.engine.run import RunResult
from freehold.planning.change import Change, FieldChange
from freehold.planning.plan import Plan
from freehold.views.diagnostics import render_diagnostics
from freehold.views.run import last_line, render_result
from freehold.views.words import duration, resource

# What users put into options of machines: variables of processes, cloud-init's files, LXC's and QEMU's own lines.
_MAY_BE_SECRET = re.compile(
    r"(^|\.)(environment|cloud-init|user|raw)\.|password|secret|token", re.I
)
_HIDDEN = "(not shown: it may be a secret)"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def predicted(plan: Plan) -> dict[str, Any]:
    """The answer where nothing was done: there is nothing to do, or Ansible only checks."""
    return {"changed": not plan.is_empty, **_facts(plan), **_parts(plan.changes)}


def carried_out(plan: Plan, result: RunResult, *, seconds: float, command: str) -> dict[str, Any]:
    """The answer after a run. What was done counts as changed, also when the rest failed."""
    done = [outcome.change for outcome in result.of(Status.DONE)]
    answer = {"changed": bool(done), **_facts(plan), **_parts(done)}
    if result.exit_code == 0:
        return answer | {"msg": last_line(result, seconds)}
    text = io.StringIO()
    render_result(result, text, estate=plan.estate, seconds=seconds, command=command)
    undone = [_as_said(outcome.change) for outcome in result.outcomes if outcome.change not in done]
    return answer | {"failed": True, "msg": _plain(text), "not_done": undone}


def failure(problems: Sequence[Diagnostic], *, command: str) -> dict[str, Any]:
    """The answer where nothing could be begun."""
    return {"failed": True, "changed": False, "msg": in_words(problems, command=command)}


def in_words(problems: Sequence[Diagnostic], *, command: str) -> str:
    """Diagnostics as on a terminal: what, where, how to mend it."""
    text = io.StringIO()
    render_diagnostics(problems, text, command=command)
    return _plain(text)


def told(event: Event) -> str | None:
    """What `ansible-playbook -vv` shows while a change is carried out."""
    name = resource(event.change.address)
    match event:
        case StepStarted():
            return f"{name}: {event.description}"
        case ChangeInterrupted():
            return f"{name}: interrupted, going on"
        case ChangeDone():
            return f"{name}: done in {duration(event.seconds)}"
        case _:
            return None


def _facts(plan: Plan) -> dict[str, Any]:
    orphans = [str(orphan.address) for orphan in plan.orphans]
    return {"plan": plan.summary(), "orphans": orphans}


def _parts(changes: Sequence[Change]) -> dict[str, Any]:
    return {
        "changes": [_as_said(change) for change in changes],
        "diff": [_difference(change) for change in changes],
    }


def _as_said(change: Change) -> dict[str, Any]:
    return {
        "address": str(change.address),
        "action": change.action.value,
        "reason": change.reason,
        "destroys_data": change.destroys_data,
    }


def _difference(change: Change) -> dict[str, str]:
    """As the option --diff shows it: a line for each field that differs."""
    name = str(change.address)
    return {
        "before_header": name,
        "after_header": name,
        "before": _lines((field, field.before) for field in change.fields),
        "after": _lines((field, field.after) for field in change.fields),
    }


def _lines(sides: Iterable[tuple[FieldChange, Any]]) -> str:
    return "".join(_line(field, value) for field, value in sides if value is not None)


def _line(field: FieldChange, value: Any) -> str:
    if _MAY_BE_SECRET.search(field.path):
        side = "" if field.before is None or field.after is None else _which(field, value)
        return f"{field.path}: {side}{_HIDDEN}\n"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return f"{field.path}: {json.dumps(text) if _is_odd(text) else text}\n"


def _which(field: FieldChange, value: Any) -> str:
    """So that two hidden values are not told as equal."""
    return "before " if value == field.before else "after "


def _is_odd(text: str) -> bool:
    return not text or not text.isprintable()


def _plain(text: io.StringIO) -> str:
    """Without colours: Ansible puts this into JSON."""
    return _COLOUR.sub("", text.getvalue()).rstrip()
