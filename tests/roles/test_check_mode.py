"""What `verify --deep` says of the roles: on a fresh machine, on a finished one, and of each thing undone by hand.

Check mode may neither change anything, nor call what is missing fine, nor fail over what the run itself would bring.
"""

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.estate import Done, Estate
from tests.roles.test_molecule import ROLES
from tests.throwaway import throwaway_lab

pytestmark = [pytest.mark.lab, pytest.mark.slow]

MACHINE = """
    freehold: 1
    name: cottage
    domains:
      home:
        subnet_id: 11
        machines:
          desk: {}
    """

INSIDE = """\
desk:
            provision:
              apt: [tree]
              pip: [iniconfig]
              git: [{repo: /srv/app.git, dest: /opt/app}]
              files: [{src: files/note, dest: /etc/made/note}]
              templates: [{src: files/note, dest: /etc/made/other}]
              script: [{src: files/once, creates: /var/lib/once}, {src: files/again}]
              roles: [base_system]
              vars:
                base_system_locale: fr_FR.UTF-8
                base_system_timezone: Europe/Paris
                base_system_users: [{name: ada, groups: [adm], sudo: true, authorized_keys: [ssh-ed25519 AAAA ada]}]
                base_system_unattended_upgrades: true
                base_system_journal_max_use: 24M
"""

# Every task that has something to do on a fresh machine.
BASE = "base_system: "
EVERYTHING = {
    "provision: Install the missing packages",
    f"{BASE}See whether the locale is there",
    f"{BASE}Choose the locale to be generated",
    f"{BASE}Make it the language of the system",
    f"{BASE}Set the clock's time zone",
    f"{BASE}Name the time zone for programs that read /etc/timezone",
    f"{BASE}Make the account",
    f"{BASE}Make the folder of the keys",
    f"{BASE}Say which keys may log in",
    f"{BASE}Let it use sudo",
    f"{BASE}Say whether security updates install themselves",
    f"{BASE}Let them be looked for each day",
    f"{BASE}Limit the room of the journal",
    f"{BASE}Restart the journal",
    "provision: Install the Python packages",
    "provision: Check out the repositories",
    "provision: Make the folders of files",
    "provision: Copy the files",
    "provision: Fill in the templates",
    "provision: Run the script unless what it creates is there",
    "provision: Compare the script with what was run last",
}

# What somebody does inside, and which tasks would undo it.
DAMAGES = {
    "apt-get -qqy remove tree": {"provision: Install the missing packages"},
    "localedef --delete-from-archive fr_FR.utf8": {f"{BASE}See whether the locale is there"},
    "ln -sf /usr/share/zoneinfo/UTC /etc/localtime": {f"{BASE}Set the clock's time zone"},
    "gpasswd --delete ada adm": {f"{BASE}Make the account"},
    "echo >>/home/ada/.ssh/authorized_keys": {f"{BASE}Say which keys may log in"},
    "systemctl disable --now apt-daily.timer": {f"{BASE}Let them be looked for each day"},
    "/opt/provision/venv/bin/pip uninstall -qy iniconfig": {
        "provision: Install the Python packages"
    },
    "git -C /opt/app reset --quiet --hard HEAD~1": {"provision: Check out the repositories"},
    "chmod 600 /etc/made/note": {"provision: Copy the files"},
    "echo more >>/etc/made/other": {"provision: Fill in the templates"},
    "rm /var/lib/once": {"provision: Run the script unless what it creates is there"},
    "rm -r /var/lib/freehold": {"provision: Compare the script with what was run last"},
}

_PICTURE = "find / -xdev -newer /var/tmp/before ! -path '/var/log/*' ! -path '/var/lib/systemd/*' ! -path '/root/.ansible*' -type f"


class Desk(Estate):
    """An estate with one machine, and something to go inside."""

    def shell(self, script: str) -> str:
        return self.inside("home/desk", "sh", "-ec", script)

    def looked(self) -> Any:
        """What `verify --deep` says of the inside."""
        process = self.start("verify", "--deep", "--json")
        out, err = process.communicate(timeout=300)
        assert process.returncode in (0, 2), (out, err)
        [inside] = Done(process.returncode, out, err).document["inside"]
        assert inside["diagnostics"] == []
        return inside

    def apply(self, *words: str) -> None:
        process = self.start("apply", "--yes", *words)
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, (out, err)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The machine as it is when it was just made, beside it what is to go inside, and a repository in it."""
    with throwaway_lab(egress=True) as lab:
        desk = Desk(tmp_path_factory.mktemp("estate"), lab)
        desk.write(MACHINE)
        desk.apply()
        _fill(desk)
        yield desk


def _fill(desk: Desk) -> None:
    files = desk.folder / "files"
    files.mkdir()
    (files / "note").write_text("a note\n")
    (files / "once").write_text("#!/bin/sh\necho once >>/var/lib/once\n")
    (files / "again").write_text("#!/bin/sh\necho again >>/var/lib/again\n")
    made = desk.folder / "made"
    make = ROLES / "provision" / "molecule" / "default" / "files" / "repository.sh"
    made.mkdir()
    subprocess.run([make, made, "one", "two"], check=True)
    place = "home-desk/srv/app.tar"
    desk.incus("file", "push", "--project", "home", str(made / "app.tar"), place)
    desk.shell("tar -xf /srv/app.tar -C /srv --no-same-owner")
    desk.edit("desk: {}\n", INSIDE)
    desk.ok("sync")


def test_a_fresh_machine_lacks_everything_and_is_left_as_it_is(desk: Desk) -> None:
    desk.shell("touch /var/tmp/before")
    inside = desk.looked()
    assert set(inside["different"]) == EVERYTHING
    changed = desk.shell(_PICTURE).split()
    assert [
        path for path in changed if not path.startswith(("/var/lib/apt/", "/var/cache/apt/"))
    ] == []


def test_a_finished_machine_lacks_nothing(desk: Desk) -> None:
    desk.apply()
    assert desk.shell("cat /var/lib/once /var/lib/again").split() == ["once", "again"]
    inside = desk.looked()
    assert (inside["clean"], inside["different"]) == (True, [])


def test_each_thing_undone_by_hand_is_named_and_nothing_else(desk: Desk) -> None:
    for damage in DAMAGES:
        desk.shell(damage)
    inside = desk.looked()
    assert set(inside["different"]) == set().union(*DAMAGES.values())
    desk.apply("--refresh")
    assert desk.looked()["clean"]
    assert desk.shell("cat /var/lib/once /var/lib/again").split() == ["once", "again", "again"]


def test_what_a_checkout_was_given_by_hand_is_not_lost(desk: Desk) -> None:
    desk.shell("echo mine >/opt/app/version")
    process = desk.start("verify", "--deep", "--json")
    out, err = process.communicate(timeout=300)
    [inside] = Done(process.returncode, out, err).document["inside"]
    assert "Local modifications exist" in str(inside["diagnostics"])
    assert desk.shell("cat /opt/app/version") == "mine\n"
