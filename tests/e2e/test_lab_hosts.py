"""Computers of `hosts`, played by the lab: made, entered by the real ssh from outside, restarted, healed, provisioned, taken away."""

import asyncio
import subprocess
import time
from collections.abc import Iterator

import pytest

from freehold.operations.lab.debian import HOST
from freehold.operations.lab.images import ensure_image
from freehold.providers.lab_hosts.existence import is_played
from tests.e2e.estate import Done, Estate, created, deleted, told

pytestmark = [pytest.mark.lab, pytest.mark.slow]

CORTEX, MIRAGE = "203.0.113.20", "198.51.100.7"
PAIR = """
    freehold: 1
    name: cottage
    domains: {home: {subnet_id: 11, machines: {desk: {ip: 10.100.11.10}}}}
    hosts:
      cortex: {address: 203.0.113.20, ssh: {user: orion, port: 2222}, first: {user: debian}}
      mirage: {address: 198.51.100.7, ssh: {port: 2022}}
    """
GROUND = ("lab-project:host", "lab-network:host/198.51.100.0", "lab-network:host/203.0.113.0")
PLAYED = ("lab-host:cortex", "lab-host:mirage")


@pytest.fixture
def cellar(estate: Estate) -> Iterator[Estate]:
    """Two hosts in two networks. Destroyed afterwards, whatever a test did."""
    ensure_image(estate.lab, HOST, lambda text: None)
    estate.write(PAIR)
    yield estate
    done = estate.freehold("destroy", "--yes", "--confirm", "cottage")
    assert done.code == 0, done
    assert "hosts.cottage" not in estate.incus("project", "list", "--format", "csv")


def played(estate: Estate) -> list[bool]:
    """Whether there are hosts already, as those ask who would enter them."""
    names = ("cortex", "mirage", "elsewhere")
    return [asyncio.run(is_played(estate.lab.socket, "cottage", name)) for name in names]


def ssh(estate: Estate, user: str, address: str, port: int, command: str) -> Done:
    """What somebody at this computer types, outside of the lab."""
    words = ["-o", "BatchMode=yes", "-p", str(port), f"{user}@{address}", command]
    done = subprocess.run(
        ["ssh", *estate.lab.ssh_options(), *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    return Done(done.returncode, done.stdout, done.stderr)


def soon(estate: Estate, user: str, address: str, port: int, command: str) -> Done:
    """The same, as soon as the host lets us in."""
    until = time.monotonic() + 60
    while (done := ssh(estate, user, address, port, command)).code == 255:
        assert time.monotonic() < until, done
        time.sleep(0.2)
    return done


def test_two_hosts_are_entered_and_reach_each_other_at_their_declared_addresses(
    cellar: Estate,
) -> None:
    plan = told(cellar.plan())
    assert created(*GROUND, *PLAYED).items() <= plan.items()
    assert played(cellar) == [False, False, False]
    cellar.ok("apply", "--yes")
    assert played(cellar) == [True, True, False]
    as_user = ssh(cellar, "debian", CORTEX, 22, "hostname; sudo -n id -u; python3 -V >&2")
    assert (as_user.code, as_user.out) == (0, "cortex\n0\n"), as_user
    as_root = ssh(cellar, "root", MIRAGE, 2022, "hostname; echo $SSH_CONNECTION")
    assert as_root.out.startswith("mirage\n198.51.100.1 ")
    assert ssh(cellar, "root", MIRAGE, 22, "true").code == 255, "it listens at its own port only"
    there = ssh(cellar, "root", CORTEX, 22, f"ping -c 1 -W 20 {MIRAGE}")
    back = ssh(cellar, "root", MIRAGE, 2022, f"ping -c 1 -W 20 {CORTEX}")
    assert (there.code, back.code) == (0, 0), (there, back)
    stands_apart(cellar)
    cellar.settled()
    assert "Nothing to do" in cellar.ok("apply", "--yes").out
    assert not (cellar.folder / ".freehold/known_hosts").exists(), (
        "the real computers are still strangers"
    )


def stands_apart(cellar: Estate) -> None:
    """As it will be: machines reach a host as they reach the internet, and it reaches none of them."""
    cellar.inside("home/desk", "ping", "-c", "1", "-W", "20", CORTEX)
    blocked = ssh(cellar, "root", CORTEX, 22, "ping -c 1 -W 2 10.100.11.10")
    assert "100% packet loss" in blocked.out, blocked


@pytest.mark.slow
def test_a_host_restarts_and_one_that_is_off_is_started_again(cellar: Estate) -> None:
    cellar.ok("apply", "--yes")
    boot = "cat /proc/sys/kernel/random/boot_id; stat -c %Y /proc/1"
    began = ssh(cellar, "root", CORTEX, 22, boot).out
    cellar.incus("restart", "--project", "hosts.cottage", "cortex")
    assert soon(cellar, "root", CORTEX, 22, boot).out != began
    cellar.incus("stop", "--force", "--project", "hosts.cottage", "mirage")
    plan = told(cellar.plan())
    assert plan["lab-host:mirage"] == ("update", "live", ("state",))
    assert "lab-host:cortex" not in plan
    cellar.ok("apply", "--yes")
    assert ssh(cellar, "root", MIRAGE, 2022, "hostname").out == "mirage\n"
    cellar.settled()


@pytest.mark.slow
def test_a_host_that_left_the_file_is_an_orphan_until_it_is_pruned(cellar: Estate) -> None:
    cellar.ok("apply", "--yes")
    cellar.write("\n".join(line for line in PAIR.splitlines() if "mirage" not in line))
    assert "lab-host:mirage (holds data: needs --confirm mirage)" in cellar.ok("orphans").said
    assert "--confirm mirage" in cellar.freehold("apply", "--yes", "--prune").said
    plan = told(cellar.plan("--prune"))
    assert deleted("lab-host:mirage", "lab-network:host/198.51.100.0").items() <= plan.items()
    cellar.ok("apply", "--yes", "--prune", "--confirm", "mirage")
    assert ssh(cellar, "root", MIRAGE, 2022, "true").code == 255
    assert ssh(cellar, "root", CORTEX, 22, "true").code == 0


@pytest.mark.slow
def test_a_host_is_made_and_provisioned_in_one_apply(cellar: Estate) -> None:
    (cellar.folder / "files").mkdir()
    (cellar.folder / "files/greeting").write_text("made by Freehold\n")
    inside = 'provision: {files: [{src: files/greeting, dest: /etc/greeting, mode: "0640"}]}'
    cellar.write(PAIR.replace("first: {user: debian}", f"first: {{user: debian}}, {inside}"))
    cellar.ok("apply", "--yes")
    assert ssh(cellar, "debian", CORTEX, 22, "sudo cat /etc/greeting").out == "made by Freehold\n"
    cellar.settled()
