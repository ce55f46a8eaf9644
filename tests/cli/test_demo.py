"""scripts/demo, what `make demo` runs: from nothing to four machines that answer, twice; and a wrong start."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from freehold.operations.lab import Lab
from tests.cli.conftest import Done

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "demo"
ADDRESSES = {
    "admin-ansible": "10.100.0.10",
    "perso-desktop": "10.100.1.10",
    "pro-dev": "10.100.2.10",
    "homelab-llm": "10.100.3.10",
}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path, for a lab and an estate that do not outlive the test."""
    with tempfile.TemporaryDirectory(prefix="fh-", dir="/tmp") as name:
        Path(name).chmod(0o711)  # machines run as other users and have to pass through
        yield Path(name)
        Lab(Path(name, "lab")).reset()


def demo(folder: Path) -> Done:
    environment = os.environ | {
        "FREEHOLD_LAB": str(folder / "lab"),
        "FREEHOLD_DEMO": str(folder / "estate"),
        "NO_COLOR": "1",
    }
    return subprocess.run([SCRIPT], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.lab
@pytest.mark.slow
def test_four_machines_answer_and_it_may_be_repeated(folder: Path) -> None:
    first = demo(folder)
    assert first.returncode == 0, first.stdout + first.stderr
    answers = [line.split() for line in first.stdout.splitlines() if line.endswith(" answers")]
    assert {name: address for name, address, _ in answers} == ADDRESSES
    assert "Plan: 20 to create" in first.stdout
    assert "lab reset --confirm lab" in first.stdout

    stop = ["incus", "stop", "--force", "--project", "pro", "pro-dev"]
    subprocess.run(stop, env=Lab(folder / "lab").environment(), check=True)
    second = demo(folder)
    assert second.returncode == 0, second.stdout + second.stderr
    assert second.stdout.count(" answers\n") == len(ADDRESSES)


@pytest.mark.lab
def test_it_fails_with_a_reason(folder: Path) -> None:
    (folder / "estate").write_text("in the way")
    done = demo(folder)
    assert done.returncode == 1
    assert "demo: the folder" in done.stderr
    assert "is not a folder" in done.stderr
