"""What happens to the host's rules behind Freehold's back: packets show it, the next apply heals it."""

from typing import Any

import pytest

from tests.e2e.estate import Estate

pytestmark = pytest.mark.lab

ESTATE = """
    freehold: 1
    name: cottage
    domains:
      admin: {subnet_id: 10, trust: admin, machines: {ctl: {ip: 10.100.10.10}}}
      perso: {subnet_id: 11, machines: {desk: {ip: 10.100.11.10}}}
      pro: {subnet_id: 12, machines: {dev: {ip: 10.100.12.10}}}
    policies:
      - {from: perso, to: pro/dev, ports: [8080]}
    """
# As dockerd 28 makes them when it starts before anything else forwards.
DOCKER = """\
*filter
:FORWARD DROP [0:0]
:DOCKER-FORWARD - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-FORWARD
-A DOCKER-FORWARD -i docker0 -j ACCEPT
COMMIT
"""
NO_DOCKER = "iptables -P FORWARD ACCEPT; iptables -F; iptables -X; nft delete table ip filter"


def shell(estate: Estate, command: str) -> None:
    """Typed by somebody on the host."""
    assert estate.lab.run(["sh", "-ec", command]) == 0


def traffic(estate: Estate, outside: str) -> tuple[int, Any]:
    done = estate.freehold("verify", "--traffic", "--json", "--outside", outside)
    return done.code, done.document["traffic"]


def differing(found: Any) -> set[tuple[str, str]]:
    return {(c["from"], c["to"]) for c in found["checks"] if c["result"] == "different"}


def healed(estate: Estate, outside: str) -> None:
    estate.ok("apply", "--yes")
    code, found = traffic(estate, outside)
    assert (code, differing(found), found["summary"]["not_measured"]) == (0, set(), 0)


@pytest.mark.slow
def test_what_is_done_to_the_rules_shows_in_packets_and_heals(estate: Estate, outside: str) -> None:
    estate.write(ESTATE)
    healed(estate, outside)

    shell(
        estate,
        "nft insert rule inet freehold-cottage forward iifname net-perso oifname net-pro accept",
    )
    code, found = traffic(estate, outside)
    assert (code, differing(found)) == (2, {("perso/desk", "pro/dev")})
    healed(estate, outside)

    shell(estate, "nft delete table inet freehold-cottage")
    code, found = traffic(estate, outside)
    assert code == 2
    assert {("perso/desk", "pro/dev"), ("pro/dev", "perso/desk"), ("pro/dev", "admin/ctl"),
            ("perso/desk", "host")} <= differing(found)  # fmt: skip
    healed(estate, outside)

    estate.lab.restart_daemon()
    code, found = traffic(estate, outside)
    assert (code, differing(found)) == (0, set()), "incusd leaves our table alone"


@pytest.mark.slow
def test_docker_on_the_host_shows_in_packets_and_heals(estate: Estate, outside: str) -> None:
    estate.write(ESTATE)
    healed(estate, outside)
    rules = estate.folder / "docker.rules"
    rules.write_text(DOCKER)
    shell(estate, f"iptables-restore < {rules}")
    try:
        code, found = traffic(estate, outside)
        assert code == 2
        assert {
            ("admin/ctl", "pro/dev"),
            ("perso/desk", "pro/dev"),
            ("perso/desk", "internet"),
        } <= differing(found)
        plan = estate.plan()
        assert [(c["address"], c["action"]) for c in plan["changes"]] == [
            ("docker-user:host", "create")
        ]
        healed(estate, outside)
        estate.ok("destroy", "--yes", "--confirm", "cottage")
        shell(estate, 'test "$(iptables -S DOCKER-USER)" = "-N DOCKER-USER"')
    finally:
        shell(estate, NO_DOCKER)
