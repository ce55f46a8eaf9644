"""`freehold lab`, as typed. With a real lab where one is marked."""

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from freehold.operations.lab import Lab
from tests.cli.conftest import Done, Freehold


def test_where_there_is_no_lab(freehold: Freehold, tmp_path: Path) -> None:
    done = freehold("lab", "status", "--json")
    assert done.returncode == 0
    answer = json.loads(done.stdout)
    assert (answer["kind"], answer["running"]) == ("lab", False)
    assert "freehold lab start" in freehold("lab", "status").stdout
    assert freehold("lab", "reset").returncode == 0
    done = freehold("lab", "run", "--", "true")
    assert done.returncode == 64
    assert "freehold lab start" in done.stderr
    assert not (tmp_path / "lab").exists()


def test_completion_knows_the_verbs_of_the_lab(freehold: Freehold) -> None:
    done = freehold(_FREEHOLD_COMPLETE="complete_bash", COMP_WORDS="freehold lab ", COMP_CWORD="2")
    assert set(done.stdout.split()) == {"start", "stop", "status", "reset", "run"}


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder with a short path for a lab, which does not outlive the test."""
    with tempfile.TemporaryDirectory(prefix="fh-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)  # machines run as other users and have to pass through
        yield Path(folder, "lab")
        Lab(Path(folder, "lab")).reset()


@pytest.mark.lab
def test_a_lab_from_start_to_reset(freehold: Freehold, root: Path) -> None:
    def lab(*arguments: str, given: str | None = None) -> Done:
        return freehold("lab", *arguments, given=given, FREEHOLD_LAB=str(root))

    started = lab("start")
    assert (started.returncode, started.stdout) == (0, ""), started.stderr
    assert "running already" in lab("start").stderr
    status = json.loads(lab("status", "--json").stdout)
    assert (status["running"], status["machines"], status["storage"]) == (True, 0, "btrfs")

    echoed = lab("run", "--", "sh", "-c", "cat; echo oops >&2; exit 7", given="through")
    assert (echoed.returncode, echoed.stdout, echoed.stderr) == (7, "through", "oops\n")
    version = lab("run", "incus", "--version")
    assert (version.returncode, version.stdout.strip()) == (0, status["incus_version"])

    doctor = freehold("--lab", "doctor", "--json", FREEHOLD_LAB=str(root))
    found = {check["name"]: check["result"] for check in json.loads(doctor.stdout)["checks"]}
    assert doctor.returncode == 0, doctor.stdout
    for name in ("lab", "incus", "incus version", "incus api", "storage pool", "nftables"):
        assert found[name] == "ok", doctor.stdout

    refused = lab("reset")
    assert refused.returncode == 64
    assert "--yes" in refused.stderr
    assert lab("stop").returncode == 0
    assert lab("reset", "--yes").returncode == 0
    assert not root.exists()


@pytest.mark.slow
@pytest.mark.lab
def test_egress_is_turned_on_seen_missed_and_turned_off(freehold: Freehold, root: Path) -> None:
    def lab(*arguments: str) -> Done:
        return freehold("lab", *arguments, FREEHOLD_LAB=str(root))

    def seen() -> tuple[bool, int | None]:
        status = json.loads(lab("status", "--json").stdout)
        return status["egress"], status["egress_pid"]

    assert lab("start").returncode == 0
    assert seen() == (False, None)
    assert "egress    off" in lab("status").stdout
    turned_on = lab("start", "--egress")
    assert turned_on.returncode == 0, turned_on.stderr
    assert "freehold --lab apply" in turned_on.stderr
    wanted, pid = seen()
    assert wanted
    assert pid is not None
    assert f"egress    on, process {pid}" in lab("status").stdout
    os.kill(pid, signal.SIGKILL)
    assert "freehold lab start brings it back" in lab("status").stdout
    lab("start")
    assert seen()[1] not in (None, pid)
    lab("start", "--no-egress")
    assert seen() == (False, None)


@pytest.mark.lab
@pytest.mark.parametrize("stopped", [False, True])
def test_what_holds_data_is_deleted_only_by_name(
    stopped: bool, freehold: Freehold, root: Path
) -> None:
    lab = Lab(root)
    lab.start()
    create = ["incus", "create", "--empty", "precious"]
    made = subprocess.run(create, env=lab.environment(), capture_output=True, check=False)
    assert made.returncode == 0, made.stderr
    if stopped:
        lab.stop()
    refused = freehold("lab", "reset", "--yes", FREEHOLD_LAB=str(root))
    assert refused.returncode == 64
    assert "precious" in refused.stderr
    assert "freehold lab reset --confirm lab" in refused.stderr
    assert freehold("lab", "reset", "--confirm", "lba", FREEHOLD_LAB=str(root)).returncode == 64
    assert (root / "incus").exists()
    assert freehold("lab", "reset", "--confirm", "lab", FREEHOLD_LAB=str(root)).returncode == 0
    assert not root.exists()
