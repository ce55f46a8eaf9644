"""Who may be asked whether they are there: terminals of people, not programs on this computer that answer for them."""

import sys
from pathlib import Path

import pytest

from tests.e2e.terminal import Terminal

ASK = "from freehold.system.terminal import unanswerable; print(f'[{unanswerable()}]')"
AS_SOMEBODY = """\
import subprocess, sys
with open("/proc/self/comm", "w") as name:
    name.write(sys.argv[1])
subprocess.run([sys.executable, "-c", sys.argv[2]])
"""


def answer(folder: Path, *argv: str, term: str = "xterm") -> str:
    terminal = Terminal(["env", f"TERM={term}", *argv], folder, {})
    assert terminal.wait() == 0
    return terminal.seen.strip()


def test_a_plain_terminal_is_asked(tmp_path: Path) -> None:
    assert answer(tmp_path, sys.executable, "-c", ASK) == "[]"


def test_a_dumb_one_is_not(tmp_path: Path) -> None:
    said = answer(tmp_path, sys.executable, "-c", ASK, term="dumb")
    assert said == "[the terminal takes no questions (TERM is dumb)]"


@pytest.mark.parametrize("name", ["tmux: server", "SCREEN", "mosh-server"])
def test_who_answers_for_somebody_is_not(tmp_path: Path, name: str) -> None:
    said = answer(tmp_path, sys.executable, "-c", AS_SOMEBODY, name, ASK)
    assert said == f"[{name} stands between, which answers by itself]"


def test_in_the_background_nobody_is_asked(tmp_path: Path) -> None:
    script = f'set -m; {sys.executable} -c "{ASK}" & wait'
    said = answer(tmp_path, "bash", "-c", script)
    assert "[it runs in the background]" in said.splitlines()[0]


def test_without_a_terminal_nobody_is_asked(tmp_path: Path) -> None:
    said = answer(tmp_path, "setsid", "--wait", sys.executable, "-c", ASK)
    assert said == "[there is no terminal]"
