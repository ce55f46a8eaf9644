"""Nobody is locked out of a host: whatever keeps the new way in from working, the old one is there again, with all its settings.

The host is a machine of the lab with a real sshd and UFW, entered by Ansible over real SSH. The tests stand in the order in which
they happen to it; the last one is the run that goes well.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from freehold.operations.lab import Lab
from tests.e2e.estate import Estate
from tests.roles.conftest import Done, play, starting
from tests.roles.test_values import recap
from tests.throwaway import throwaway_lab

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(1800)]

ADDRESS = "10.100.11.10"
INFRA = f"""
    freehold: 1
    name: cottage
    domains:
      home:
        subnet_id: 11
        machines:
          desk: {{ip: {ADDRESS}}}
    """
PACKAGES = "openssh-server ufw fail2ban nftables python3-systemd"
PATIENCE = 240.0  # seconds for what the host does by itself; the machine may be busy

# All that decides who comes in, and what of it is in force.
PICTURE = """
find /etc/ssh /etc/ufw /etc/default/ufw /root/.ssh /etc/systemd/system -type f | sort | xargs stat -c '%n %a %u:%g'
find /etc/ssh /etc/ufw /etc/default/ufw /root/.ssh /etc/systemd/system -type f | sort | xargs sha256sum
ss -Hltn | grep -oE ':(22|2222|2022) ' | sort -u
ufw status
"""
ARMED = "test -e /var/lib/freehold/host_access/armed.json"


@dataclass
class Host:
    """The computer, and the folder that Ansible is run in."""

    estate: Estate
    folder: Path

    def shell(self, script: str) -> str:
        return self.estate.inside("home/desk", "sh", "-ec", script)

    def holds(self, test: str) -> bool:
        return self.shell(f"if {test}; then echo yes; fi") == "yes\n"

    def picture(self) -> str:
        return self.shell(PICTURE)

    def key(self, name: str) -> str:
        """A public key; the private one is beside it."""
        path = self.folder / name
        if not path.exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
        return path.with_name(f"{name}.pub").read_text().strip()

    def variables(self, port: int, asked: dict[str, Any]) -> dict[str, Any]:
        """Of Ansible's host, which is reached at this port."""
        relay = (
            f"{sys.executable} -m freehold.system.relay {self.estate.lab.root}/holder.json %h %p"
        )
        common = f'-o UserKnownHostsFile={self.folder}/known -o ProxyUseFdpass=yes -o ProxyCommand="{relay}"'
        return {
            "ansible_host": ADDRESS,
            "ansible_port": port,
            "ansible_user": "root",
            "ansible_pipelining": True,
            "ansible_python_interpreter": "/usr/bin/python3",
            "ansible_ssh_private_key_file": str(self.folder / "mine"),
            "ansible_ssh_common_args": f"{common} -o StrictHostKeyChecking=accept-new",
            "host_access_port": 2222,
            "host_access_keys": [self.key("mine")],
            **asked,
        }

    def harden(self, port: int, *options: str, **asked: Any) -> Done:
        return play(self.folder, "host_access", {"desk": self.variables(port, asked)}, *options)

    def begin(self, port: int, **asked: Any) -> "subprocess.Popen[str]":
        """The same, not waited for."""
        return starting(self.folder, "host_access", {"desk": self.variables(port, asked)})

    def lets_in(self, port: int, key: str = "mine") -> bool:
        """Whether somebody who comes anew becomes root."""
        relay = (
            f"{sys.executable} -m freehold.system.relay {self.estate.lab.root}/holder.json %h %p"
        )
        options = [
            f"UserKnownHostsFile={self.folder}/known", "StrictHostKeyChecking=accept-new", "BatchMode=yes", "ConnectTimeout=5",
            "ProxyUseFdpass=yes", f"ProxyCommand={relay}", "IdentitiesOnly=yes", f"IdentityFile={self.folder / key}",
        ]  # fmt: skip
        words = [word for option in options for word in ("-o", option)]
        command = ["ssh", "-F", "none", *words, "-p", str(port), f"root@{ADDRESS}", "id", "-u"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout == "0\n"


def wait_until(holds: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < until, f"not within {PATIENCE:.0f} seconds: {what}"
        time.sleep(0.5)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """As it was delivered: sshd at port 22, one key, no firewall."""
    with throwaway_lab(egress=True) as lab:
        yield _delivered(lab, tmp_path_factory.mktemp("estate"))


def _delivered(lab: Lab, folder: Path) -> Host:
    host = Host(Estate(folder, lab), folder)
    host.estate.write(INFRA)
    process = host.estate.start("apply", "--yes")
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, (out, err)
    install = (
        f"apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qqy install {PACKAGES}"
    )
    host.shell(f"({install}) >/dev/null 2>&1")
    host.shell(
        f"install -d -m 700 /root/.ssh && echo '{host.key('mine')}' >/root/.ssh/authorized_keys"
    )
    host.key("another")
    wait_until(lambda: host.lets_in(22), "sshd answers")
    return host


@pytest.fixture
def before(host: Host) -> str:
    """How everything is before the test."""
    assert host.lets_in(22)
    return host.picture()


BLOCKED = "nft add table inet wall; nft 'add chain inet wall in {type filter hook input priority -5;}'; nft add rule inet wall in tcp dport 2222 drop"


def failed(done: Done) -> str:
    """What the run says; it must have failed, and have said that all is as it was."""
    assert recap(done, "desk")["failed"] == 1, done.stdout + done.stderr
    assert "Everything is as it was: port 22 is open" in done.stdout
    return done.stdout


def test_a_port_that_is_closed_on_the_way_to_the_host(host: Host, before: str) -> None:
    host.shell(BLOCKED)
    try:
        assert "timed out" in failed(host.harden(22))
    finally:
        host.shell("nft delete table inet wall")
    assert host.picture() == before
    assert host.lets_in(22)


def test_a_key_that_nobody_here_has(host: Host, before: str) -> None:
    """It is tried before anything is closed."""
    said = failed(host.harden(22, host_access_keys=[host.key("another")]))
    assert "Permission denied" in said
    assert "Close the old way" not in said
    assert host.picture() == before
    assert host.lets_in(22)


def test_the_same_with_the_port_that_is_open_already(host: Host, before: str) -> None:
    """There is no port to try it at beforehand: it is taken back."""
    said = failed(host.harden(22, host_access_keys=[host.key("another")], host_access_port=22))
    assert "Permission denied" in said
    assert host.picture() == before
    assert host.lets_in(22)


def test_a_firewall_that_lets_in_somebody_else(host: Host, before: str) -> None:
    failed(host.harden(22, host_access_from=["198.51.100.0/24"]))
    assert host.picture() == before
    assert host.lets_in(22)


def _killed_with_the_old_way_closed(host: Host, **asked: Any) -> None:
    """The whole of Ansible, at the moment when nobody can come in any more."""
    process = host.begin(22, host_access_from=["198.51.100.0/24"], **asked)
    closed = f"{ARMED} && ufw status | grep -q 198.51.100 && ! ss -Hltn | grep -q ':22 '"
    try:
        wait_until(
            lambda: host.holds(closed) or process.poll() is not None, "the old way is closed"
        )
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    assert host.holds(closed)
    assert not host.lets_in(22)


def test_a_controller_that_dies_in_the_middle(host: Host, before: str) -> None:
    _killed_with_the_old_way_closed(host, host_access_undo_after=60)
    wait_until(lambda: not host.holds(ARMED), "the guard has put everything back")
    wait_until(lambda: host.lets_in(22), "the old way is open")
    assert host.picture() == before


def test_a_host_that_is_switched_off_in_the_middle(host: Host, before: str) -> None:
    """The time is not over for long; what was not proven does not outlive a boot."""
    _killed_with_the_old_way_closed(host, host_access_undo_after=86400)
    host.estate.incus("restart", "--force", "--project", "home", "home-desk")
    wait_until(lambda: host.lets_in(22), "the old way is open")
    wait_until(lambda: not host.holds(ARMED), "the guard has ended")
    assert host.picture() == before


def test_a_run_that_begins_where_another_was_killed(host: Host, before: str) -> None:
    """It keeps what was there before both of them."""
    process = host.begin(22, host_access_undo_after=600)
    wait_until(lambda: host.holds(f"{ARMED} && ss -Hltn | grep -q ':2222 '"), "both ports are open")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    failed(host.harden(22, host_access_keys=[host.key("another")]))
    assert host.picture() == before
    assert host.lets_in(22)


def _entered(names: tuple[str, str], port: int) -> list[str]:
    """What says at the command line by which port, and as root, Ansible is to come in."""
    return [f"--extra-vars={names[0]}={port}", f"--extra-vars={names[1]}=root"]


def test_the_old_way_of_the_command_line_is_gone_back_to(host: Host, before: str) -> None:
    entered = _entered(("ansible_ssh_port", "ansible_ssh_user"), 22)
    said = failed(host.harden(2222, *entered, host_access_keys=[host.key("another")]))
    assert "Permission denied" in said
    assert host.picture() == before
    assert host.lets_in(22)


def test_a_way_that_works_is_kept(host: Host) -> None:
    done = host.harden(22)
    assert recap(done, "desk")["failed"] == 0, done.stdout
    assert (host.lets_in(2222), host.lets_in(22), host.lets_in(2222, "another")) == (
        True,
        False,
        False,
    )
    assert not host.holds(ARMED)
    assert host.holds("test ! -e /etc/systemd/system/freehold-host-access.service")
    again = recap(host.harden(2222), "desk")
    assert (again["changed"], again["failed"]) == (0, 0)


@pytest.mark.parametrize(
    ("names", "here", "there", "asked"),
    [
        (("ansible_port", "ansible_user"), 2222, 2022, 2022),
        (("ansible_ssh_port", "ansible_ssh_user"), 2022, 2222, "{{ ansible_port }}"),
    ],
)
def test_the_old_way_may_be_said_at_the_command_line(
    host: Host, names: tuple[str, str], here: int, there: int, asked: object
) -> None:
    """Such variables win over all that a play sets, and still the new way is tried and gone."""
    done = host.harden(there, *_entered(names, here), host_access_port=asked)
    assert done.returncode == 0, done.stdout
    assert (host.lets_in(there), host.lets_in(here)) == (True, False)
    assert not host.holds(ARMED)
    again = host.harden(there, host_access_port=there)
    assert again.returncode == 0, again.stdout
    assert recap(again, "desk")["changed"] == 0
