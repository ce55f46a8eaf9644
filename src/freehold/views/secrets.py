"""Secrets for people and as JSON: their names, who uses them, never their values. Called by `cli.secret`."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from freehold.providers.secrets.needs import Needed
from freehold.views.tables import Column, table_lines
from freehold.views.terminal import Paper, visible

_HEADS = (Column("SECRET"), Column("FILE"), Column("USED BY", folds=True), Column("REMARKS"))


@dataclass(frozen=True, slots=True)
class Listed:
    """A secret that there is (`file` says where), or that is needed (`needed`), or both."""

    name: str
    file: str | None
    needed: Needed | None

    @property
    def remark(self) -> str:
        if self.file is None:
            can = self.needed is not None and self.needed.length is not None
            return "absent: apply generates it" if can else "absent: set it"
        return "" if self.needed is not None else "nothing uses it"


def listed(files: Mapping[str, str], needed: Mapping[str, Needed]) -> list[Listed]:
    """All, in the order of names. `files` are those of the secrets that there are."""
    return [Listed(name, files.get(name), needed.get(name)) for name in sorted({*files, *needed})]


def secrets_document(secrets: Sequence[Listed]) -> dict[str, Any]:
    """As `secret list --json` prints them."""
    return {
        "schema": 1,
        "kind": "secrets",
        "secrets": [
            {
                "name": each.name,
                "file": each.file,
                "services": list(each.needed.services) if each.needed else [],
                "variables": list(each.needed.places) if each.needed else [],
                "generated_length": each.needed.length if each.needed else None,
            }
            for each in secrets
        ],
    }


def secret_document(name: str, value: bytes) -> dict[str, Any]:
    """As `secret show --json` prints it."""
    try:
        shown = {"value": value.decode("utf-8")}
    except UnicodeDecodeError:
        shown = {"base64": base64.b64encode(value).decode("ascii")}
    return {"schema": 1, "kind": "secret", "name": name, **shown}


def render_secrets(secrets: Sequence[Listed], stream: TextIO) -> None:
    """A row for each."""
    paper = Paper(stream)
    if not secrets:
        paper.line("No secrets.")
        return
    rows = [_row(each) for each in secrets]
    for line in table_lines(_HEADS, rows, paper):
        paper.line(line)


def _row(secret: Listed) -> list[str]:
    users = ", ".join(secret.needed.users) if secret.needed else ""
    return [visible(secret.name), secret.file or "", visible(users), secret.remark]


def render_consequences(
    services: Sequence[str], places: Sequence[str], stream: TextIO, *, command: str
) -> None:
    """What the next apply does with values that were changed."""
    paper = Paper(stream)
    lines = []
    if services:
        lines.append(f"restarts, in this order: {', '.join(map(visible, services))}")
    if places:
        lines.append(f"provisions again what has it in its vars: {', '.join(map(visible, places))}")
    if not lines:
        paper.line("Nothing in infra.yml uses it.")
        return
    paper.line("The next apply")
    for line in lines:
        for wrapped in paper.wrapped(line, "  - ", "    "):
            paper.line(wrapped)
    paper.line(f"    {command} apply")
