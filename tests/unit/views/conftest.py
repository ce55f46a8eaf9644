"""What the tests of views share: a known terminal, and golden outputs in tests/cases/views.

`FREEHOLD_RENEW_CASES=1 pytest tests/unit/views` writes the golden outputs anew; read the difference before keeping it.
"""

import os
import time
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import TextIO

import pytest

CASES = Path(__file__).parents[2] / "cases" / "views"

Render = Callable[[TextIO], None]
Golden = Callable[[str, Render], None]


@pytest.fixture(autouse=True)
def _known_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No colour asked for, no width set, times in UTC: whatever the terminal of whoever runs the tests."""
    for name in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    with pytest.MonkeyPatch.context() as zone:
        zone.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def golden() -> Golden:
    """Compares everything that a renderer writes with a file of tests/cases/views."""

    def compare(name: str, render: Render) -> None:
        stream = StringIO()
        render(stream)
        path = CASES / f"{name}.txt"
        if os.environ.get("FREEHOLD_RENEW_CASES"):
            path.write_text(stream.getvalue(), encoding="utf-8")
        assert stream.getvalue() == path.read_text(encoding="utf-8")

    return compare
