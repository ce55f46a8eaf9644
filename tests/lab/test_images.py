"""Images of the lab and the machines made from them. The first of these tests on a machine builds debian/13 (20 s)."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from freehold.diagnostics import BackendError
from freehold.operations.lab import Lab, api, recipe
from freehold.operations.lab.image_cache import ImageCache, architecture
from freehold.operations.lab.images import LabImages, ensure_image
from freehold.operations.lab.layout import default_cache
from tests.lab.conftest import network_namespace, traces

pytestmark = pytest.mark.lab

KEY = f"debian-13-amd64-built-{recipe.VERSION}"
BRIDGE = {
    "name": "net-pro",
    "type": "bridge",
    "config": {"ipv4.address": "10.100.2.1/24", "ipv6.address": "none"},
}


@pytest.fixture
def stocked(lab: Lab) -> Lab:
    ensure_image(lab, "debian/13", lambda _: None)
    return lab


def launch(lab: Lab, name: str) -> None:
    """A container of debian/13 on the bridge, started."""
    nic = {"type": "nic", "network": "net-pro", "name": "eth0"}
    source = {"type": "image", "alias": "debian/13"}
    wanted = {"name": name, "type": "container", "source": source, "devices": {"eth0": nic}}
    api.request(lab.socket, "POST", "/1.0/instances", wanted, timeout=60)
    api.request(lab.socket, "PUT", f"/1.0/instances/{name}/state", {"action": "start"}, timeout=60)


def address(lab: Lab, name: str) -> str:
    """The machine's IPv4 address on eth0, for which DHCP has ten seconds."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        state = api.request(lab.socket, "GET", f"/1.0/instances/{name}/state")
        for found in ((state["network"] or {}).get("eth0") or {}).get("addresses", []):
            if found["family"] == "inet" and found["scope"] == "global":
                return str(found["address"])
        time.sleep(0.1)
    pytest.fail(f"{name} got no address")


def test_a_machine_gets_an_address_answers_and_survives_the_lab(
    stocked: Lab, capfd: pytest.CaptureFixture[str]
) -> None:
    api.request(stocked.socket, "POST", "/1.0/networks", BRIDGE)
    launch(stocked, "pro-dev")
    given = address(stocked, "pro-dev")
    assert given.startswith("10.100.2.")
    assert stocked.run(["ping", "-c1", "-W2", "-q", given]) == 0
    inside = ["incus", "exec", "pro-dev", "--"]
    assert (
        stocked.run([*inside, "python3", "-c", "import apt, socket; print(socket.gethostname())"])
        == 0
    )
    assert "pro-dev" in capfd.readouterr().out
    assert (
        stocked.run(
            [*inside, "sh", "-c", "systemctl --failed --no-legend; echo kept > /root/note; sync"]
        )
        == 0
    )
    assert "●" not in capfd.readouterr().out, "no unit of the image fails"

    pid = stocked.status().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    stocked.start()
    assert address(stocked, "pro-dev").startswith("10.100.2."), (
        "what ran when the lab died runs again"
    )
    assert stocked.run([*inside, "cat", "/root/note"]) == 0
    assert "kept" in capfd.readouterr().out


def test_machines_go_on_while_the_daemon_restarts(stocked: Lab) -> None:
    api.request(stocked.socket, "POST", "/1.0/networks", BRIDGE)
    launch(stocked, "pro-dev")
    given = address(stocked, "pro-dev")
    stocked.kill_daemon()
    assert stocked.run(["ping", "-c1", "-W2", "-q", given]) == 0
    stocked.restart_daemon()
    assert address(stocked, "pro-dev") == given


def test_the_machine_keeps_nothing_of_a_lab_with_running_machines(stocked: Lab) -> None:
    api.request(stocked.socket, "POST", "/1.0/networks", BRIDGE)
    launch(stocked, "pro-dev")
    address(stocked, "pro-dev")  # a machine that still boots would not hear that it should stop
    network = network_namespace(stocked)
    stocked.stop()
    assert traces(stocked, network) == []


def test_an_image_that_is_there_is_left_alone(stocked: Lab) -> None:
    said: list[str] = []
    ensure_image(stocked, "debian/13", said.append)
    assert said == []


def test_the_provider_gets_an_image_once_for_all_machines(lab: Lab) -> None:
    images, said = LabImages(lab), list[str]()

    async def three() -> list[object]:
        sources = [images.source("images:debian/13", "container", said.append) for _ in range(3)]
        return [dict(source) for source in await asyncio.gather(*sources)]

    assert asyncio.run(three()) == [{"type": "image", "alias": "debian/13"}] * 3
    assert said.count("loading debian/13 into the lab") == 1


def test_a_second_name_for_the_same_image_is_fine(stocked: Lab, tmp_path: Path) -> None:
    ensure_image(stocked, "debian/13", lambda _: None)
    (found,) = default_cache().glob(f"debian-13-{architecture()}-built-{recipe.VERSION}")
    (tmp_path / found.name.replace("13", "12", 1)).symlink_to(found)
    ensure_image(stocked, "debian/12", lambda _: None, cache=ImageCache(tmp_path))
    assert len(api.request(stocked.socket, "GET", "/1.0/images")) == 1


def test_unknown_images_are_refused_with_the_nearest_name(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FREEHOLD_IMAGE_SERVER", "")
    with pytest.raises(BackendError) as caught:
        ensure_image(lab, "debain/13", lambda _: None)
    assert "debian/13" in (caught.value.diagnostics[0].hint or "")
    with pytest.raises(BackendError, match="containers only"):
        ensure_image(lab, "debian/13", lambda _: None, machine_type="virtual-machine")


def test_a_killed_build_leaves_no_process_no_mount_and_no_image(lab: Lab, tmp_path: Path) -> None:
    cache = ImageCache(tmp_path)
    build_and_kill(lab, cache.folder)
    until = time.monotonic() + 60
    while (left := working(cache.folder)) and time.monotonic() < until:
        time.sleep(0.05)
    assert left == []
    assert not list(cache.folder.glob("debian-*")), "what is unfinished is not taken for an image"
    assert str(cache.folder) not in Path("/proc/self/mountinfo").read_text()
    with cache.making("debian/13"), cache.new(KEY) as made:
        assert list(cache.folder.glob(".unfinished-*")) == [made], (
            "the next attempt clears the rest"
        )
        (made / "metadata.tar.xz").touch()
        (made / "rootfs.squashfs").touch()
    assert cache.find(KEY) is not None


def build_and_kill(lab: Lab, cache: Path) -> None:
    """Have a process build debian/13 into the cache, and kill it while it is at work."""
    program = f"""
from pathlib import Path
from freehold.operations.lab import Lab
from freehold.operations.lab.images import ensure_image
ensure_image(Lab(Path({str(lab.root)!r})), "debian/13", print)
"""
    variables = os.environ | {"FREEHOLD_CACHE": str(cache), "FREEHOLD_IMAGE_SERVER": ""}
    argv = [sys.executable, "-c", program]
    with subprocess.Popen(argv, env=variables, stdout=subprocess.DEVNULL) as build:
        until = time.monotonic() + 60
        while not working(cache) and time.monotonic() < until:
            time.sleep(0.02)
        assert working(cache), "the test sees a build at work"
        build.kill()


def working(folder: Path) -> list[str]:
    """The commands that build in the folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (
                (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            )
        except OSError:  # it has ended meanwhile
            continue
        if f"{folder}/.unfinished" in command and "mmdebstrap" in command:
            found.append(command)
    return found
