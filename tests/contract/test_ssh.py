"""Hosts by a real OpenSSH server: the ways in, what is kept of a host, and everything that can be wrong with it."""

import asyncio
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from freehold.diagnostics import Diagnostic
from freehold.model.hosts import Host, Ssh
from freehold.system.targets import TargetFailed, TargetMissing, TargetUnreached
from freehold.system.targets.ssh import SshTarget
from freehold.system.targets.way import SshOptions
from tests.contract.sshd import SOON, Sshd, running

Value = TypeVar("Value")
NOBODY_LISTENS = 9  # the port of discard, which nothing serves any more


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sshd]:
    folder = tmp_path / "sshd"
    folder.mkdir()
    with running(folder) as server:
        yield server


class Computer:
    """A host behind the server, entered from an estate's folder. `ssh` and `first` may be changed before it is asked."""

    def __init__(self, server: Sshd, folder: Path) -> None:
        self.server = server
        self.options = SshOptions(
            folder=folder, known_hosts=folder / ".freehold" / "known_hosts", also_known=()
        )
        self.right = Ssh(port=server.port, key=str(server.key))
        self.wrong = replace(self.right, port=NOBODY_LISTENS)
        self.ssh = self.right
        self.first: Ssh | None = None
        self.is_there: Callable[[], Awaitable[bool]] | None = None
        self.socket = folder / "socket"
        self._runner = asyncio.Runner()
        self._target: SshTarget | None = None

    @property
    def target(self) -> SshTarget:
        if self._target is None:
            host = Host(name="cortex", address="127.0.0.1", ssh=self.ssh, first=self.first)
            self._target = SshTarget(host, self.options, self.socket, self.is_there)
        return self._target

    def says(self, *command: str) -> str:
        return self.wait(self.target.run(command)).output

    def problem(self) -> Diagnostic:
        """Why it cannot be entered."""
        with pytest.raises(TargetUnreached) as failure:
            self.says("true")
        (found,) = failure.value.diagnostics
        return found

    def wait(self, work: Awaitable[Value]) -> Value:
        async def waited() -> Value:
            return await work

        return self._runner.run(waited())

    def leave(self) -> None:
        """What is asked next comes from a target that knows nothing of before."""
        if self._target is not None:
            self.wait(self._target.close())
            self._target = None

    def close(self) -> None:
        self.leave()
        self._runner.close()


@pytest.fixture
def computer(server: Sshd, tmp_path: Path) -> Iterator[Computer]:
    computer = Computer(server, tmp_path)
    yield computer
    computer.close()


def test_one_login_serves_all_that_is_asked(computer: Computer) -> None:
    for _ in range(3):
        computer.says("true")
        computer.wait(computer.target.read("/etc/hostname"))

    assert computer.server.logins() == 1


def test_who_asks_at_once_enters_once(computer: Computer) -> None:
    async def at_once() -> None:
        await asyncio.gather(*(computer.target.run(["true"]) for _ in range(20)))

    computer.wait(at_once())

    assert computer.server.logins() == 1


def test_a_command_that_ends_as_ssh_does_when_it_fails(computer: Computer) -> None:
    assert computer.wait(computer.target.run(["sh", "-c", "exit 255"])).code == 255


def test_modes_and_owners_are_as_asked_for_and_folders_are_root_s(
    computer: Computer, tmp_path: Path
) -> None:
    path = tmp_path / "there" / "secrets" / "file"

    computer.wait(computer.target.write(str(path), b"1", mode="0400", owner="1000:1001"))

    found = path.stat()
    assert (stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid) == (0o400, 1000, 1001)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o755
    assert [each.name for each in path.parent.iterdir()] == ["file"]


def test_a_link_is_replaced_and_what_it_names_is_left(computer: Computer, tmp_path: Path) -> None:
    (tmp_path / "other").write_text("precious")
    (tmp_path / "link").symlink_to(tmp_path / "other")

    computer.wait(computer.target.write(str(tmp_path / "link"), b"new"))

    assert (tmp_path / "other").read_text() == "precious"
    assert not (tmp_path / "link").is_symlink()
    assert (tmp_path / "link").read_bytes() == b"new"


