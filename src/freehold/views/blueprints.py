"""The blueprints that come with Freehold, for people and as JSON. Called by `cli.init`."""

from collections.abc import Iterable
from typing import Any, TextIO

from freehold.operations.blueprints import Blueprint
from freehold.views.terminal import Paper


def blueprints_document(blueprints: Iterable[Blueprint]) -> dict[str, Any]:
    """As `init --list --json` prints them."""
    return {
        "schema": 1,
        "kind": "blueprints",
        "blueprints": [{"name": b.name, "summary": b.summary} for b in blueprints],
    }


def render_blueprints(blueprints: Iterable[Blueprint], stream: TextIO) -> None:
    """A line for each: its name and what it is."""
    listed = list(blueprints)
    width = max((len(blueprint.name) for blueprint in listed), default=0) + 2
    paper = Paper(stream)
    for blueprint in listed:
        for line in paper.wrapped(blueprint.summary, f"{blueprint.name:<{width}}", " " * width):
            paper.line(line)
