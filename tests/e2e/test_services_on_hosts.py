"""Services that need each other across two hosts, by real SSH: made, left alone, healed when a container is killed or a computer restarts."""

from collections.abc import Iterator

import pytest

from freehold.operations.lab.debian import HOST
from freehold.operations.lab.images import ensure_image
from tests.compose.estate import CATALOG
from tests.compose.real import IMAGES, LOAD
from tests.e2e.estate import created, told
from tests.e2e.execution import execute
from tests.e2e.test_services import Served
from tests.throwaway import throwaway_lab

pytestmark = [pytest.mark.lab, pytest.mark.slow]

PAIR = """
    freehold: 1
    name: maison
    hosts:
      cortex: {address: 203.0.113.20}
      synapse: {address: 203.0.113.21}
    services:
      db: {on: cortex, service: keeper, ports: {keep: 7700}}
      site: {on: synapse, service: web, ports: {http: 80}}
    """
DB, SITE = "service:cortex/db", "service:synapse/site"


class Pair(Served):
    """Two hosts that the lab plays."""

    def on(self, host: str, *command: str) -> str:
        code, output, errors = execute(self.lab.socket, "hosts.maison", host, *command)
        assert code == 0, (command, output, errors)
        return output

    def page(self, path: str = "") -> str:
        """What the site answers, asked from the other host."""
        ask = f"import urllib.request as r; print(r.urlopen('http://203.0.113.21/{path}', timeout=10).read().decode())"
        return self.on("cortex", "python3", "-c", ask)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Both with Docker and the images, which are brought by hand: first by an apply that misses them."""
    with throwaway_lab(egress=True) as lab:
        ensure_image(lab, HOST, lambda text: None)
        folder = tmp_path_factory.mktemp("pair") / "estate"
        folder.mkdir()
        (folder / "catalog").symlink_to(CATALOG)
        pair = Pair(folder, lab)
        pair.write(PAIR)
        first = pair.patient("apply", "--yes")
        assert "cortex has no registry.example.org/keeper:1" in first.said, first.err
        for host in ("cortex", "synapse"):
            pair.on(host, "sh", "-c", LOAD, "load", *IMAGES)
        yield pair


def test_a_need_across_hosts_is_ready_before_who_needs_it(pair: Pair) -> None:
    assert told(pair.plan()) == created(DB, SITE)
    done = pair.patient("apply", "--yes")
    assert done.code == 0, done
    assert done.err.index("service cortex/db: created") < done.err.index("service synapse/site: created")  # fmt: skip
    assert pair.page("a-line") == "a page: hello a-line\n\n"
    assert "Nothing to do: everything is as infra.yml says." in pair.ok("apply", "--yes").out
    pair.settled()


def test_a_killed_container_is_healed_from_afar(pair: Pair) -> None:
    pair.on("cortex", "docker", "kill", "maison-db-1")
    assert told(pair.plan()) == {DB: ("update", "live", ("state",))}
    assert pair.patient("apply", "--yes").code == 0
    assert "a-line" in pair.page()


def test_a_host_that_restarts_serves_again(pair: Pair) -> None:
    pair.incus("restart", "--project", "hosts.maison", "cortex")
    done = pair.patient("apply", "--yes")
    assert done.code == 0, done
    assert "a-line" in pair.page()
    pair.settled()


def test_a_host_that_is_off_keeps_nothing_else_from_being_done(pair: Pair) -> None:
    pair.on("cortex", "sh", "-c", "systemctl stop ssh.socket ssh; systemctl mask ssh.socket ssh")
    try:
        pair.edit("service: web,", "service: web, settings: {title: news},")
        done = pair.patient("apply", "--yes")
        assert done.code == 4, done
        assert "host-unreachable" in done.said
        assert pair.page() == "news: hello a-line\n\n"
    finally:
        pair.on("cortex", "sh", "-c", "systemctl unmask ssh.socket ssh; systemctl start ssh.socket || systemctl start ssh")  # fmt: skip
    assert pair.patient("apply", "--yes").code == 0
    pair.settled()


def test_a_host_that_the_same_apply_restarts_is_entered_anew(pair: Pair) -> None:
    pair.incus("config", "unset", "--project", "hosts.maison", "synapse", "security.nesting")
    pair.edit("title: news", "title: late")
    plan = told(pair.plan())
    assert plan["lab-host:synapse"] == ("update", "restart", ("config.security.nesting",))
    assert SITE in plan
    done = pair.patient("apply", "--yes")
    assert done.code == 0, done
    assert pair.page() == "late: hello a-line\n\n"
    pair.settled()


def test_destroying_takes_the_services_and_names_the_data(pair: Pair) -> None:
    done = pair.patient("destroy", "--yes", "--confirm", "maison")
    assert done.code == 0, done
    assert "its data stays: maison_db-lines" in done.said
