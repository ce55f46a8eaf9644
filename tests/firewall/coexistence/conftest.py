"""Other programs that filter packets on the host of a test's wires."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from freehold.model import Infra
from freehold.system.docker_user import DockerUser
from tests.firewall.coexistence.asking import Computer, computer
from tests.firewall.coexistence.neighbours import Neighbours
from tests.firewall.coexistence.packages import unpack
from tests.firewall.wires import Wires


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the packages are unpacked."""
    folder = tmp_path_factory.mktemp("programs")
    if (missing := unpack(folder)) is not None:
        pytest.skip(missing)
    return folder


@pytest.fixture
def neighbours(wires: Wires, programs: Path) -> Iterator[Neighbours]:
    """The programs on the host, none of them started."""
    wires.host.set("bridge/bridge-nf-call-iptables", "0")  # new networks begin with 1
    made = Neighbours(wires.host, programs)
    yield made
    made.end()


@pytest.fixture
def host(neighbours: Neighbours, infra: Infra, tmp_path: Path) -> Computer:
    """The host as the doctor sees it."""
    return computer(neighbours, infra, tmp_path)


@pytest.fixture
def docker_user(neighbours: Neighbours) -> DockerUser:
    """Its chain DOCKER-USER."""
    return DockerUser(neighbours.prefix)
