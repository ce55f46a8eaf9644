"""What holds for every target: in memory, a host behind a real OpenSSH server, and a machine of Incus."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from freehold.model.hosts import Host, Ssh
from freehold.model.infra import Machine
from freehold.operations.lab import Lab
from freehold.system.targets import Ended, Target, TargetFailed
from freehold.system.targets.fake import FakeTarget
from freehold.system.targets.incus import IncusTarget
from freehold.system.targets.ssh import SshTarget
from freehold.system.targets.way import SshOptions
from tests.contract.sshd import Sshd, running
from tests.throwaway import IMAGE

Value = TypeVar("Value")
ALL_BYTES = bytes(range(256)) * 4000  # a megabyte
_MAKE = f"""
incus project create targets -c features.images=false -c features.profiles=false -c features.storage.volumes=false
incus launch {IMAGE} --project targets targets-web
"""
_numbers = itertools.count(1)


class Asked:
    """A target, asked from tests that are not coroutines, and a folder there that is the test's own."""

    def __init__(self, target: Target, folder: str, close: Callable[[], Awaitable[None]]) -> None:
        self.target = target
        self.folder = folder
        self._close = close
        self._runner = asyncio.Runner()

    def run(self, *command: str, given: bytes = b"", timeout: float = 60.0) -> Ended:
        return self.wait(self.target.run(command, given=given, timeout=timeout))

    def write(self, name: str, content: bytes, **kept: str) -> None:
        self.wait(self.target.write(f"{self.folder}/{name}", content, **kept))

    def read(self, name: str) -> bytes | None:
        return self.wait(self.target.read(f"{self.folder}/{name}"))

    def wait(self, work: Awaitable[Value]) -> Value:
        async def waited() -> Value:
            return await work

        return self._runner.run(waited())

    def close(self) -> None:
        self.wait(self._close())
        self._runner.close()


async def _nothing_to_close() -> None: ...


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with running(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture(scope="module")
def machine(real_lab: Lab) -> Lab:
    """The lab with a machine `targets/web`; both go with the whole run."""
    assert real_lab.run(["sh", "-e", "-c", _MAKE]) == 0
    return real_lab


@pytest.fixture(params=["fake", "host", pytest.param("machine", marks=pytest.mark.lab)])
def asked(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Asked]:
    # Nothing is mounted over it while a machine starts.
    folder = f"/var/lib/target-{next(_numbers)}"
    if request.param == "fake":
        asked = Asked(FakeTarget("cortex"), folder, _nothing_to_close)
    elif request.param == "host":
        server: Sshd = request.getfixturevalue("server")
        ssh = Ssh(port=server.port, key=str(server.key))
        options = SshOptions(folder=tmp_path, known_hosts=tmp_path / "known", also_known=())
        host = SshTarget(Host(name="cortex", address="127.0.0.1", ssh=ssh), options, tmp_path / "s")
        asked = Asked(host, str(tmp_path / "there"), host.close)
    else:
        lab: Lab = request.getfixturevalue("machine")
        declared = Machine(domain="targets", name="web", image=IMAGE)
        asked = Asked(IncusTarget(declared, lab.socket), folder, _nothing_to_close)
    yield asked
    asked.close()


def test_a_command_answers_with_its_code_and_what_it_said(asked: Asked) -> None:
    assert asked.run("true") == Ended(0, "", "")
    assert asked.run("false") == Ended(1, "", "")


def test_input_arrives_as_it_was_given(asked: Asked) -> None:
    text = "ein Wort\n" * 20000  # more than a pipe holds

    assert asked.run("cat", given=text.encode()).output == text
    assert asked.run("cat").output == ""


def test_words_of_a_command_stay_words(asked: Asked) -> None:
    asked.write("it's $HOME; `id` \\n *", b"here")

    assert asked.read("it's $HOME; `id` \\n *") == b"here"


def test_output_that_is_no_text_is_shown_in_hexadecimal(asked: Asked) -> None:
    assert asked.run("cat", given=b"\xff\n").output == "\\xff\n"


def test_a_program_that_is_not_there(asked: Asked) -> None:
    assert asked.run("no-such-program").code == 127


def test_a_program_that_takes_too_long_is_ended(asked: Asked) -> None:
    with pytest.raises(TargetFailed) as failure:
        asked.run("sleep", "600", timeout=0.5)

    assert failure.value.diagnostics[0].code == "target-timeout"
    assert "sleep" in failure.value.diagnostics[0].detail


def test_many_commands_at_once(asked: Asked) -> None:
    async def all_of_them() -> list[Ended]:
        each = (asked.target.run(["cat"], given=f"{n}".encode()) for n in range(30))
        return await asyncio.gather(*each)

    assert [ended.output for ended in asked.wait(all_of_them())] == [str(n) for n in range(30)]


def test_a_file_is_written_with_its_folders_and_read_byte_for_byte(asked: Asked) -> None:
    asked.write("a/b/file", ALL_BYTES)

    assert asked.read("a/b/file") == ALL_BYTES


def test_a_file_is_replaced(asked: Asked) -> None:
    asked.write("file", b"long ago")
    asked.write("file", b"")

    assert asked.read("file") == b""


def test_a_file_that_is_not_there(asked: Asked) -> None:
    assert asked.read("none") is None
    assert asked.read("no/such/folder/none") is None


def test_a_folder_is_no_file(asked: Asked) -> None:
    asked.write("folder/file", b"1")

    with pytest.raises(TargetFailed) as failure:
        asked.read("folder")
    assert failure.value.diagnostics[0].code == "target-file"
    assert f"{asked.folder}/folder" in failure.value.diagnostics[0].detail
    with pytest.raises(TargetFailed):
        asked.write("folder", b"2")
    assert asked.read("folder/file") == b"1"


def test_nothing_is_written_below_a_file(asked: Asked) -> None:
    asked.write("file", b"1")

    with pytest.raises(TargetFailed) as failure:
        asked.write("file/below", b"2")
    assert failure.value.diagnostics[0].code == "target-file"
    assert asked.read("file") == b"1"


def test_a_target_is_called_as_in_infra_yml(asked: Asked) -> None:
    assert asked.target.name in ("cortex", "targets/web")
