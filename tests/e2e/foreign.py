"""What belongs to somebody else on the same server: made once, compared after every test."""

import asyncio
import contextlib
import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from freehold.operations.lab import Lab
from freehold.system.unix_http import ask

PROJECT, BRIDGE, INSTANCE = "theirs", "br-theirs", "their-box"

_MAKE = f"""
set -e
incus network create {BRIDGE} ipv4.address=192.0.2.1/24 ipv4.nat=false ipv6.address=none
incus project create {PROJECT} -c features.images=false
incus profile device add --project {PROJECT} default root disk path=/ pool=default
incus profile device add --project {PROJECT} default eth0 nic network={BRIDGE}
incus storage volume create --project {PROJECT} default their-data
incus launch --project {PROJECT} debian/13 {INSTANCE} -c user.note=precious
nft add table inet theirs
nft add chain inet theirs kept '{{ type filter hook forward priority 10; policy accept; }}'
nft add rule inet theirs kept tcp dport 7 drop
"""
_NO_RULES = """
nft list tables | awk '$3 ~ /^freehold-/' | while read -r _ family name; do nft delete table $family $name; done
rm -rf "$1"
"""


def make(lab: Lab) -> None:
    """Their project, bridge, volume and running container."""
    assert lab.run(["sh", "-c", _MAKE]) == 0


def picture(lab: Lab) -> dict[str, Any]:
    """Everything of theirs, as the API and nft tell it; the process shows that the container was never restarted."""
    socket = lab.socket
    paths = {
        "project": f"/projects/{PROJECT}",
        "bridge": f"/networks/{BRIDGE}",
        "profile": f"/profiles/default?project={PROJECT}",
        "volume": f"/storage-pools/default/volumes/custom/their-data?project={PROJECT}",
        "instance": f"/instances/{INSTANCE}?project={PROJECT}",
    }
    found = {name: _get(socket, path) for name, path in paths.items()}
    state = _get(socket, f"/instances/{INSTANCE}/state?project={PROJECT}")
    rules = asyncio.run(lab.nftables().table("theirs"))
    return {**found, "process": state["pid"], "rules": rules}


def _get(socket: Path, path: str) -> Any:
    answer = ask(socket, "GET", f"/1.0{path}")
    assert answer.code == 200, answer
    return answer.body["metadata"]


def clean(lab: Lab) -> None:
    """Delete everything but theirs and the image: the lab is the tests' own."""
    names = [path.rsplit("/", 1)[1] for path in _get(lab.socket, "/projects")]
    ours = [f"/projects/{name}?force=1" for name in names if name not in ("default", PROJECT)]
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda path: _delete(lab, path), ours))
    for network in _get(lab.socket, "/networks?recursion=1"):
        if network["managed"] and network["name"] != BRIDGE:
            _delete(lab, f"/networks/{network['name']}")
    assert lab.run(["sh", "-c", _NO_RULES, "sh", str(lab.root / "firewall")]) == 0
    _sweep(lab)


def _sweep(lab: Lab) -> None:
    """Of a bridge that it was making when it was killed, Incus leaves the interface and its dnsmasq behind."""
    mark = f"{lab.root}/incus/networks/net-".encode()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (process / "cmdline").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)
    left = [n["name"] for n in _get(lab.socket, "/networks?recursion=1") if n["name"][:4] == "net-"]
    for name in left:
        assert lab.run(["ip", "link", "delete", name]) == 0


def _delete(lab: Lab, path: str) -> None:
    answer = ask(lab.socket, "DELETE", f"/1.0{path}", timeout=60.0)
    assert answer.code == 200, answer


def put_into(lab: Lab, project: str, name: str) -> None:
    """A container that somebody else makes in one of our projects."""
    assert lab.run(["incus", "init", "--quiet", "--project", project, "debian/13", name]) == 0


def instance(socket: Path, project: str, name: str) -> str:
    """A container as the API tells it, as text to compare."""
    return json.dumps(_get(socket, f"/instances/{name}?project={project}"), sort_keys=True)
