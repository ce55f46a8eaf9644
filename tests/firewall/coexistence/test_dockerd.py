"""The real dockerd beside Freehold, with its 65 MB of packages."""

import re
from collections.abc import Iterator

import pytest

from freehold.system.docker_user import DockerUser, is_right
from tests.firewall.coexistence.asking import BRIDGES, connects
from tests.firewall.coexistence.neighbours import DOCKER_26, DOCKER_28, Neighbours
from tests.firewall.coexistence.packages import DOCKER, unpack
from tests.firewall.wires import OUTSIDE, Wires

pytestmark = [pytest.mark.lab, pytest.mark.slow]


def rules(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith((":FORWARD", "-A"))]


def recorded(chains: str) -> list[str]:
    return rules(re.sub(r" \[0:0\]", "", chains).splitlines())


@pytest.fixture
def neighbours(wires: Wires, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    folder = tmp_path_factory.mktemp("docker")
    if (missing := unpack(folder, *DOCKER)) is not None:
        pytest.skip(missing)
    made = Neighbours(wires.host, folder)
    yield made
    made.end()


def test_a_real_dockerd(wires: Wires, neighbours: Neighbours, docker_user: DockerUser) -> None:
    """It drops only where it finds forwarding off; what is in its chain then outlives its next start."""
    desk = wires.at("perso/desk")
    with neighbours.dockerd():
        assert connects(desk, wires.outside, OUTSIDE), "forwarding was on before"
    neighbours.type("iptables -F && iptables -X && ip link delete docker0")
    wires.host.set("ipv4/ip_forward", "0")
    with neighbours.dockerd():
        assert rules(neighbours.saved()) in (recorded(DOCKER_26), recorded(DOCKER_28))
        assert not connects(desk, wires.outside, OUTSIDE)
        docker_user.write("cottage", BRIDGES)
        assert connects(desk, wires.outside, OUTSIDE)
    with neighbours.dockerd():
        assert connects(desk, wires.outside, OUTSIDE)
        [side] = docker_user.read() or ()
        assert is_right(side, "cottage", BRIDGES)
