"""Hosts of an estate from apply to apply, by real SSH and real Ansible, on computers that the lab plays."""

import time
from collections.abc import Iterator

import pytest

from freehold.operations.lab.debian import HOST
from freehold.operations.lab.images import ensure_image
from tests.e2e.estate import Estate, told
from tests.e2e.execution import execute

pytestmark = [pytest.mark.lab, pytest.mark.slow]

PAIR = """
    freehold: 1
    name: cottage
    hosts:
      cortex:
        address: 203.0.113.20
        ssh: {user: orion, port: 2222}
        provision: {files: [{src: files/greeting, dest: /etc/greeting}]}
      mirage:
        address: 198.51.100.7
        provision: {roles: [naming], vars: {colour: blue}}
    """
ROLE = """
- name: Say who and which colour
  ansible.builtin.copy: {content: "{{ freehold_host }} {{ colour }}", dest: /etc/naming, mode: "0644"}
"""


@pytest.fixture
def cellar(estate: Estate) -> Iterator[Estate]:
    """Two hosts, provisioned. Destroyed afterwards, whatever a test did."""
    ensure_image(estate.lab, HOST, lambda text: None)
    (estate.folder / "files").mkdir()
    (estate.folder / "files" / "greeting").write_text("welcome\n")
    tasks = estate.folder / "roles" / "naming" / "tasks"
    tasks.mkdir(parents=True)
    (tasks / "main.yml").write_text(ROLE)
    estate.write(PAIR)
    estate.ok("apply", "--yes")
    yield estate
    done = estate.freehold("destroy", "--yes", "--confirm", "cottage")
    assert done.code == 0, done


def inside(cellar: Estate, host: str, *command: str) -> str:
    """What a command says in the container that plays the host; it must exit 0."""
    code, output, errors = execute(cellar.lab.socket, "hosts.cottage", host, *command)
    assert code == 0, (command, output, errors)
    return output


def provisioned(cellar: Estate, *words: str) -> list[str]:
    """The hosts that an apply would provision."""
    return [key for key in told(cellar.plan(*words)) if key.startswith("provision:")]


def test_each_host_is_provisioned_when_something_of_its_own_changes(cellar: Estate) -> None:
    assert inside(cellar, "cortex", "cat", "/etc/greeting") == "welcome\n"
    assert inside(cellar, "mirage", "cat", "/etc/naming") == "mirage blue"
    assert "Nothing to do" in cellar.ok("apply", "--yes").out

    cellar.edit("colour: blue", "colour: green")
    assert provisioned(cellar) == ["provision:mirage"]
    assert provisioned(cellar, "--limit", "cortex") == []
    cellar.ok("apply", "--yes", "--limit", "mirage")
    assert inside(cellar, "mirage", "cat", "/etc/naming") == "mirage green"
    cellar.ok("verify")


def test_a_host_that_was_installed_anew_is_provisioned_again(cellar: Estate) -> None:
    inside(cellar, "mirage", "rm", "-r", "/var/lib/freehold", "/etc/naming")

    assert provisioned(cellar) == ["provision:mirage"]
    cellar.ok("apply", "--yes")
    assert inside(cellar, "mirage", "cat", "/etc/naming") == "mirage blue"


def test_a_host_that_lets_nobody_in_is_told_and_the_rest_is_done(cellar: Estate) -> None:
    inside(cellar, "mirage", "systemctl", "stop", "ssh.service", "ssh.socket")
    (cellar.folder / "files" / "greeting").write_text("hello\n")
    cellar.edit("colour: blue", "colour: green")

    done = cellar.freehold("apply", "--yes")
    assert done.code == 4, done
    assert "host-unreachable" in done.err
    assert inside(cellar, "cortex", "cat", "/etc/greeting") == "hello\n"
    assert cellar.plan()["not_measured"] == ["host mirage"]
    assert cellar.freehold("verify").code == 2
    assert "mirage not reachable" in cellar.ok("status").said
    assert cellar.freehold("plan", "--limit", "cortex", "--detailed-exitcode").code == 0

    inside(cellar, "mirage", "systemctl", "start", "ssh.service")
    until = time.monotonic() + 60
    while (done := cellar.freehold("apply", "--yes")).code != 0:
        assert time.monotonic() < until, done
    assert inside(cellar, "mirage", "cat", "/etc/naming") == "mirage green"


def test_somebody_who_changed_a_host_by_hand_is_seen_by_a_deep_look(cellar: Estate) -> None:
    inside(cellar, "cortex", "sh", "-c", "echo mine >/etc/greeting")

    assert provisioned(cellar) == []
    done = cellar.freehold("verify", "--deep")
    assert done.code == 2
    assert "cortex: 1 of" in done.said
    assert "mirage: as it should be" in done.said
    cellar.ok("apply", "--yes", "--refresh", "--limit", "cortex")
    assert inside(cellar, "cortex", "cat", "/etc/greeting") == "welcome\n"


def test_the_doctor_enters_the_hosts(cellar: Estate) -> None:
    checks = {c["name"]: c for c in cellar.freehold("doctor", "--json").document["checks"]}

    assert checks["host cortex"]["result"] == checks["host mirage"]["result"] == "ok", checks
    assert "Debian" in checks["host cortex"]["detail"]
    assert checks["ssh"]["result"] == "ok"
