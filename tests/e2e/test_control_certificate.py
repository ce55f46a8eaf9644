"""A certificate restricted to the estate's projects in the place of the socket: what it is good for, and what Incus refuses it.

As docs/how-to/control-machine.md says to do it, with the role that makes the key inside.
"""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.estate import Estate
from tests.e2e.rules import becomes_true
from tests.throwaway import throwaway_lab

pytestmark = [pytest.mark.lab, pytest.mark.slow]

REMOTE = """\
freehold: 1
name: cottage
domains:
  admin:
    subnet_id: 0
    trust: admin
    profiles:
      incus: {devices: {incus: {type: proxy, bind: instance, listen: "tcp:127.0.0.1:8443", connect: "tcp:127.0.0.1:8443"}}}
    machines:
      ctl:
        ip: 10.100.0.10
        profiles: [incus]
        provision: {roles: [control], vars: {control_access: certificate}}
  mill:
    subnet_id: 13
    machines: {wheel: {ip: 10.100.13.10, provision: {files: [{src: note, dest: /etc/note}]}}}
"""
INSTALLING = 500.0  # seconds for packages
BACK = 60.0
RESTRICTIONS = [
    "restricted=true",
    "restricted.networks.access=net-mill",
    "restricted.snapshots=allow",
]


class Remote(Estate):
    """An estate, and commands in the machine that has the certificate."""

    def shell(self, script: str) -> str:
        """What a script says there; its exit code stands at the end."""
        whole = f'cd /srv/estate && ({script}) 2>&1; echo "exit code $?"'
        return self.inside("admin/ctl", "sh", "-c", whole)

    def lists(self) -> bool:
        try:
            said = self.shell("incus list --project mill --format csv --columns n")
        except (AssertionError, OSError):  # it is not up yet
            return False
        return "mill-wheel\n" in said and said.endswith("exit code 0\n")


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    with throwaway_lab(egress=True) as lab:
        yield trusted(Remote(tmp_path_factory.mktemp("estate"), lab))


def trusted(remote: Remote) -> Remote:
    """Made with packages; without the lab's own proxy devices afterwards, which a restricted project does not allow."""
    remote.incus("config", "set", "core.https_address", "127.0.0.1:8443")
    (remote.folder / "note").write_text("hello\n")
    remote.write(REMOTE)
    process = remote.start("apply", "--yes")
    out, err = process.communicate(timeout=INSTALLING)
    assert process.returncode == 0, (out, err)
    assert "not authorized" in remote.shell("incus list")

    remote.lab.start(egress=False)
    remote.ok("apply", "--yes")
    remote.incus("project", "set", "mill", *RESTRICTIONS)
    certificate = remote.folder / "ctl.crt"
    pull = ["file", "pull", "--quiet", "--project", "admin"]
    remote.incus(*pull, "admin-ctl/etc/freehold/incus/client.crt", str(certificate))
    trust = ["--name", "ctl", "--restricted", "--projects", "mill"]
    remote.incus("config", "trust", "add-certificate", str(certificate), *trust)
    return remote


def test_the_estates_machines_can_be_worked_on(remote: Remote) -> None:
    assert remote.lists()
    in_mill = "--project mill mill-wheel"
    for command in (
        f"incus exec {in_mill} -- true",
        f"incus snapshot create {in_mill} s1 && incus snapshot delete {in_mill} s1",
        f"incus stop --force {in_mill} && incus start {in_mill}",
        "incus launch --project mill debian/13 mill-extra && incus delete --force --project mill mill-extra",
        "ansible-playbook site.yml --tags provision --limit mill",
    ):
        assert remote.shell(command).endswith("exit code 0\n"), command
    assert remote.inside("mill/wheel", "cat", "/etc/note") == "hello\n"


def test_the_estate_itself_cannot_be_planned_with_it(remote: Remote) -> None:
    """Bridges and the firewall are the host's. It is refused before anything is looked at, let alone changed."""
    for verb in ("plan", "apply --yes", "verify"):
        said = remote.shell(f"freehold {verb}")
        assert "incus-refused" in said
        assert said.endswith("exit code 1\n")


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("incus project create other", "Certificate is restricted"),
        ("incus project unset mill restricted", "Certificate is restricted"),
        ("incus config set user.note=x", "Certificate is restricted"),
        ("incus config trust add other", "not authorized"),
        ("incus list --project admin", "does not have permission"),
        ("incus exec --project admin admin-ctl -- true", "does not have permission"),
        ("incus network create --project mill other", "Network not allowed in project"),
        ("incus network set net-mill ipv4.address=10.100.0.1/24", "does not have permission"),
        ("incus image delete debian/13", "does not have permission"),
        ("incus config device add {} srv disk source=/srv path=/mnt", "not backed by a pool is forbidden"),
        ("incus config device add {} px proxy listen=tcp:127.0.0.1:1 connect=unix:/x bind=instance", "Proxy devices are forbidden"),
        ("incus config device add {} eth1 nic network=net-admin", "Network not allowed in project"),
        ("incus config device add {} kmsg unix-char source=/dev/kmsg", "Unix character devices are forbidden"),
        ("incus config set {} security.privileged=true", "Privileged containers are forbidden"),
        ("incus config set {} raw.lxc=lxc.environment=A=b", "low-level config"),
    ],
)  # fmt: skip
def test_what_is_not_the_estates_machines_is_refused(
    command: str, reason: str, remote: Remote
) -> None:
    said = remote.shell(command.format("--project mill mill-wheel"))
    assert reason in said, said
    assert not said.endswith("exit code 0\n")


def test_without_the_projects_restriction_it_reads_the_hosts_files(
    remote: Remote, tmp_path: Path
) -> None:
    """Why the certificate alone is not enough."""
    (tmp_path / "secret").write_text("of the host alone\n")
    tmp_path.chmod(0o755)
    remote.incus("project", "unset", "mill", "restricted")
    try:
        device = "incus config device {} --project mill mill-wheel outside"
        added = device.format("add") + f" disk source={tmp_path} path=/mnt"
        read = "incus exec --project mill mill-wheel -- cat /mnt/secret"
        said = remote.shell(f"{added} && {read} && {device.format('remove')}")
        assert "of the host alone\n" in said
        assert said.endswith("exit code 0\n")
    finally:
        remote.incus("project", "set", "mill", *RESTRICTIONS)


def test_freehold_on_the_host_goes_on_as_before(remote: Remote) -> None:
    remote.settled()
    remote.edit("machines: {wheel:", "machines: {stone: {ip: 10.100.13.11}, wheel:")
    remote.ok("apply", "--yes")
    remote.settled()
    assert remote.get("/projects/mill")["config"]["restricted"] == "true"
    assert "mill-stone" in remote.shell("incus list --project mill --format csv --columns n")


@pytest.mark.parametrize("what", ["the machine", "incusd", "the host"])
def test_the_way_is_there_again_by_itself(what: str, remote: Remote) -> None:
    if what == "the machine":
        remote.incus("restart", "--force", "--project", "admin", "admin-ctl")
    elif what == "incusd":
        remote.lab.restart_daemon(signal.SIGTERM)
    else:
        remote.lab.stop()
        remote.lab.start()
    assert becomes_true(remote.lists, BACK)
