"""What not everybody may read in the machine is not to be read in the output either, however much is asked for."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.roles.conftest import Done, play

# The play's host is this computer, and it places files in the test's folder only.
HERE = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
KINDS, MODES = ("files", "templates"), ("0600", "0640", "0644")


def _entries(folder: Path, kind: str, text: str) -> Iterator[dict[str, str]]:
    """The entries of one list, a file for each mode; a second line, which changes, is in each."""
    for mode in MODES:
        line = f"secret-of-{kind}-{mode}"
        shown = f"{{{{ '{line}' }}}}" if kind == "templates" else line
        (folder / f"{kind}-{mode}").write_text(f"{shown}\n{text}\n")
        target = str(folder / "made" / f"{kind}-{mode}")
        ids = {"owner": str(os.getuid()), "group": str(os.getgid())}
        yield {"src": f"{kind}-{mode}", "dest": target, "mode": mode, **ids}


def _placed(folder: Path, text: str, **variables: object) -> Done:
    asked = {f"provision_{kind}": list(_entries(folder, kind, text)) for kind in KINDS}
    done = play(folder, "provision", {"here": {**HERE, **asked, **variables}}, "--diff", "-vvv")
    assert done.returncode == 0, done.stdout
    for kind in KINDS:
        for mode in MODES:
            made = folder / "made" / f"{kind}-{mode}"
            assert made.read_text() == f"secret-of-{kind}-{mode}\n{text}\n"
            assert made.stat().st_mode & 0o777 == int(mode, 8)
    return done


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where everything has been placed once."""
    folder = tmp_path_factory.mktemp("secrets")
    _placed(folder, "first")
    return folder


def test_a_diff_shows_what_everybody_may_read_and_nothing_else(folder: Path) -> None:
    output = (done := _placed(folder, "second")).stdout + done.stderr
    for kind in KINDS:
        assert f" secret-of-{kind}-0644\n-first\n+second\n" in output
        assert f"secret-of-{kind}-0600" not in output
        assert f"secret-of-{kind}-0640" not in output
    assert output.count("+second") == len(KINDS)


def test_a_diff_shows_nothing_when_that_is_asked(folder: Path) -> None:
    output = (done := _placed(folder, "third", provision_show_diff=False)).stdout + done.stderr
    assert "secret-of" not in output
    assert "+third" not in output
