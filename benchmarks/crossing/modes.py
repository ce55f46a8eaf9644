"""What each way of keeping domains apart adds to a round trip between two real machines. Used by benchmarks/firewall.py.

In a lab of its own: with no rules of ours, with those of `network.firewall: host`, and through the machine of
`network.firewall: machine`.
"""

import asyncio
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from freehold.operations.lab import Lab
from freehold.operations.lab.images import ensure_image
from freehold.system.nftables.listing import emptied, restoring

TABLE = "freehold-modes"
ROUTER = "sys-firewall"
ROUNDS = 7
_PING = "ping -q -c 100 -i 0.002 10.100.2.10"
_MEAN = re.compile(r"= [\d.]+/([\d.]+)/")  # min/avg/max, in ms


def infra_yml(network: str) -> str:
    """Two domains that may ping each other, and the admin domain that a firewall machine lives in."""
    return f"""
freehold: 1
name: modes
network: {network}
domains:
  admin: {{subnet_id: 0, trust: admin}}
  one: {{subnet_id: 1, machines: {{m: {{ip: 10.100.1.10}}}}}}
  two: {{subnet_id: 2, machines: {{m: {{ip: 10.100.2.10}}}}}}
policies:
  - {{from: one, to: two, protocol: icmp}}
"""


class Unanswered(Exception):
    """Nothing came back."""


@contextmanager
def _lab() -> Iterator[Lab]:
    with tempfile.TemporaryDirectory(prefix="fh-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)  # machines run as other users and have to pass through
        lab = Lab(Path(folder, "lab"))
        lab.start()
        try:
            ensure_image(lab, "debian/13", lambda text: None)
            yield lab
        finally:
            lab.reset()


def measure_modes() -> None:
    """Measure and print; what cannot be tried says so."""
    with _lab() as lab, tempfile.TemporaryDirectory() as folder:
        if problem := _apply(lab, Path(folder), "{firewall: host}"):
            print(f"  both modes: not measured: {problem}")
            return
        plain, host = _host(lab)
        print(f"  without our rules   {plain * 1000:6.1f} us")
        print(f"  host                {host * 1000:6.1f} us   {_added(host, plain)}")
        container = "{firewall: machine, firewall_machine: {type: container}}"
        if problem := _apply(lab, Path(folder), container) or _unproven(lab):
            print(f"  machine             not measured: {problem}")
            return
        try:
            machine = statistics.median(_ping(lab) for _ in range(ROUNDS))
        except Unanswered as error:
            print(f"  machine             not measured: {error}")
            return
        print(f"  machine (container) {machine * 1000:6.1f} us   {_added(machine, plain)}")
        print("  machine (vm)        not measured: needs a computer on which Incus runs VMs")


def _added(value: float, plain: float) -> str:
    return f"x {value / plain:.2f}, {(value - plain) * 1000:+.1f} us"


def _host(lab: Lab) -> tuple[float, float]:
    """Without and with the rules, by turns; milliseconds."""
    nftables = lab.nftables()
    rules = asyncio.run(nftables.table(TABLE))
    if rules is None:
        raise SystemExit(f"apply has made no table {TABLE}")
    plain, host = [], []
    for _ in range(ROUNDS):
        asyncio.run(nftables.load(emptied(TABLE)))
        plain.append(_ping(lab))
        asyncio.run(nftables.load(restoring(TABLE, rules)))
        host.append(_ping(lab))
    return statistics.median(plain), statistics.median(host)


def _ping(lab: Lab) -> float:
    said = _incus(lab, "exec", "one-m", "--project", "one", "--", *_PING.split())
    found = _MEAN.search(said)
    if found is None:
        raise Unanswered("a ping between two domains that may was not answered")
    return float(found[1])


def _apply(lab: Lab, folder: Path, network: str) -> str:
    """Why it did not work; empty when it did."""
    (folder / "infra.yml").write_text(infra_yml(network), encoding="utf-8")
    argv = [str(Path(sys.executable).parent / "freehold"), "--lab", "-C", str(folder), "apply", "--yes"]  # fmt: skip
    environment = {**os.environ, "FREEHOLD_LAB": str(lab.root)}
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    told = (done.stderr.strip() or done.stdout.strip()).splitlines()
    return "" if done.returncode == 0 else told[0]


def _unproven(lab: Lab) -> str:
    """Why packets do not go through that machine; empty when it is there."""
    names = _incus(lab, "list", "--all-projects", "--format=csv", "--columns=n")
    return "" if ROUTER in names else f"apply has made no instance {ROUTER}"


def _incus(lab: Lab, *words: str) -> str:
    environment = {**os.environ, "INCUS_SOCKET": str(lab.socket)}
    return subprocess.run(["incus", *words], env=environment, capture_output=True, text=True).stdout
