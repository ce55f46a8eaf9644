"""The door in a real Docker, in a machine of a lab: who visits is seen through Docker, and a stranger opens public names alone.

Caddy is Debian's, under the name that its makers' image has.
"""

import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compose.estate import TARGET
from tests.compose.real import LOAD, MACHINE
from tests.e2e.estate import Estate
from tests.throwaway import throwaway_lab

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(1800)]

READY = MACHINE.replace("{roles:", "{apt: [caddy, wget, curl], roles:")
SERVICES = """
    services:
      door: {on: home/box, service: caddy}
      films:
        on: home/box
        service: page
        expose: {host: media.example.org, public: true, auth: none, reason: it is a test}
      notes: {on: home/box, service: page, expose: {host: notes.example.org}}
    """
IMAGES = ("docker.io/library/caddy:2.11.4", "registry.example.org/page:1")
RUN = """--change 'CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]'"""
PAGE = "{image: registry.example.org/page, command: [python3, -m, http.server, '8000'], stop: 1s}"

# As from another computer, whose address is none of a private network.
STRANGER = """
ip netns add stranger
ip link add out type veth peer name in netns stranger
ip addr add 198.51.100.1/24 dev out
ip link set out up
ip -n stranger addr add 198.51.100.9/24 dev in
ip -n stranger link set in up
ip -n stranger route add default via 198.51.100.1
"""
ASK = """
docker cp maison-door-1:/data/caddy/pki/authorities/local/root.crt - | tar -xO >/run/maison.crt
{by} curl -sS -m 20 --noproxy '*' --cacert /run/maison.crt --resolve {host}:443:10.100.7.10 -o /dev/null -w '%{{http_code}}' https://{host}/ || true
"""


class Door(Estate):
    """A machine with Docker, and the door in it."""

    def applied(self) -> str:
        process = self.start("apply", "--yes")
        out, err = process.communicate(timeout=900)
        assert process.returncode == 0, (out, err)
        return out

    def asked(self, host: str, by: str = "") -> str:
        """The status of a page, 000 where there was no answer."""
        return self.inside(TARGET, "sh", "-c", ASK.format(host=host, by=by))


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("estate")
    page = (Path(__file__).parent / "catalog" / "page.yml").read_text()
    (folder / "catalog").mkdir()
    (folder / "catalog" / "page.yml").write_text(
        page.replace("{image: registry.example.org/page}", PAGE)
    )
    with throwaway_lab(egress=True) as lab:
        door = Door(folder, lab)
        door.write(READY)
        door.applied()
        load = LOAD.replace("docker import", f"docker import {RUN}")
        door.inside(TARGET, "sh", "-c", load, "load", *IMAGES)
        door.inside(TARGET, "systemctl", "disable", "--now", "caddy")  # Debian's own begins at once
        door.write(textwrap.dedent(READY) + textwrap.dedent(SERVICES).lstrip("\n"))
        door.applied()
        yield door


def test_it_serves_and_a_second_apply_has_nothing_to_do(door: Door) -> None:
    assert [door.asked(f"{name}.example.org") for name in ("media", "notes")] == ["200", "200"]
    assert "Nothing to do" in door.applied()


def test_docker_shows_a_stranger_and_he_opens_public_names_alone(door: Door) -> None:
    door.inside(TARGET, "sh", "-c", STRANGER)
    by = "ip netns exec stranger"
    assert door.asked("media.example.org", by).endswith("200")
    assert door.asked("notes.example.org", by).endswith("000")
    log = door.inside(TARGET, "sh", "-c", "docker logs maison-door-1 2>&1")
    assert '"remote_ip":"198.51.100.9"' in log
    assert '"remote_ip":"10.100.7.10"' in log


def test_nothing_listens_where_docker_would_hide_who_comes(door: Door) -> None:
    ports = "sport = :80 or sport = :443"
    assert "0.0.0.0:443" in door.inside(TARGET, "ss", "-4Hltun", ports)
    assert door.inside(TARGET, "ss", "-6Hltun", ports) == ""
