"""Docker beside Freehold: its FORWARD drop, and DOCKER-USER by which `apply` heals it. Real iptables, real packets."""

from collections.abc import Iterator

import pytest

from freehold.diagnostics import BackendError
from freehold.model import Infra
from freehold.system.docker_user import DockerUser, is_right, mark, wanted_rules
from freehold.system.iptables import comment_of
from tests.firewall.coexistence.asking import BRIDGES, connects, reaches
from tests.firewall.coexistence.neighbours import DOCKER_26, DOCKER_28, Neighbours
from tests.firewall.conftest import Firewall
from tests.firewall.wires import OUTSIDE, Namespace, Wires

pytestmark = [pytest.mark.lab, pytest.mark.slow]
CONTAINER = "172.17.0.2"


@pytest.fixture
def container(wires: Wires) -> Iterator[Namespace]:
    """A container on docker0; Docker would publish none of its ports."""
    made = Namespace()
    wires.host.batch(
        "link add docker0 type bridge",
        "link set docker0 up",
        "addr add 172.17.0.1/16 dev docker0",
        f"link add vethdocker type veth peer name eth0 netns {made.pid}",
        "link set vethdocker master docker0 up",
    )
    made.batch(
        "link set eth0 up", f"addr add {CONTAINER}/16 dev eth0", "route add default via 172.17.0.1"
    )
    yield made
    made.end()


def of_others(saved: list[str], estate: str) -> list[str]:
    return [line for line in saved if mark(estate) not in line]


@pytest.mark.parametrize(
    ("program", "chains"),
    [("iptables-nft", DOCKER_28), ("iptables-nft", DOCKER_26), ("iptables-legacy", DOCKER_26)],
)
def test_docker_drops_what_machines_send_until_its_own_chain_lets_them_pass(
    program: str, chains: str, wires: Wires, neighbours: Neighbours, docker_user: DockerUser
) -> None:
    desk = wires.at("perso/desk")
    neighbours.start_docker(chains, program)
    before = neighbours.saved(program)
    [side] = docker_user.read() or ()
    assert (side.drops, side.table.program, side.ours("cottage")) == (True, program, ())
    assert not connects(desk, wires.outside, OUTSIDE)

    docker_user.write("cottage", BRIDGES)

    assert connects(desk, wires.outside, OUTSIDE)
    assert of_others(neighbours.saved(program), "cottage") == before
    [side] = docker_user.read() or ()
    assert is_right(side, "cottage", BRIDGES)
    assert side.ours("cottage") == wanted_rules("cottage", BRIDGES)

    docker_user.write("cottage", ())
    assert neighbours.saved(program) == before
    assert not connects(desk, wires.outside, OUTSIDE)


def test_inside_a_domain_too_where_bridges_pass_through_iptables(
    wires: Wires, neighbours: Neighbours, docker_user: DockerUser
) -> None:
    wires.host.set("bridge/bridge-nf-call-iptables", "1")
    neighbours.start_docker()
    assert not reaches(wires, "perso/desk", "perso/tv")
    docker_user.write("cottage", BRIDGES)
    assert reaches(wires, "perso/desk", "perso/tv")


def test_domains_stay_closed_to_each_other(
    wires: Wires, neighbours: Neighbours, docker_user: DockerUser, firewall: Firewall, infra: Infra
) -> None:
    firewall.apply(infra)
    neighbours.start_docker()
    docker_user.write("cottage", BRIDGES)
    assert reaches(wires, "admin/ctl", "pro/dev")
    assert connects(wires.at("perso/desk"), wires.outside, OUTSIDE)
    assert not reaches(wires, "perso/desk", "pro/dev")
    assert not reaches(wires, "pro/dev", "perso/desk")
    assert not connects(wires.at("pro/dev"), wires.outside, OUTSIDE), "internet: false"


@pytest.mark.parametrize("chains", [DOCKER_26, DOCKER_28])
def test_containers_are_no_more_open_to_machines_than_docker_has_them(
    chains: str,
    wires: Wires,
    neighbours: Neighbours,
    docker_user: DockerUser,
    container: Namespace,
) -> None:
    assert connects(wires.at("perso/desk"), container, CONTAINER)
    neighbours.start_docker(chains)
    docker_user.write("cottage", BRIDGES)
    assert not connects(wires.at("perso/desk"), container, CONTAINER)
    assert connects(container, wires.outside, OUTSIDE)


