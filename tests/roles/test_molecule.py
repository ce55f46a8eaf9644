"""Every role on real machines: in check mode, for real, once more, and looked at (`scripts/test-roles`)."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

ROLES = ROOT / "src" / "ansible_collections" / "freehold" / "estate" / "roles"
NAMES = sorted(path.name for path in ROLES.iterdir() if path.is_dir())
SCRIPT = ROOT / "scripts" / "test-roles"


@pytest.fixture
def labs() -> Iterator[Path]:
    """A folder with a short path for the labs, through which machines' users may pass."""
    with tempfile.TemporaryDirectory(prefix="fh-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)
        _roles(Path(folder), "--destroy")


def _roles(labs: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SCRIPT, *words],
        env={**os.environ, "FREEHOLD_MOLECULE": str(labs), "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("role", NAMES)
def test_every_role_has_a_scenario(role: str) -> None:
    assert (ROLES / role / "molecule" / "default" / "verify.yml").is_file()


def test_a_role_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = _roles(tmp_path, "base_sistem")
    assert done.returncode == 1
    assert "base_sistem" in done.stdout


@pytest.mark.lab
@pytest.mark.slow
@pytest.mark.parametrize("role", NAMES)
def test_a_role_does_what_it_says(role: str, labs: Path) -> None:
    done = _roles(labs, role)
    assert done.returncode == 0, done.stdout[-20_000:]
    assert f"{role}, scenario default: ok" in done.stdout
    assert not (labs / f"{role}-default").exists(), "its lab was left behind"
