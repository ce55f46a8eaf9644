"""Runs `freehold` as a user does: a process of its own, its words and its exit code."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Done = subprocess.CompletedProcess[str]
Freehold = Callable[..., Done]
PROGRAM = Path(sys.executable).parent / "freehold"


@pytest.fixture
def freehold(tmp_path: Path) -> Freehold:
    """Runs a verb in the test's folder, with no terminal, no colour, and no Incus but the one that is named."""

    def run(*arguments: str | Path, given: str | None = None, **variables: str) -> Done:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("INCUS_", "FREEHOLD_"))}
        environment = {
            **kept,
            "NO_COLOR": "1",
            "COLUMNS": "100",
            "INCUS_SOCKET": str(tmp_path / "no-incus"),
            "FREEHOLD_LAB": str(tmp_path / "lab"),
            **variables,
        }
        return subprocess.run(
            [sys.executable, str(PROGRAM), *map(str, arguments)],
            cwd=tmp_path,
            env=environment,
            input=given or "",
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run
