"""A lab from its start to its end: repeated, at the same time, interrupted, and what it leaves behind."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from freehold.diagnostics import BackendError, UsageError
from freehold.operations.lab import Lab, api
from tests.lab.conftest import NewLab, network_namespace, traces

pytestmark = pytest.mark.lab


def test_starting_again_changes_nothing(lab: Lab) -> None:
    before = lab.status()
    again = lab.start()
    assert not again.fresh
    assert lab.status().pid == before.pid
    assert before.running
    assert before.machines == 0
    assert before.storage == "btrfs"
    assert before.incus_version is not None


def test_commands_run_inside_with_the_client_at_hand(
    lab: Lab, capfd: pytest.CaptureFixture[str]
) -> None:
    assert lab.run(["incus", "storage", "list", "--format", "csv"]) == 0
    assert "default,btrfs" in capfd.readouterr().out
    assert lab.run(["sh", "-c", "exit 7"]) == 7
    assert lab.run(["ip", "-brief", "link"]) == 0
    links = capfd.readouterr().out.splitlines()
    assert [line.split()[0] for line in links] == ["lo"], (
        "the lab sees none of the machine's interfaces"
    )


def test_nothing_is_left_after_a_stop(new_lab: NewLab) -> None:
    lab = new_lab()
    files = [Path("/etc/subuid"), Path("/etc/subgid")]
    before = [(path.read_bytes(), path.stat().st_mtime_ns) for path in files if path.exists()]
    lab.start()
    network = network_namespace(lab)
    assert traces(lab, network), "the test sees a lab that runs"
    lab.stop()
    assert traces(lab, network) == []
    assert not lab.running
    after = [(path.read_bytes(), path.stat().st_mtime_ns) for path in files if path.exists()]
    assert after == before
    lab.stop()  # once more is fine


def test_it_outlives_who_started_it(new_lab: NewLab) -> None:
    lab = new_lab()
    program = f"""
import os, signal
from pathlib import Path
from freehold.operations.lab import Lab
Lab(Path({str(lab.root)!r})).start()
os.killpg(0, signal.SIGKILL)
"""
    ended = subprocess.run([sys.executable, "-c", program], start_new_session=True, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert lab.running
    assert api.answers(lab.socket)


def test_a_killed_lab_starts_again_with_its_data(lab: Lab) -> None:
    api.request(lab.socket, "POST", "/1.0/storage-pools/default/volumes/custom", {"name": "kept"})
    network, pid = network_namespace(lab), lab.status().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until = time.monotonic() + 60
    while lab.running and time.monotonic() < until:
        time.sleep(0.01)
    left = [trace for trace in traces(lab, network) if not trace.startswith("cgroup")]
    assert left == [], "the kernel ends all of it"
    assert lab.start().fresh
    volumes = api.request(lab.socket, "GET", "/1.0/storage-pools/default/volumes/custom")
    assert volumes == ["/1.0/storage-pools/default/volumes/custom/kept"]


def test_the_daemon_can_be_killed_and_comes_back(lab: Lab) -> None:
    pid = lab.status().pid
    lab.restart_daemon()
    assert api.answers(lab.socket)
    lab.kill_daemon()
    assert not api.answers(lab.socket)
    assert lab.status().running
    assert lab.status().incus_version is None
    lab.start()
    assert api.answers(lab.socket)
    assert lab.status().pid == pid


def test_of_two_starts_at_once_one_waits(new_lab: NewLab) -> None:
    lab = new_lab()
    with ThreadPoolExecutor() as threads:
        both = [threads.submit(Lab(lab.root).start) for _ in range(2)]
        fresh = [start.result().fresh for start in both]
    assert sorted(fresh) == [False, True]
    assert api.answers(lab.socket)


def test_two_labs_may_have_the_same_bridge(new_lab: NewLab) -> None:
    labs = [new_lab(), new_lab()]
    bridge = {
        "name": "net-pro",
        "type": "bridge",
        "config": {"ipv4.address": "10.100.2.1/24", "ipv6.address": "none"},
    }
    for lab in labs:
        lab.start()
        api.request(lab.socket, "POST", "/1.0/networks", bridge)
    assert all(lab.run(["ping", "-c1", "-W2", "-q", "10.100.2.1"]) == 0 for lab in labs)
    assert not Path("/sys/class/net/net-pro").exists(), "the machine itself has no such bridge"
    labs[0].stop()
    assert labs[1].run(["ping", "-c1", "-W2", "-q", "10.100.2.1"]) == 0


def test_the_storage_is_chosen_once(new_lab: NewLab) -> None:
    lab = new_lab()
    with pytest.raises(UsageError, match="zfs"):
        lab.start(storage="zfs")
    lab.start(storage="dir")
    assert lab.status().storage == "dir"
    with pytest.raises(UsageError, match="made with `dir`"):
        lab.start(storage="btrfs")


def test_reset_deletes_the_lab_but_nothing_else(lab: Lab) -> None:
    foreign = lab.root / "notes.txt"
    foreign.write_text("mine")
    lab.reset()
    assert [path.name for path in lab.root.iterdir()] == ["notes.txt"]
    foreign.unlink()


def test_reset_refuses_a_folder_that_is_no_lab(tmp_path: Path) -> None:
    (tmp_path / "incus").mkdir()
    with pytest.raises(UsageError, match="deletes nothing"):
        Lab(tmp_path).reset()
    assert (tmp_path / "incus").exists()


def test_a_command_needs_a_running_lab(new_lab: NewLab) -> None:
    with pytest.raises(UsageError, match="not running"):
        new_lab().run(["true"])


def test_what_is_in_the_way_is_named(new_lab: NewLab) -> None:
    lab = new_lab()
    (lab.root / "incus").write_text("in the way")
    with pytest.raises(BackendError) as caught:
        lab.start()
    assert f"{lab.root}/incus" in caught.value.diagnostics[0].detail
    (lab.root / "incus").unlink()
    assert lab.start().fresh


def test_a_daemon_that_cannot_start_is_told_with_its_log(new_lab: NewLab) -> None:
    lab = new_lab()
    (lab.root / "incus").mkdir()
    (lab.root / "incus" / "database").write_text("in the way")
    with pytest.raises(BackendError) as caught:
        lab.start()
    assert "unable to open database file" in caught.value.diagnostics[0].detail
    assert not lab.running
    (lab.root / "incus" / "database").unlink()
    assert lab.start().fresh


def test_machines_find_their_way_into_the_folder(new_lab: NewLab) -> None:
    closed = new_lab()
    closed.root.chmod(0o700)
    with pytest.raises(UsageError, match="only its owner may pass"):
        Lab(closed.root / "lab").start()
    (closed.root / "lab").rmdir()
