"""The collection as a whole: its version is Freehold's, and whoever packs it for Ansible leaves the tests out."""

import subprocess
import sys
import tarfile
from pathlib import Path

import yaml

import freehold
from tests.docs.pages import ROOT

COLLECTION = ROOT / "src" / "ansible_collections" / "freehold" / "estate"


def test_its_version_is_that_of_freehold() -> None:
    metadata = yaml.safe_load((COLLECTION / "galaxy.yml").read_text(encoding="utf-8"))
    assert metadata["version"] == freehold.__version__


def test_it_can_be_packed(tmp_path: Path) -> None:
    program = Path(sys.executable).parent / "ansible-galaxy"
    command = [sys.executable, str(program), "collection", "build", "--output-path", str(tmp_path)]
    done = subprocess.run([*command, str(COLLECTION)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as packed:
        names = packed.getnames()
    assert "roles/provision/tasks/main.yml" in names
    assert [name for name in names if "molecule" in name or name.startswith("extensions")] == []
