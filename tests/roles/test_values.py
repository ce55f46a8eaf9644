"""What the roles say to values, without a machine: nothing asked means nothing done, and a mistake is named."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.roles.conftest import Done, play

# Whoever speaks to this machine fails: there is none.
NOWHERE = {
    "ansible_connection": "freehold.estate.incus",
    "ansible_incus_socket": "/nonexistent/unix.socket",
}

# By a name: the variables, and what the error must hold.
MISTAKES: dict[str, dict[str, tuple[dict[str, Any], str]]] = {
    "base_system": {
        "locale": ({"base_system_locale": "French"}, "fr_FR.UTF-8"),
        "zone": ({"base_system_timezone": "../../etc/passwd"}, "Europe/Paris"),
        "size": ({"base_system_journal_max_use": "200 MB"}, "200M"),
        "capital": ({"base_system_users": [{"name": "Ada"}]}, "lower-case"),
        "nameless": ({"base_system_users": [{"groups": ["adm"]}]}, "required arguments: name"),
        "unknown": ({"base_system_users": [{"name": "ada", "key": "…"}]}, "base_system_users.key"),
        "perhaps": ({"base_system_unattended_upgrades": "perhaps"}, "perhaps"),
    },
    "provision": {
        "file": ({"provision_files": [{"src": "files/motd"}]}, "required arguments: dest"),
        "script": ({"provision_script": [{"creates": "/srv/x"}]}, "required arguments: src"),
        "git": ({"provision_git": [{"dest": "/opt/app"}]}, "required arguments: repo"),
    },
}


def recap(done: Done, host: str) -> dict[str, int]:
    """The numbers of a host in the last lines."""
    line = re.search(rf"^{host} +: (.*)$", done.stdout, re.MULTILINE)
    assert line is not None, done.stdout + done.stderr
    return {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", line[1])}


@pytest.mark.parametrize("role", MISTAKES)
def test_what_is_asked_decides_what_is_done(role: str, tmp_path: Path) -> None:
    """One play for all: the host that asks for nothing is not spoken to, the others fail before they are."""
    cases = MISTAKES[role]
    hosts = {name: {**NOWHERE, **variables} for name, (variables, _) in cases.items()}
    done = play(tmp_path, role, {"nothing": NOWHERE, **hosts})
    nothing = recap(done, "nothing")
    assert (nothing["changed"], nothing["failed"], nothing["unreachable"]) == (0, 0, 0)
    for name, (_, told) in cases.items():
        counted = recap(done, name)
        assert (counted["changed"], counted["failed"], counted["unreachable"]) == (0, 1, 0), name
        error = re.search(rf"^fatal: \[{name}\]: .*$", done.stdout, re.MULTILINE)
        assert error is not None
        assert told in error[0]
