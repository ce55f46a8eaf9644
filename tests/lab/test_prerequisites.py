"""The script that installs what the lab needs, on a machine that has it all and on one it does not know."""

import subprocess
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "prerequisites"

pytestmark = pytest.mark.lab


def test_nothing_to_do_is_quick_and_silent() -> None:
    began = time.monotonic()
    done = subprocess.run([SCRIPT], capture_output=True, text=True, check=True)
    assert time.monotonic() - began < 5
    assert done.stdout + done.stderr == ""


def test_elsewhere_it_says_what_to_install(tmp_path: Path) -> None:
    release = tmp_path / "os-release"
    release.write_text('ID=plan9\nPRETTY_NAME="Plan 9"\n')
    disguise = f"mount --bind {release} /etc/os-release && exec {SCRIPT}"
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", disguise], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "Plan 9" in done.stderr
    assert "incus" in done.stderr
    assert "nftables" in done.stderr
    assert "Traceback" not in done.stderr
