"""Ansible's command lines, taken apart: what is run is what the shell would have run."""

import shlex
import subprocess
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.system.warm.shell_line import Command, understand


def ansible_line(script: str, shell: str = "/bin/sh") -> str:
    """As ansible.plugins.action writes it."""
    return f"{shell} -c {shlex.quote(script + ' && sleep 0')}"


def test_a_shell_that_only_starts_a_shell_is_left_out() -> None:
    command = understand(ansible_line("echo ~root"), "/bin/bash", has_input=False)

    assert command == Command(("/bin/sh", "-c", "echo ~root"))


def test_a_raw_line_goes_to_the_configured_shell() -> None:
    line = "apt-get update; echo $HOME"

    assert understand(line, "/bin/bash", has_input=False) == Command(("/bin/bash", "-c", line))


def test_a_module_on_standard_input_is_recognised() -> None:
    command = understand(ansible_line("/usr/bin/python3"), "/bin/sh", has_input=True)

    assert command.python == "/usr/bin/python3"
    assert command.words == ("/bin/sh", "-c", "/usr/bin/python3")


def test_its_variables_are_taken_as_the_shell_would() -> None:
    script = "A=1 LONG='two words' EMPTY='' QUOTE='it'\"'\"'s' /usr/bin/python3.13"

    command = understand(ansible_line(script), "/bin/sh", has_input=True)

    assert command.python == "/usr/bin/python3.13"
    assert command.environment == {"A": "1", "LONG": "two words", "EMPTY": "", "QUOTE": "it's"}


@pytest.mark.parametrize(
    "script",
    [
        "sudo -H -S -n -u alice /bin/sh -c 'echo BECOME-SUCCESS-x ; /usr/bin/python3'",
        "/usr/bin/python3 /root/.ansible/tmp/x/AnsiballZ_ping.py",
        "cd /srv && /usr/bin/python3",
        "A=$HOME /usr/bin/python3",
        "A=`id` /usr/bin/python3",
        "/usr/bin/python3 ; reboot",
        "python3",
        "/usr/bin/perl",
        "/usr/bin/python3 | tee /tmp/x",
    ],
)
def test_anything_else_is_left_to_the_shell(script: str) -> None:
    command = understand(ansible_line(script), "/bin/sh", has_input=True)

    assert command == Command(("/bin/sh", "-c", script))


def test_without_input_there_is_no_module() -> None:
    assert understand(ansible_line("/usr/bin/python3"), "/bin/sh", has_input=False).python is None


PARTS = [
    "echo a",
    "false",
    "(exit 3)",
    'echo "$HOME"',
    "echo `echo b`",
    "echo 'it'\"'\"'s'",
    "echo \\\\ '' *",
]


@pytest.mark.allow("process")
@settings(max_examples=40)
@given(
    parts=st.lists(st.sampled_from(PARTS), min_size=1, max_size=4),
    joint=st.sampled_from([" && ", " || ", "; ", " | cat && ", "\n"]),
)
def test_what_is_run_says_what_the_whole_line_says(parts: list[str], joint: str) -> None:
    line = ansible_line(joint.join(parts))

    def said(words: Sequence[str]) -> tuple[int, bytes]:
        done = subprocess.run(words, capture_output=True, check=False, cwd="/", timeout=10)
        return done.returncode, done.stdout

    taken_apart = understand(line, "/bin/sh", has_input=False).words
    assert said(taken_apart) == said(["/bin/sh", "-c", line])


@given(
    variables=st.dictionaries(
        st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,6}", fullmatch=True),
        st.text(max_size=8),
        max_size=3,
    )
)
def test_variables_survive_whatever_is_in_them(variables: dict[str, str]) -> None:
    prefix = "".join(f"{name}={shlex.quote(value)} " for name, value in variables.items())

    command = understand(ansible_line(f"{prefix}/usr/bin/python3"), "/bin/sh", has_input=True)

    assert command.environment == variables
    assert command.python == "/usr/bin/python3"
