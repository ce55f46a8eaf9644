"""scripts/check-hosts finds what it is there to find."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.conftest import ROOT


def check(folder: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(ROOT / "scripts" / "check-hosts"), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


# In pieces, since this file is checked too.
@pytest.mark.parametrize(
    "host", ["packages" + ".somewhere.io", "deb" + ".somewhere.org", "mirror.of" + ".somewhere.net"]
)
@pytest.mark.parametrize("line", ["index = {}", "see https://user:word@{}/simple", "x http://{}"])
def test_a_mirror_is_found_with_its_place(tmp_path: Path, host: str, line: str) -> None:
    (tmp_path / "settings").write_text("fine\n" + line.format(host) + "\n")
    done = check(tmp_path)
    assert done.returncode == 1
    assert f"settings:2: the host {host} " in done.stdout


def test_documentation_names_and_addresses_pass(tmp_path: Path) -> None:
    (tmp_path / "infra.yml").write_text(
        "https://media.example.org:8443/x http://203.0.113.7/ http://localhost:80 ssh://me@nas/\n"
    )
    assert check(tmp_path).returncode == 0


def test_the_tree_passes() -> None:
    done = check(ROOT)
    assert done.returncode == 0, done.stdout
