"""The proof that nothing leaves beside a VPN, on a real Docker: it holds where the firewall does, and is red where that fails.

The VPN and the Internet are played inside a machine of the lab (`desk.py`). The tests stand in the order in which they happen to the same estate.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.compose.real import real_docker
from tests.media.desk import Media

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(1800)]

UP = "default dev tun0"


@pytest.fixture(scope="module")
def media() -> Iterator[Media]:
    with real_docker() as real:
        media = Media(real)
        media.prepare()
        media.applied()
        yield media
        real.estate.end_all()


def moments(media: Media, code: int) -> dict[str, Any]:
    done = media.verified("--json")
    assert done.code == code, done
    [service] = done.document["leaks"]["services"]
    assert (service["service"], service["vpn"], service["target"]) == (
        "torrents",
        "vpn",
        "home/box",
    )
    assert service["back"], "all runs as before"
    assert UP in media.in_tunnel("ip", "route", "show", "table", "51820")
    return {each["moment"]: each for each in service["moments"]}


def results(found: dict[str, Any]) -> dict[str, str]:
    return {name: each["result"] for name, each in found.items()}


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_kill_switch_that_holds_is_green(media: Media) -> None:
    found = moments(media, 0)
    assert set(results(found).values()) == {"holds"}
    assert found["public-address"]["why"].startswith("10.8.0.2;")
    media.real.estate.settled()


def test_without_a_firewall_every_moment_is_red(media: Media) -> None:
    media.becomes("open")
    found = moments(media, 2)
    assert results(found) == {"tunnel-up": "leaks", "public-address": "holds", "tunnel-cut": "leaks", "restart": "leaks"}  # fmt: skip
    for moment in ("tunnel-up", "tunnel-cut", "restart"):
        ways = {(each["protocol"], each["to"], each["port"]) for each in found[moment]["packets"]}
        assert {("tcp", "198.51.100.1", 443), ("udp", "203.0.113.1", 53), ("icmp", "203.0.113.1", None)} <= ways  # fmt: skip
        assert {each["interface"] for each in found[moment]["packets"]} <= {"eth0", "eth1"}


def test_a_firewall_that_comes_late_is_red_at_the_restart_alone(media: Media) -> None:
    media.becomes("late")
    found = moments(media, 2)
    assert results(found) == {"tunnel-up": "holds", "public-address": "holds", "tunnel-cut": "holds", "restart": "leaks"}  # fmt: skip


def test_the_tunnel_is_back_when_who_cut_it_is_killed(media: Media) -> None:
    media.becomes("sound")
    process = media.start_verify()
    until(lambda: UP not in media.in_tunnel("ip", "route", "show", "table", "51820"))
    media.kill_prober()
    until(lambda: UP in media.in_tunnel("ip", "route", "show", "table", "51820"))
    assert media.real.estate.end_of(process).code == 2
    media.real.estate.settled()


def test_the_containers_are_back_when_who_restarts_them_is_killed(media: Media) -> None:
    before = media.started("torrents")
    process = media.start_verify()
    until(lambda: media.started("torrents") == "")
    media.kill_prober()
    until(lambda: media.started("torrents") not in ("", before) and media.together())
    assert media.real.estate.end_of(process).code == 2
    until(lambda: media.real.estate.freehold("verify").code == 0)


def test_what_waits_for_the_tunnel_has_its_settings(media: Media) -> None:
    shown = media.run("docker", "exec", "maison-torrents-1", "cat", "/config/qBittorrent/qBittorrent.conf")  # fmt: skip
    assert "Session\\InterfaceName=tun0" in shown
    assert "WebUI\\Password_PBKDF2" in shown
