"""The look that finds lost devices is a few lines of shell; here this computer's own devices are looked at."""

import subprocess

from freehold.providers.incus.device_nodes import LOOK, Node, questions


def look(*nodes: Node) -> list[str]:
    command = ["sh", "-c", LOOK, "sh", *questions(nodes)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, start_new_session=True
    )
    return done.stdout.splitlines()


def test_the_look_tells_numbers_and_what_is_missing_or_refused() -> None:
    tty = "/dev/tty"  # cannot be opened by who has no terminal
    answers = look(
        Node("/dev/null", opens=True),
        Node("/dev/zero"),
        Node("/dev/no such thing"),
        Node("/dev/shm"),
        Node(tty, opens=True),
        Node(tty),
    )
    assert answers == ["1:3", "1:5", "missing", "missing", "refused", "5:0"]
