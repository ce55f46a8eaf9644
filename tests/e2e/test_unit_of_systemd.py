"""What Freehold writes for systemd, on a computer that systemd really starts: a container plays the host.

Not measured here: a whole Incus on a computer that systemd starts. A service with its name stands for it, and notes at its
start which tables are loaded.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import freehold
from freehold.operations.lab import Lab
from freehold.providers.firewall.ruleset import commands
from tests.e2e.rules import in_lab

pytestmark = [pytest.mark.lab, pytest.mark.slow]

TABLE, OTHER = "freehold-cottage", "freehold-mill"
FIELDS = {
    "zones": {
        "home": {
            "bridge": "net-home", "subnet": "10.100.11.0/24", "gateway": "10.100.11.1",
            "admin": False, "internet": True,
        }
    },
    "open": {"home to host": "tcp 22 (net-home to host)"},
}  # fmt: skip
INCUS = """\
[Unit]
Description=stands for Incus
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'nft list tables > /root/at-start'
[Install]
WantedBy=multi-user.target
"""
KEEP = """\
import json, sys
from freehold.system.nftables.boot import BootRules
given = json.load(sys.stdin)
boot = BootRules.of_this_computer()
boot.write(sys.argv[1], given)
assert boot.read(sys.argv[1]) == given
"""
SOURCE = Path(freehold.__file__).parent
UNIT = "/etc/systemd/system/freehold-firewall@.service"


class Computer:
    """A container with systemd, Freehold's code and `incus.service`."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._incus("launch", "--quiet", "debian/13", "computer")
        self.wait()
        self._incus(
            "file",
            "push",
            "--quiet",
            "--recursive",
            "--create-dirs",
            str(SOURCE),
            "computer/root/src",
        )
        self.sh("cat > /etc/systemd/system/incus.service", given=INCUS)
        self.sh("systemctl enable --quiet incus.service")

    def _incus(self, *words: str, given: str | None = None) -> str:
        done = in_lab(
            self._lab, "env", f"INCUS_DIR={self._lab.root}/incus", "incus", *words, given=given
        )
        assert done.returncode == 0, (words, done)
        return done.stdout

    def sh(self, script: str, given: str | None = None) -> str:
        return self._incus("exec", "computer", "-T", "--", "sh", "-c", script, given=given)

    def keep(self, table: str, rules: object) -> None:
        """What an apply does at its end, and with None what destroy does."""
        words = f"PYTHONPATH=/root/src python3 -c '{KEEP}' {table}"
        self.sh(words, given=json.dumps(rules))

    def wait(self) -> None:
        self.sh(
            "until systemctl is-system-running | grep -E 'running|degraded'; do sleep 0.1; done"
        )

    def reboot(self) -> None:
        self._incus("restart", "--force", "computer")
        time.sleep(0.5)
        self.wait()

    def end(self) -> None:
        self._incus("delete", "--force", "computer")


@pytest.fixture
def computer(e2e_lab: Lab) -> Iterator[Computer]:
    made = Computer(e2e_lab)
    yield made
    made.end()


def test_incus_starts_after_the_rules_and_only_with_them(computer: Computer) -> None:
    computer.keep(TABLE, commands(TABLE, FIELDS))
    computer.keep(OTHER, commands(OTHER, FIELDS))
    said = computer.sh(f"systemd-analyze verify freehold-firewall@{TABLE}.service 2>&1")
    assert said == ""
    computer.reboot()
    tables = sorted(computer.sh("cat /root/at-start").splitlines())
    assert tables == [f"table inet {TABLE}", f"table inet {OTHER}"]
    assert computer.sh("systemctl is-active incus.service") == "active\n"
    assert "tcp . 22" in computer.sh(f"nft list set inet {TABLE} domain_to_host")

    computer.sh(f"rm /root/at-start; echo nonsense > /var/lib/freehold/firewall/{TABLE}.json")
    computer.reboot()
    assert computer.sh("cat /root/at-start 2>/dev/null || true") == "", "it was not started"
    assert computer.sh("systemctl is-active incus.service || true") == "inactive\n"
    failed = computer.sh("systemctl --failed --no-legend --plain")
    assert failed.split()[0] == f"freehold-firewall@{TABLE}.service"

    computer.keep(TABLE, commands(TABLE, FIELDS))
    computer.reboot()
    assert computer.sh("systemctl is-active incus.service") == "active\n"


def test_a_unit_that_was_switched_off_or_edited_counts_as_none(computer: Computer) -> None:
    look = "from freehold.system.nftables.boot import BootRules as B; print(B.of_this_computer().read('freehold-cottage'))"
    asked = f'PYTHONPATH=/root/src python3 -c "{look}"'
    for spoiled in (
        f"systemctl disable freehold-firewall@{TABLE}",
        f"echo '# mine' >> {UNIT}",
        f"rm {UNIT}",
    ):
        computer.keep(TABLE, commands(TABLE, FIELDS))
        assert computer.sh(asked) != "None\n"
        computer.sh(f"{spoiled} 2>&1")
        assert computer.sh(asked) == "None\n", spoiled
    computer.keep(TABLE, commands(TABLE, FIELDS))
    computer.reboot()
    assert TABLE in computer.sh("cat /root/at-start")


def test_the_last_table_takes_the_unit_along(computer: Computer) -> None:
    computer.keep(TABLE, commands(TABLE, FIELDS))
    computer.keep(OTHER, commands(OTHER, FIELDS))
    computer.keep(OTHER, None)
    computer.reboot()
    assert computer.sh("cat /root/at-start") == f"table inet {TABLE}\n"
    computer.keep(TABLE, None)
    assert computer.sh("find /etc/systemd /var/lib -name '*freehold*'") == ""
    assert computer.sh("find /etc/systemd -name 'incus.service.requires'") == ""
    computer.reboot()
    assert computer.sh("cat /root/at-start") == ""
    assert computer.sh("systemctl is-active incus.service") == "active\n"
