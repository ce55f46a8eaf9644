"""What Ansible's check mode found inside machines, for people and as JSON. Called by `cli.verify --deep`."""

from collections.abc import Sequence
from typing import Any, TextIO

from freehold.operations.inside import Inside


def inside_document(found: Sequence[Inside]) -> list[dict[str, Any]]:
    """As `verify --deep --json` prints it, below `inside`."""
    return [
        {
            "machine": each.machine,
            "clean": each.is_clean,
            "tasks": each.tasks,
            "different": list(each.different),
            "diagnostics": [problem.as_json() for problem in each.problems],
            "log": str(each.log),
        }
        for each in found
    ]


def render_inside(found: Sequence[Inside], stream: TextIO) -> None:
    """A line for each machine, and below it what differs; the last line says how many are as they should be."""
    if not found:
        stream.write("Inside: infra.yml puts nothing into these machines.\n")
        return
    for each in found:
        stream.write(f"  {each.machine}: {_state(each)}\n")
        stream.writelines(f"      {task}\n" for task in each.different)
        if each.different:
            stream.write(f"      The differences themselves: {each.log}\n")
    clean = sum(each.is_clean for each in found)
    stream.write(f"Inside: {clean} of {len(found)} machines are as infra.yml says.\n")


def _state(each: Inside) -> str:
    if each.problems:
        return "not measured, Ansible failed"
    if each.different:
        return f"{len(each.different)} of {each.tasks} tasks would change something"
    return f"as it should be ({each.tasks} tasks tried)"
