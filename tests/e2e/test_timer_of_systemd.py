"""The timer of scheduled snapshots as units, on a computer that systemd really starts: a container plays the host."""

import json
import shlex
from typing import Any

import pytest

from tests.e2e.test_unit_of_systemd import Computer, computer

__all__ = ["computer"]

pytestmark = [pytest.mark.lab, pytest.mark.slow]

SERVICE, TIMER = "freehold-snapshots@cottage.service", "freehold-snapshots@cottage.timer"
STATE, STAMP = "/var/lib/freehold/timer", f"/var/lib/systemd/timers/stamp-{TIMER}"
FOLDER = "/srv/the estate of $HOME, 100%h \"so\" 'what'"
ASK = """\
import asyncio, json, sys
from pathlib import Path
from freehold.system.timers.place import timers_of_this_computer
timers = timers_of_this_computer(Path("/var/lib/incus/unix.socket"))
async def work():
    if sys.argv[1] == "keep":
        await timers.keep(timers.job("cottage", Path(sys.argv[2])))
    elif sys.argv[1] == "forget":
        await timers.forget("cottage")
    state = await timers.read("cottage")
    last = state and state.last
    print(json.dumps(state and [state.job.folder, state.runs, last and last.code]))
asyncio.run(work())
"""
PROGRAM = """\
#!/bin/sh
printf "%s\\n" "$INCUS_SOCKET" "$@" > /root/called
echo "said by the program"
. /root/ending
"""


def timer(computer: Computer, word: str, folder: str = FOLDER) -> Any:
    """What is known of the timer after that was done: keep, forget, or nothing but look."""
    words = f"PYTHONPATH=/root/src python3 -c '{ASK}' {word} {shlex.quote(folder)}"
    return json.loads(computer.sh(words))


@pytest.fixture
def installed(computer: Computer) -> Computer:
    """With a `freehold` that notes how it was called and ends as a test says."""
    computer.sh("cat > /usr/bin/freehold && chmod +x /usr/bin/freehold", given=PROGRAM)
    computer.sh("echo exit 0 > /root/ending")
    computer.sh(f"mkdir -p {shlex.quote(FOLDER)}")
    return computer


def test_the_command_is_run_in_the_estates_folder_and_how_it_ended_is_known(
    installed: Computer,
) -> None:
    assert timer(installed, "look") is None
    assert timer(installed, "keep") == [FOLDER, True, None]
    assert installed.sh(f"systemd-analyze verify {SERVICE} {TIMER} 2>&1") == ""

    for ending, code in (("exit 0", 0), ("exit 3", 3), ("kill -9 $$", -9)):
        installed.sh("cat > /root/ending", given=ending)
        installed.sh(f"systemctl start {SERVICE} 2>&1 || true")
        assert timer(installed, "look") == [FOLDER, True, code]
    called = installed.sh("cat /root/called").splitlines()
    assert called == ["/var/lib/incus/unix.socket", "-C", FOLDER, "snapshot", "due"]
    assert "said by the program" in installed.sh(f"journalctl --no-pager --unit {SERVICE}")


def test_an_hour_that_the_computer_was_off_is_made_up_for(installed: Computer) -> None:
    timer(installed, "keep")
    left = installed.sh(f"systemctl show --value --property NextElapseUSecRealtime {TIMER}")
    assert left.strip(), "it goes off by itself"
    installed.sh(f"touch -d '2 hours ago' {STAMP}")
    installed.reboot()
    assert timer(installed, "look")[1] is True
    waiting = f"for n in $(seq 700); do [ -e {STATE}/cottage.ran ] && break; sleep 0.1; done"
    installed.sh(waiting)  # up to a minute, so that not all computers of a network begin at once
    assert timer(installed, "look") == [FOLDER, True, 0]


def test_one_that_is_not_as_it_was_made_is_told(installed: Computer) -> None:
    for spoiled in (
        f"systemctl disable --quiet {TIMER}",
        f"systemctl stop {TIMER}",
        f"echo '# mine' >> /etc/systemd/system/{SERVICE}",
        f"rm /etc/systemd/system/{TIMER}",
    ):
        assert timer(installed, "keep") == [FOLDER, True, None]
        installed.sh(f"{spoiled} 2>&1")
        assert timer(installed, "look") == [FOLDER, False, None], spoiled
    assert timer(installed, "keep", "/srv") == ["/srv", True, None]
    installed.sh(f"systemctl start {SERVICE}")
    assert installed.sh("sed -n 3p /root/called") == "/srv\n"


def test_it_is_taken_away_with_all_that_belongs_to_it(installed: Computer) -> None:
    timer(installed, "keep")
    installed.sh("echo exit 1 > /root/ending")
    installed.sh(f"systemctl start {SERVICE} 2>&1 || true")
    assert timer(installed, "forget") is None
    assert timer(installed, "forget") is None, "once more is no error"
    left = f"find /etc/systemd /var/lib -name '*freehold-snapshots*'; ls -d {STATE} 2>/dev/null || true"
    assert installed.sh(left) == ""
    assert installed.sh("systemctl list-units --all --no-legend 'freehold-*'") == ""
