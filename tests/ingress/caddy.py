"""Debian's Caddy: what it makes of a Caddyfile, and one that runs. Called by the tests of this folder."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

NOT_MEASURED = (
    "not measured: there is no caddy on PATH; `scripts/prerequisites --tests` installs it"
)


def binary() -> str:
    """The program. A test without it skips, and says why."""
    found = shutil.which("caddy")
    if found is None:
        pytest.skip(NOT_MEASURED)
    return found


def environment(folder: Path) -> dict[str, str]:
    """Caddy keeps its certificates below the home folder; the test's own, not somebody's."""
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_DATA_HOME": str(folder)}


def validated(folder: Path, text: str) -> str:
    """What `caddy validate` says of it: it has read all of it, and could start with it."""
    done = _run(folder, text, "validate")
    assert done.returncode == 0, f"{done.stderr}\n{text}"
    return done.stdout + done.stderr


def adapted(folder: Path, text: str) -> dict[str, Any]:
    """The configuration as Caddy itself understands it."""
    done = _run(folder, text, "adapt")
    assert done.returncode == 0, done.stderr
    read: dict[str, Any] = json.loads(done.stdout)
    return read


def _run(folder: Path, text: str, verb: str) -> "subprocess.CompletedProcess[str]":
    file = folder / "Caddyfile"
    file.write_text(text)
    argv = [binary(), verb, "--config", str(file), "--adapter", "caddyfile"]
    return subprocess.run(
        argv, env=environment(folder), capture_output=True, text=True, check=False, timeout=60
    )
