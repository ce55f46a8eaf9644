"""The control machine: Incus answers inside it again by itself, whatever was restarted; and the estate is steered from it."""

import os
import signal
import textwrap
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from freehold.operations.lab import Lab
from freehold.system.processes import find_program
from freehold.system.unix_http import listener_pid
from tests.e2e.estate import Estate, pid_of
from tests.e2e.rules import becomes_true, rules
from tests.throwaway import SAME_IMAGE, name_it_twice, throwaway_lab

pytestmark = pytest.mark.lab

CONTROLLED = """\
freehold: 1
name: cottage
domains:
  admin:
    subnet_id: 0
    trust: admin
    machines:
      ctl: {ip: 10.100.0.10, control: true}
"""
STEERED = CONTROLLED.replace("control: true}", "control: true, provision: {roles: [control]}}")
SECOND = """\
  lodge: {subnet_id: 12, machines: {till: {ip: 10.100.12.10}}}
policies:
  - {from: lodge, to: admin/ctl, ports: [8080]}
"""
BEFORE = "/run/before"  # gone after a boot
BACK = 60.0  # seconds for a machine to boot on a busy computer; it takes one
INSTALLING = 500.0  # seconds for packages


class Control(Estate):
    """An estate, and commands in its control machine."""

    def within(self, *command: str) -> str:
        """What a command in the control machine prints."""
        return self.inside("admin/ctl", *command)

    def freehold_inside(self, *words: str) -> str:
        """Its output; its exit code stands at the end."""
        script = 'cd /srv/estate && freehold "$@" 2>&1; echo "exit code $?"'
        return self.within("sh", "-c", script, "sh", *words)

    def lists(self) -> bool:
        """Whether `incus list` inside shows the machine itself."""
        script = "incus list --project admin --format csv --columns n 2>/dev/null || true"
        return self.answers(script) == "admin-ctl\n"

    def answers(self, script: str) -> str | None:
        """What a script in the control machine prints; None while the machine is not up."""
        try:
            return self.within("sh", "-c", script)
        except (AssertionError, OSError):
            return None

    def agent(self) -> int | None:
        """The process that answers for the host."""
        [socket] = (self.lab.root / "firewall").glob("*.s")
        return listener_pid(socket)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with throwaway_lab() as lab:
        yield lab


@pytest.fixture(scope="module")
def control(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Control:
    """With Incus's own client where it looks for the socket without being told: as the role `control` leaves it."""
    estate = Control(tmp_path_factory.mktemp("estate"), lab)
    estate.write(CONTROLLED)
    estate.ok("apply", "--yes")
    program = find_program("incus")
    assert program is not None
    push = ["file", "push", "--quiet", "--project", "admin"]
    estate.incus(*push, str(program), "admin-ctl/usr/local/bin/incus")
    estate.within("mkdir", "/var/lib/incus")
    estate.within("ln", "-s", "/dev/incus.socket", "/var/lib/incus/unix.socket")
    assert estate.lists()
    return estate


def power_cut(lab: Lab) -> None:
    os.kill(pid_of(lab), signal.SIGKILL)
    assert becomes_true(lambda: not lab.running, 20)
    lab.start()


def off_and_on(lab: Lab) -> None:
    lab.stop()
    lab.start()


RESTARTS: dict[str, Callable[[Control], object]] = {
    "the machine": lambda c: c.incus("restart", "--project", "admin", "admin-ctl"),
    "the machine, by force": lambda c: c.incus("restart", "--force", "--project", "admin", "admin-ctl"),
    "the machine, from inside": lambda c: c.within("sh", "-c", "systemctl reboot --no-block"),
    "incusd": lambda c: c.lab.restart_daemon(signal.SIGTERM),
    "incusd, killed": lambda c: c.lab.restart_daemon(),
    "the host": lambda c: off_and_on(c.lab),
    "the host, by a power cut": lambda c: power_cut(c.lab),
}  # fmt: skip


@pytest.mark.parametrize(
    "what",
    [
        pytest.param(what, marks=() if what in ("the machine", "incusd") else pytest.mark.slow)
        for what in RESTARTS
    ],
)
def test_incus_answers_inside_again_by_itself(what: str, control: Control) -> None:
    control.within("touch", BEFORE)
    RESTARTS[what](control)
    if "incusd" not in what:
        assert becomes_true(
            lambda: control.answers(f"test -e {BEFORE} || echo new") == "new\n", BACK
        )
    assert becomes_true(control.lists, BACK)
    assert becomes_true(lambda: control.agent() is not None, BACK)
    control.settled()


def test_the_socket_is_back_when_the_machine_was_made_from_its_image_again(
    control: Control,
) -> None:
    name_it_twice(control.lab)
    control.edit("control: true", f"control: true, image: {SAME_IMAGE}")
    control.ok("apply", "--yes", "--confirm", "admin/ctl")
    assert control.within("stat", "-c", "%F %U %a", "/dev/incus.socket") == "socket root 600\n"
    asked = (
        "import http.client, socket\n"
        "connection = http.client.HTTPConnection('incus')\n"
        "connection.sock = socket.socket(socket.AF_UNIX)\n"
        "connection.sock.connect('/dev/incus.socket')\n"
        "connection.request('GET', '/1.0/instances?project=admin')\n"
        "print(connection.getresponse().read().decode())\n"
    )
    assert "/1.0/instances/admin-ctl" in control.within("python3", "-c", asked)


@pytest.mark.slow
@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(["/run/incus/unix.socket", "/run/incus"], id="a folder in /run"),
        pytest.param(["environment.INCUS_SOCKET=/dev/incus.socket"], id="the variable"),
    ],
)
def test_why_it_is_done_this_way(spoil: Sequence[str], lab: Lab, tmp_path: Path) -> None:
    """What other ways come to: the machine works, and does not start again."""
    estate = Control(tmp_path, lab)
    estate.write("freehold: 1\nname: barn\ndomains: {barn: {subnet_id: 9, machines: {hay: {}}}}\n")
    estate.ok("apply", "--yes")
    in_barn = ["--project", "barn", "barn-hay"]
    try:
        if "=" in spoil[0]:
            estate.incus("config", "set", *in_barn, spoil[0])
        else:
            listen, folder = spoil
            estate.inside("barn/hay", "mkdir", folder)
            device = [f"listen=unix:{listen}", f"connect=unix:{lab.socket}", "bind=instance"]
            estate.incus("config", "device", "add", *in_barn, "socket", "proxy", *device)
        with pytest.raises(AssertionError):
            estate.incus("restart", "--force", *in_barn)
        assert estate.get("/instances/barn-hay?project=barn")["status"] == "Stopped"
    finally:
        estate.ok("destroy", "--yes", "--confirm", "barn")


