"""Where a process is: on the computer, in a container that was given the socket, or where a control machine's paths are."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from freehold.diagnostics import BackendError
from freehold.system.host_agent.messages import HostUnseen
from freehold.system.host_agent.place import agent_socket, is_elsewhere
from freehold.system.host_agent.systems import host_systems
from freehold.system.nftables.program import NftProgram
from tests.control.conftest import TABLE, wait


@pytest.fixture
def incus(tmp_path: Path) -> Iterator[Path]:
    """Something of this computer that listens."""
    path = tmp_path / "incus.s"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as handle:
        handle.bind(str(path))
        handle.listen()
        yield path


def test_the_agents_socket_is_where_the_variable_says_or_where_it_always_is(
    incus: Path, tmp_path: Path
) -> None:
    assert agent_socket({}, tmp_path / "none") is None
    assert agent_socket({}, tmp_path) is None, "a folder is no socket"
    assert agent_socket({}, incus) == incus
    assert agent_socket({"FREEHOLD_HOST": "/elsewhere"}, incus) == Path("/elsewhere")


def test_on_the_computer_itself_its_own_packet_filter_is_meant(incus: Path, tmp_path: Path) -> None:
    assert not is_elsewhere(incus)
    assert not is_elsewhere(tmp_path / "none")
    systems = host_systems(incus)
    assert isinstance(systems.nftables, NftProgram)
    assert not systems.is_inside


@pytest.mark.lab
def test_in_a_container_with_the_socket_the_own_packet_filter_is_never_taken_for_the_hosts(
    incus: Path,
) -> None:
    """A PID namespace is what the kernel goes by; a container has one."""
    script = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from freehold.system.host_agent.systems import host_systems\n"
        "systems = host_systems(Path(sys.argv[1]))\n"
        "print(systems.is_inside)\n"
        "for asked in (systems.nftables.table('x'), systems.routing.way('x'), systems.agents.read('x')):\n"
        "    try:\n"
        "        asyncio.run(asked)\n"
        "    except Exception as error:\n"
        "        print(type(error).__name__)\n"
        "try:\n"
        "    systems.docker.read()\n"
        "except Exception as error:\n"
        "    print(type(error).__name__)\n"
    )
    done = subprocess.run(
        ["unshare", "--pid", "--fork", "--mount-proc", sys.executable, "-c", script, str(incus)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["True", *["HostUnseen"] * 4]


def test_what_is_the_hosts_alone_cannot_be_changed_from_within(
    incus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FREEHOLD_HOST", "/nowhere/agent.socket")
    systems = host_systems(incus)
    assert systems.is_inside
    for asked in (systems.agents.keep("x", "10.100.0.0/16"), systems.agents.forget("x")):
        with pytest.raises(BackendError) as refused:
            wait(asked)
        assert refused.value.diagnostics[0].code == "only-on-the-host"
    with pytest.raises(HostUnseen) as unseen:
        wait(systems.nftables.table(TABLE))
    assert "/nowhere/agent.socket" in unseen.value.diagnostics[0].detail
