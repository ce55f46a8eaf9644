"""The isolation matrix as rows of cells, in words and classes. Pure; called by `page`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Box:
    """A cell. `word` names its text (`all`, `part`, `none`, `unknown`, empty where nothing was tried), `result` what that means."""

    word: str = ""
    result: str = ""


def rows(isolation: Mapping[str, Any]) -> list[tuple[str, list[Box]]]:
    """For each source its cells, in the order of the targets."""
    cells = {(cell["from"], cell["to"]): cell for cell in isolation["cells"]}
    return [
        (source, [_box(cells.get((source, target))) for target in isolation["targets"]])
        for source in isolation["sources"]
    ]


def _box(cell: Mapping[str, Any] | None) -> Box:
    return Box(cell["passes"] or "unknown", cell["result"]) if cell else Box()
