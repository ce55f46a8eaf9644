"""SSH's way into the lab: the relay that ssh starts, and the settings that make ssh start it."""

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from freehold.model.played import played_address
from freehold.operations.lab import Lab
from freehold.operations.lab.entrance import prepare
from freehold.operations.lab.record import read_holder
from freehold.system.namespaces import enter_argv, enter_network
from freehold.system.relay import greeting
from tests.lab.conftest import NewLab

pytestmark = pytest.mark.lab

NAME = "cortex.example.org"
SERVER = """
import socket, sys, threading
def serve(listener):
    while True:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b'SSH-2.0-try\\r\\n')
            connection.sendall(connection.recv(100))
for address in sys.argv[1:]:
    threading.Thread(target=serve, args=[socket.create_server((address, 2222))]).start()
print('listens', flush=True)
"""


@pytest.fixture
def served(lab: Lab) -> Iterator[Lab]:
    """A lab in which something greets like SSH at a declared address, and at the one that a name gets."""
    addresses = ["203.0.113.20", str(played_address(NAME))]
    links = "; ".join(f"ip address add {each}/32 dev lo" for each in addresses)
    assert lab.run(["sh", "-c", links]) == 0
    program = [sys.executable, "-I", "-c", SERVER, *addresses]
    argv = enter_argv(pid_of(lab), program, "/")
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "listens\n"
        yield lab
        server.send_signal(signal.SIGKILL)


def pid_of(lab: Lab) -> int:
    holder = read_holder(lab._place)
    assert holder is not None
    return holder[0].pid


def passed_on(lab: Lab, host: str, port: int) -> tuple[bytes, str, int]:
    """What the relay's connection answers to `hello` once the relay has ended, what it said, and how it ended."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        program = [sys.executable, "-P", "-m", "freehold.system.relay", str(lab._place.holder)]
        ended = subprocess.run(
            [*program, host, str(port)], stdin=theirs.fileno(), stdout=theirs.fileno(), stderr=subprocess.PIPE, text=True,
            timeout=60, check=False,
        )  # fmt: skip
        theirs.close()
        _, handles, _, _ = socket.recv_fds(ours, 1, 1)
        if not handles:
            return b"", ended.stderr, ended.returncode
        with socket.socket(fileno=handles[0]) as connection:
            connection.sendall(b"hello")
            connection.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: connection.recv(100), b""))
        return answer, ended.stderr, ended.returncode


def test_ssh_is_handed_a_connection_that_lives_without_the_relay(served: Lab) -> None:
    answer = (b"SSH-2.0-try\r\nhello", "", 0)
    assert passed_on(served, "203.0.113.20", 2222) == answer
    assert passed_on(served, NAME, 2222) == answer
    assert passed_on(served, NAME.upper(), 2222) == answer


def test_why_there_is_no_way_is_said(served: Lab) -> None:
    _, said, code = passed_on(served, "203.0.113.20", 22)
    assert (said, code) == ("203.0.113.20, port 22, in the lab: Connection refused\n", 1)
    _, said, code = passed_on(served, "198.51.100.7", 22)
    assert (said, code) == ("198.51.100.7, port 22, in the lab: Network is unreachable\n", 1)


def test_a_lab_that_has_ended_is_no_way(served: Lab) -> None:
    """Above all, this computer's own network is none."""
    served._place.holder.rename(served._place.holder.with_suffix(".kept"))
    _, said, code = passed_on(served, "203.0.113.20", 2222)
    assert (said, code) == ("203.0.113.20, port 2222, in the lab: the lab is not running\n", 1)
    served._place.holder.with_suffix(".kept").rename(served._place.holder)


def test_a_greeting_is_heard_and_this_process_stays_where_it_is(served: Lab) -> None:
    record, here = served._place.holder, Path("/proc/self/ns/net").stat().st_ino
    assert greeting(record, "203.0.113.20", 2222, 60.0) == "SSH-2.0-try"
    assert greeting(record, "203.0.113.20", 22, 5.0) == ""
    assert Path("/proc/self/ns/net").stat().st_ino == here


def test_one_thread_enters_and_the_others_do_not(lab: Lab) -> None:
    seen: list[int] = []

    def enter() -> None:
        enter_network(pid_of(lab))
        seen.append(Path("/proc/thread-self/ns/net").stat().st_ino)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert seen == [Path(f"/proc/{pid_of(lab)}/ns/net").stat().st_ino]
    assert Path("/proc/thread-self/ns/net").stat().st_ino not in seen


def settings(lab: Lab, host: str) -> dict[str, str]:
    """What ssh makes of the lab's settings."""
    words = ["ssh", *lab.ssh_options(), "-G", host]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    return dict(line.split(" ", 1) for line in said.splitlines() if " " in line)


def test_ssh_understands_the_settings_and_keeps_to_the_labs_folder(lab: Lab) -> None:
    prepare(lab._place)
    found = settings(lab, "203.0.113.20")
    assert found["proxyusefdpass"] == "yes"
    assert found["proxycommand"].endswith(f"freehold.system.relay {lab._place.holder} %h %p")
    assert found["identityfile"] == str(lab._place.ssh / "key")
    assert found["userknownhostsfile"] == str(lab._place.ssh / "known/203.0.113.20")
    assert found["stricthostkeychecking"] == "accept-new"
    assert (lab._place.ssh / "key").stat().st_mode & 0o777 == 0o600
    assert lab._place.ssh.stat().st_mode & 0o777 == 0o700


def test_the_key_stays_and_the_settings_are_renewed_when_the_lab_starts(new_lab: NewLab) -> None:
    lab = new_lab()
    lab.start()
    assert not lab._place.ssh.exists(), "a lab without hosts has no key"
    key = lab.entrance().public_key()
    assert key.startswith("ssh-ed25519 ")
    (lab._place.ssh / "config").write_text("Host nobody\n")
    lab.stop()
    lab.start()
    assert settings(lab, "203.0.113.20")["proxyusefdpass"] == "yes"
    assert lab.entrance().public_key() == key


def test_a_host_that_is_made_anew_is_no_stranger(lab: Lab) -> None:
    entrance = lab.entrance()
    entrance.public_key()
    known = lab._place.ssh / "known" / NAME
    known.write_text("old\n")
    entrance.forget(NAME.upper())
    assert not known.exists()
    entrance.forget(NAME)  # once more is fine


def test_a_reset_takes_the_key_along(new_lab: NewLab) -> None:
    lab = new_lab()
    lab.start()
    lab.entrance().public_key()
    lab.reset()
    assert not lab.root.exists()