def test_it_is_taken_away_as_it_came(control: Control) -> None:
    control.edit("control: true", "control: false")
    control.ok("apply", "--yes")
    assert not list((control.lab.root / "firewall").glob("*.s"))
    assert not list((control.lab.root / "firewall").glob("*.agent"))
    assert not control.lists()
    control.settled()


@pytest.mark.slow
def test_the_estate_is_steered_from_within(tmp_path: Path) -> None:
    """With packages: Freehold, Ansible and the client inside, and every promise about the firewall kept from there."""
    with throwaway_lab(egress=True) as lab:
        _steered(Control(tmp_path, lab))


def _steered(control: Control) -> None:
    control.write(textwrap.dedent(STEERED))
    process = control.start("apply", "--yes")
    out, err = process.communicate(timeout=INSTALLING)
    assert process.returncode == 0, (out, err)
    control.settled()
    assert "everything is as infra.yml says" in control.freehold_inside("verify")
    assert "0 to create, 0 to change" in control.freehold_inside("plan")
    assert control.lists()

    _goes_back_by_itself(control)

    before = rules(control.lab)
    control.within("sh", "-c", f"cat >> /srv/estate/infra.yml <<'END'\n{SECOND}END")
    assert "exit code 0" in control.freehold_inside("apply", "--yes")
    assert "net-lodge" in rules(control.lab)
    assert rules(control.lab) != before
    assert control.within("nft", "list", "tables") == "", "its own packet filter is not the host's"
    assert "everything is as infra.yml says" in control.freehold_inside("verify")

    own = control.freehold_inside("destroy", "--yes", "--confirm", "cottage")
    assert "own-machine" in own
    assert "exit code 1" in own

    agent = control.agent()
    assert agent is not None
    os.kill(agent, signal.SIGKILL)
    blind = control.freehold_inside("verify")
    assert "Not measured: docker-user, firewall, host-agent, router." in blind
    assert "exit code 2" in blind
    control.within("sed", "-i", "s/till: {/till: {memory: 512MiB, /", "/srv/estate/infra.yml")
    refused = control.freehold_inside("apply", "--yes")
    assert "unguarded" in refused
    assert "exit code 1" in refused

    control.ok("apply", "--yes", "--only", "host-agent")
    assert "exit code 0" in control.freehold_inside("apply", "--yes")
    assert "everything is as infra.yml says" in control.freehold_inside("verify")


def _goes_back_by_itself(control: Control) -> None:
    """`self` is this machine: its snapshot, and going back to it, which ends whatever runs in it."""
    control.within("touch", "/root/before")
    assert "exit code 0" in control.freehold_inside("snapshot", "create", "self", "--name", "mine")
    control.within("touch", "/root/since")
    asked = control.freehold_inside("snapshot", "restore", "self")
    assert "warning[own-session]" in asked
    assert "error[not-agreed]" in asked
    restore = "cd /srv/estate && freehold snapshot restore self --name mine --yes"
    with pytest.raises(AssertionError):  # switched off in the middle
        control.within("sh", "-c", restore)
    assert becomes_true(control.lists, BACK)
    assert control.within("ls", "/root").split() == ["before"]
    told = control.freehold_inside("snapshot", "list", "self")
    assert "admin/ctl  before-restore-" in told
    assert "0 to create, 0 to change" in control.freehold_inside("plan"), told