def test_a_file_that_arrives_in_part_changes_nothing(computer: Computer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("as it was")
    through = computer.target._through

    async def cut(command: object, given: bytes, seconds: float) -> object:
        return await through(command, given[:10], seconds)  # type: ignore[arg-type]

    computer.target._bring = cut  # type: ignore[assignment]
    with pytest.raises(TargetFailed) as failure:
        computer.wait(computer.target.write(str(tmp_path / "file"), bytes(1000)))

    assert "only a part" in failure.value.diagnostics[0].detail
    assert (tmp_path / "file").read_text() == "as it was"
    assert not list(tmp_path.glob("file.*"))


def test_the_first_way_serves_while_the_other_does_not_answer(computer: Computer) -> None:
    computer.ssh, computer.first = computer.wrong, computer.right

    assert computer.says("id", "-u") == "0\n"
    assert computer.wait(computer.target.enter()).ssh == computer.right


def test_the_declared_way_goes_before_the_first(computer: Computer) -> None:
    computer.first = computer.wrong

    assert computer.wait(computer.target.enter()).ssh == computer.right


def test_a_host_that_does_not_answer(computer: Computer) -> None:
    computer.ssh = computer.first = computer.wrong

    found = computer.problem()

    assert found.code == "host-unreachable"
    assert found.detail.count("Connection refused") == 2
    command = (found.hint or "").splitlines()[-1].strip()
    assert command.startswith(f"ssh -o UserKnownHostsFile={computer.options.known_hosts} ")
    assert command.endswith(" -p 9 root@127.0.0.1")


def test_a_host_that_knows_another_key(computer: Computer) -> None:
    computer.server.make_key("stranger")
    computer.ssh = replace(computer.right, key=str(computer.server.folder / "stranger"))

    found = computer.problem()

    assert found.code == "host-login-refused"
    assert "Permission denied" in found.detail
    assert f"ssh-copy-id -p {computer.server.port} root@127.0.0.1" in (found.hint or "")


def test_an_unknown_host_is_remembered_and_another_one_in_its_place_is_told(
    computer: Computer,
) -> None:
    computer.says("true")
    remembered = computer.options.known_hosts.read_text()
    computer.leave()
    computer.server.stop()
    computer.server.make_key("host_key")
    computer.server.start()
    computer.first = computer.right  # is no way around it

    found = computer.problem()

    assert f"[127.0.0.1]:{computer.server.port}" in remembered
    assert found.code == "host-key-changed"
    assert "[127.0.0.1]" in (found.hint or "")
    assert computer.options.known_hosts.read_text() == remembered
    computer.leave()
    command = (found.hint or "").splitlines()[-1].strip()
    assert command.startswith("ssh-keygen -f ")
    subprocess.run(["sh", "-c", command], check=True, capture_output=True)
    assert computer.says("id", "-u") == "0\n"


def test_a_user_who_may_not_become_root(computer: Computer) -> None:
    _force(computer.server, 'setpriv --reuid 65534 --clear-groups sh -c "$SSH_ORIGINAL_COMMAND"')

    found = computer.problem()

    assert found.code == "host-not-root"
    assert "/etc/sudoers.d/root" in (found.hint or "")


def test_a_login_that_says_much_before(computer: Computer) -> None:
    _force(computer.server, 'seq 30000; sh -c "$SSH_ORIGINAL_COMMAND"')

    computer.wait(computer.target.enter())


def test_a_login_that_lets_nobody_stay(computer: Computer) -> None:
    _force(computer.server, "echo not available >&2; exit 1")

    found = computer.problem()

    assert found.code == "host-unreachable"
    assert "not available" in found.detail


def test_a_connection_that_breaks_while_a_command_runs(computer: Computer) -> None:
    seconds = f"300.{computer.server.port}"  # no other test's

    async def broken() -> None:
        running = asyncio.create_task(computer.target.run(["sleep", seconds], timeout=9.0))
        await _until(lambda: _runs(f"\0sleep\0{seconds}\0"))
        computer.server.stop()
        await running

    with pytest.raises(TargetFailed) as failure:
        computer.wait(broken())

    assert failure.value.diagnostics[0].code == "target-lost"
    computer.server.start()
    assert computer.says("id", "-u") == "0\n"  # what is asked next enters again


def test_a_computer_that_is_yet_to_be_made(computer: Computer) -> None:
    async def is_there() -> bool:
        return False

    computer.is_there = is_there

    with pytest.raises(TargetMissing):
        computer.says("true")
    assert computer.server.logins() == 0


def test_settings_that_lead_somewhere_else(computer: Computer, tmp_path: Path) -> None:
    """As into the lab: the declared address and key are not those of what answers."""
    address = f"127.0.0.1:{computer.server.port}"
    connect = (
        "import os, socket, sys, threading\n"
        "host, port = sys.argv[1].split(':')\n"
        "s = socket.create_connection((host, int(port)))\n"
        "def up():\n"
        "    while b := os.read(0, 65536): s.sendall(b)\n"
        "    os._exit(0)\n"
        "threading.Thread(target=up, daemon=True).start()\n"
        "while b := s.recv(65536): os.write(1, b)\n"
    )
    (tmp_path / "connect.py").write_text(connect)
    (tmp_path / "config").write_text(
        f"ProxyCommand python3 {tmp_path}/connect.py {address}\nIdentityFile {computer.right.key}\n"
        f"UserKnownHostsFile {tmp_path}/known-there\nStrictHostKeyChecking accept-new\n"
    )
    computer.ssh = replace(computer.wrong, key="no-such-key")
    computer.options = replace(computer.options, settings=["-F", str(tmp_path / "config")])

    assert computer.says("id", "-u") == "0\n"
    assert "[127.0.0.1]" in (tmp_path / "known-there").read_text()
    assert not computer.options.known_hosts.exists()


def test_settings_for_masters_of_the_users_own_are_no_matter(
    computer: Computer, tmp_path: Path
) -> None:
    """With them `ssh` would leave a process behind that holds on to what it says."""
    (tmp_path / "config").write_text(
        f"ControlMaster auto\nControlPersist 600\nControlPath {tmp_path}/own\n"
        f"IdentityFile {computer.right.key}\nUserKnownHostsFile {tmp_path}/k\n"
        "StrictHostKeyChecking accept-new\n"
    )
    computer.options = replace(computer.options, settings=["-F", str(tmp_path / "config")])
    computer.says("true")
    assert computer.server.logins() == 1

    computer.leave()

    assert not computer.socket.exists()
    assert not (tmp_path / "own").exists()
    assert not _runs(f"-S\0{computer.socket}\0")


def test_the_connection_goes_with_who_opened_it(computer: Computer) -> None:
    computer.says("true")
    assert computer.socket.exists()

    computer.leave()

    assert not computer.socket.exists()
    assert not _runs(f"-S\0{computer.socket}\0")


def test_the_connection_goes_when_who_opened_it_is_killed(
    computer: Computer, tmp_path: Path
) -> None:
    program = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from freehold.model.hosts import Host, Ssh\n"
        "from freehold.system.targets.ssh import SshTarget\n"
        "from freehold.system.targets.way import SshOptions\n"
        "folder, port, key = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]\n"
        "options = SshOptions(folder=folder, known_hosts=folder / 'k', also_known=())\n"
        "host = Host(name='cortex', address='127.0.0.1', ssh=Ssh(port=port, key=key))\n"
        "asyncio.run(SshTarget(host, options, folder / 's').run(['sleep', '9'], timeout=9))\n"
    )
    words = [str(tmp_path), str(computer.server.port), str(computer.server.key)]
    process = subprocess.Popen([sys.executable, "-c", program, *words])

    _wait_until(lambda: (tmp_path / "s").exists())
    process.send_signal(signal.SIGKILL)
    process.wait()

    _wait_until(lambda: not _runs(f"-S\0{tmp_path}/s\0"))


def _force(server: Sshd, command: str) -> None:
    """Let the server run this in place of what is asked for."""
    server.stop()
    with (server.folder / "sshd_config").open("a") as stream:
        stream.write(f"ForceCommand {command}\n")
    server.start()


def _runs(words: str) -> bool:
    """Whether a process of this computer has this in its words, of which each begins and ends with a NUL."""
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = f"\0{each.read_bytes().decode(errors='replace')}"
        except OSError:
            continue
        if words in line:
            return True
    return False


async def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


def _wait_until(condition: Callable[[], bool]) -> None:
    asyncio.run(_until(condition))
