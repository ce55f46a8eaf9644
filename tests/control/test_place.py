"""Where a process is: on the computer, in a container that was given the socket, or where a control machine's paths are."""

import http.server
import json
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from freehold.diagnostics import BackendError
from freehold.system.host_agent.messages import HostUnseen
from freehold.system.host_agent.place import agent_socket, is_elsewhere
from freehold.system.host_agent.systems import host_systems
from freehold.system.nftables.program import NftProgram
from tests.control.conftest import TABLE, wait


class Incus(socketserver.ThreadingUnixStreamServer):
    """Something of this computer that answers as Incus does. `method` is how it knows the caller."""

    method = "unix"


class Answer(http.server.BaseHTTPRequestHandler):
    server: Incus

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        said = {"metadata": {"auth": "trusted", "auth_user_method": self.server.method}}
        self.wfile.write(json.dumps(said).encode())

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *args: object) -> None: ...


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Incus]:
    with Incus(str(tmp_path / "incus.s"), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def incus(server: Incus, tmp_path: Path) -> Path:
    return tmp_path / "incus.s"


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


def test_with_a_certificate_in_between_it_is_another_computers_packet_filter(
    server: Incus, incus: Path
) -> None:
    """A program of this computer answers at the socket, and yet what it leads to is elsewhere."""
    server.method = "tls"
    assert is_elsewhere(incus)
    with pytest.raises(HostUnseen):
        wait(host_systems(incus).nftables.table(TABLE))


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
