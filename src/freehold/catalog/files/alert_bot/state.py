"""What the alert bot keeps in a file, so that a restart does nothing twice and forgets nothing."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .alertmanager import Alert  # noqa: TID252 - a program of its own, no part of Freehold


class State:
    """The last message that was done, and alerts that fired while a silence held."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.done = 0
        self.silenced: dict[str, Alert] = {}
        if file.exists():
            kept = json.loads(file.read_text())
            self.done = int(kept["done"])
            self.silenced = {each["fingerprint"]: _alert(each) for each in kept["silenced"]}
        self.written = self._content()

    def keep(self) -> None:
        """Write it down. Raises OSError."""
        content = self._content()
        if content != self.written:
            new = self.file.with_suffix(".new")
            new.write_text(json.dumps(content))
            new.replace(self.file)
            self.written = content

    def _content(self) -> dict[str, Any]:
        return {"done": self.done, "silenced": [asdict(each) for each in self.silenced.values()]}


def _alert(kept: Mapping[str, Any]) -> Alert:
    return Alert(**{**kept, "silences": tuple(kept["silences"])})