def test_an_administrators_own_rules_are_asked_first(
    wires: Wires, neighbours: Neighbours, docker_user: DockerUser
) -> None:
    neighbours.start_docker(DOCKER_26)
    neighbours.type(f"iptables -I DOCKER-USER -i net-perso -d {OUTSIDE} -p tcp --dport 25 -j DROP")
    docker_user.write("cottage", BRIDGES)
    assert not connects(wires.at("perso/desk"), wires.outside, OUTSIDE, 25)
    assert connects(wires.at("perso/desk"), wires.outside, OUTSIDE, 80)


def test_only_stale_rules_of_the_same_estate_go(
    neighbours: Neighbours, docker_user: DockerUser
) -> None:
    neighbours.start_docker()
    docker_user.write("castle", ["net-tower"])
    docker_user.write("cottage", ["net-perso", "net-gone"])
    docker_user.write("cottage", BRIDGES)
    [side] = docker_user.read() or ()
    assert side.ours("castle") == wanted_rules("castle", ["net-tower"])
    assert side.ours("cottage") == wanted_rules("cottage", BRIDGES)
    assert not any("net-gone" in rule for rule in side.rules)


def test_rules_that_somebody_tore_apart_are_put_right(
    neighbours: Neighbours, docker_user: DockerUser
) -> None:
    neighbours.start_docker(DOCKER_26)
    docker_user.write("cottage", BRIDGES)
    right = neighbours.saved()
    neighbours.type("iptables -D DOCKER-USER 3; iptables -A DOCKER-USER -i net-x "
                    '-m comment --comment "freehold cottage" -j ACCEPT')  # fmt: skip
    [side] = docker_user.read() or ()
    assert not is_right(side, "cottage", BRIDGES)
    docker_user.write("cottage", BRIDGES)
    assert neighbours.saved() == right


def test_both_sides_of_docker_are_served(neighbours: Neighbours, docker_user: DockerUser) -> None:
    neighbours.start_docker(program="iptables-nft")
    neighbours.start_docker(program="ip6tables-nft")
    docker_user.write("cottage", BRIDGES)
    sides = docker_user.read() or ()
    assert [side.table.family for side in sides] == ["ip", "ip6"]
    assert all(is_right(side, "cottage", BRIDGES) for side in sides)


def test_a_write_that_fails_changes_nothing(
    neighbours: Neighbours, docker_user: DockerUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Docker stops in the middle: its chain is gone between the look and the change."""
    neighbours.start_docker()
    seen = docker_user.read()
    neighbours.type("iptables -D FORWARD -j DOCKER-USER; iptables -X DOCKER-USER")
    before = neighbours.saved()
    monkeypatch.setattr(docker_user.__class__, "read", lambda self: seen)
    with pytest.raises(BackendError):
        docker_user.write("cottage", BRIDGES)
    assert neighbours.saved() == before


def test_without_docker_there_is_no_chain_and_nothing_is_made(
    wires: Wires, neighbours: Neighbours, docker_user: DockerUser
) -> None:
    assert docker_user.read() is None
    docker_user.write("cottage", BRIDGES)
    assert wires.host.run("nft", "list", "tables") == ""
    old = neighbours.type("cat /proc/net/ip_tables_names 2>/dev/null || true")
    assert old == "", "asking the old iptables would have made its table"


def test_without_iptables_there_is_no_chain(wires: Wires, neighbours: Neighbours) -> None:
    wires.host.run("nft", "add table ip filter; add chain ip filter DOCKER-USER")
    nowhere = ["sh", "-c", 'PATH=/nowhere exec /bin/"$@"', "sh"]
    missing = DockerUser([*neighbours.prefix, *nowhere])
    assert missing.read() is None


@pytest.mark.parametrize("name", ["", "net pro", "net-pro\nCOMMIT", "-j", "a" * 16, 'net"'])
def test_what_cannot_be_a_name_never_becomes_a_rule(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        wanted_rules("cottage", [name])
    if len(name) < 16:
        with pytest.raises(ValueError, match="cannot be written"):
            wanted_rules(name, BRIDGES)


def test_comments_are_read_as_they_are_written() -> None:
    assert {comment_of(rule) for rule in wanted_rules("cottage", BRIDGES)} == {"freehold cottage"}
    assert comment_of("-i docker0 -j ACCEPT") is None
