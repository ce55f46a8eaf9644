"""PostgreSQL, Redis and Caddy of the catalog and a small program of one's own, across two hosts that the lab plays, by real SSH.

The programs are Debian's, in images that are made here (`images.py`). The tests stand in the order in which they happen to the same estate.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from freehold.operations.lab.debian import DOCKER_HOST
from freehold.operations.lab.images import ensure_image
from tests.e2e.estate import told
from tests.e2e.test_services import TARGET_PLACES
from tests.e2e.test_services_on_hosts import Pair
from tests.stack.images import LOAD, make_system
from tests.throwaway import throwaway_lab
from tests.unit.config.test_catalog import descriptor

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(2400)]

STACK = """
    freehold: 1
    name: maison
    hosts:
      cortex: {address: 203.0.113.20}
      synapse: {address: 203.0.113.21}
    services:
      db: {on: cortex, service: postgresql}
      cache: {on: cortex, service: redis}
      shop: {on: synapse}
      front: {on: synapse, service: caddy, settings: {upstream: "shop:8080"}}
      db-numbers: {on: synapse, service: postgres-exporter}
      cache-numbers: {on: synapse, service: redis-exporter}
    """
_MEASURED = re.compile(r"\b(?:pg|redis)_[a-z_]+")
NOTHING = "Nothing to do: everything is as infra.yml says."
IMAGES = {
    "cortex": ("docker.io/library/postgres:17.11", "docker.io/library/redis:8.10.2"),
    "synapse": (
        "registry.example.org/shop:1",
        "docker.io/library/caddy:2.11.4",
        "quay.io/prometheuscommunity/postgres-exporter:v0.20.1",
        "docker.io/oliver006/redis_exporter:v1.93.0-alpine",
    ),
}


class Stack(Pair):
    """With Docker on both from the start, and a page that Caddy shows."""

    def environment(self) -> dict[str, str]:
        return super().environment() | {"FREEHOLD_LAB_HOST_IMAGE": DOCKER_HOST}

    def page(self, path: str = "") -> str:
        """What Caddy shows, asked from the other host."""
        return self.on("cortex", "curl", "-sSf", "-m", "20", f"http://203.0.113.21/{path}")

    def containers(self, host: str) -> dict[str, str]:
        """When each was started, by its name."""
        shown = "{{.Name}} {{.State.StartedAt}}"
        listed = self.on(host, "sh", "-c", f"docker ps -aq | xargs docker inspect -f '{shown}'")
        return dict(line.split() for line in listed.splitlines())

    def bring(self, host: str, system: Path, images: tuple[str, ...]) -> None:
        """What a registry would give."""
        there = f"{host}/var/tmp/stack.tar"
        self.incus("file", "push", "--project", "hosts.maison", str(system), there)
        self.on(host, "sh", "-c", LOAD, "load", "registry.example.org/stack:1", *images)

    def numbers(self, service: str) -> str:
        """What an exporter has measured just now."""
        (port,) = descriptor(f"{service}-exporter").ports
        name = {"postgres": "db", "redis": "cache"}[service]
        ask = ["wget", "-qO-", f"http://127.0.0.1:{port.number}/metrics"]
        return self.on("synapse", "docker", "exec", f"maison-{name}-numbers-1", *ask)

    def inside(self, program: str, *arguments: str) -> str:
        """What a program in Python says, run where the shop runs, on the other host than the database."""
        return self.on("synapse", "docker", "exec", "maison-shop-1", "python3", "-c", program, *arguments)  # fmt: skip

    def entered(self, password: str) -> str:
        """What the database says to somebody with this password, from the other host."""
        words = "host='203.0.113.20', dbname='app', user='app', password=sys.argv[1], connect_timeout=20"
        ask = f"import psycopg2, sys\ntry: psycopg2.connect({words}); print('welcome')\nexcept psycopg2.Error as error: print(error)"
        return self.on("synapse", "docker", "exec", "maison-shop-1", "python3", "-c", ask, password)

    def told_on(self, host: str, value: str) -> set[str]:
        """Where on a host a value can be read; `told` stands for what programs tell."""
        poison = self.folder.parent / "poison"
        poison.write_text(value)  # as a file: a command's words are searched too
        there = f"{host}/run/poison"
        self.incus("file", "push", "--project", "hosts.maison", str(poison), there)
        return set(self.on(host, "sh", "-c", f"{TARGET_PLACES}\nrm /run/poison").splitlines())

    def applied(self) -> str:
        done = self.patient("apply", "--yes")
        assert done.code == 0, done
        return done.err


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Both hosts with Docker and the images, which are brought by hand: first by an apply that misses them."""
    made = tmp_path_factory.mktemp("stack")
    with throwaway_lab(egress=True) as lab:
        ensure_image(lab, DOCKER_HOST, lambda text: None)
        folder = made / "estate"
        folder.mkdir()
        (folder / "catalog").symlink_to(Path(__file__).parent / "catalog")
        stack = Stack(folder, lab)
        stack.write(STACK)
        first = stack.patient("apply", "--yes")
        assert first.code == 4, first
        assert "cortex has no docker.io/library/postgres:17.11" in first.said
        system = make_system(made)
        for host, images in IMAGES.items():
            stack.bring(host, system, images)
        yield stack


def test_from_nothing_each_is_there_before_who_needs_it(stack: Stack) -> None:
    said = stack.applied()
    at = {name: said.index(f"service {name}: created") for name in ("cortex/db", "cortex/cache", "synapse/shop")}  # fmt: skip
    assert max(at["cortex/db"], at["cortex/cache"]) < at["synapse/shop"]
    assert stack.page("anna") == "shop: 1 visits of anna"
    assert NOTHING in stack.ok("apply", "--yes").out
    stack.settled()


def test_the_exporters_measure_all_that_their_alerts_ask_for(stack: Stack) -> None:
    """But for the errors of Redis, which are there once there was one."""
    for kind, up in (("postgres", "pg_up 1"), ("redis", "redis_up 1")):
        said = stack.numbers(kind)
        assert f"\n{up}\n" in said
        alerts = descriptor(f"{kind}-exporter").alerts
        asked = {name for each in alerts for name in _MEASURED.findall(each.expression)}
        assert len(asked) > 4
        assert {name for name in asked if f"\n{name}" not in said} <= {"redis_errors_total"}
    assert 'pg_stat_database_numbackends{datid="' in stack.numbers("postgres")


def test_they_see_how_the_servers_do_and_nothing_that_is_kept_there(stack: Stack) -> None:
    program = """
import psycopg2, redis, sys
database = psycopg2.connect(host='203.0.113.20', dbname='app', user='freehold_monitoring', password=sys.argv[1])
database.autocommit = True
cache = redis.Redis('203.0.113.20', 6379, username='freehold_monitoring', password=sys.argv[2])
print(cache.ping())
for ask in (
    lambda: database.cursor().execute('select * from visitors'), lambda: database.cursor().execute('create table mine (a int)'),
    lambda: cache.get('visits'), lambda: cache.keys(), lambda: cache.config_get('requirepass'), lambda: cache.flushall(),
):
    try: print('seen', ask())
    except (psycopg2.Error, redis.exceptions.NoPermissionError): print('refused')
"""
    passwords = [stack.ok("secret", "show", f"{name}_monitoring").out.strip() for name in ("db", "cache")]  # fmt: skip
    assert stack.inside(program, *passwords).split() == ["True", *["refused"] * 6]


def test_their_passwords_are_rotated(stack: Stack) -> None:
    before = stack.containers("synapse")
    stack.ok("secret", "rotate", "db_monitoring")
    stack.ok("secret", "rotate", "cache_monitoring")
    said = stack.applied()
    for server in ("db", "cache"):
        changed = said.index(f"service cortex/{server}: changed")
        assert changed < said.index(f"service synapse/{server}-numbers: changed")
    assert "\npg_up 1\n" in stack.numbers("postgres")
    assert "\nredis_up 1\n" in stack.numbers("redis")
    assert stack.containers("synapse")["/maison-shop-1"] == before["/maison-shop-1"]
    stack.settled()


def test_an_update_restarts_that_one_alone(stack: Stack) -> None:
    before = stack.containers("synapse")
    stack.edit("shop: {on: synapse}", "shop: {on: synapse, settings: {title: store}}")
    stack.applied()
    assert stack.page() == "store: 1 visits of anna"
    after = stack.containers("synapse")
    assert before["/maison-shop-1"] != after["/maison-shop-1"]
    assert before["/maison-front-1"] == after["/maison-front-1"]


def test_a_broken_update_is_taken_back(stack: Stack) -> None:
    stack.edit("title: store", "title: broken")
    done = stack.patient("apply", "--yes")
    assert done.code != 0, done
    assert "service-update-taken-back" in done.said
    assert "this version is broken" in done.said
    assert stack.page() == "store: 1 visits of anna"
    stack.edit("title: broken", "title: store")
    assert told(stack.plan()).keys() == {"compose:synapse"}  # the file beside infra.yml alone
    stack.applied()
    stack.settled()


def test_a_killed_database_and_a_host_that_restarts_are_healed(stack: Stack) -> None:
    stack.on("cortex", "docker", "kill", "maison-db-1")
    assert told(stack.plan()) == {"service:cortex/db": ("update", "live", ("state",))}
    stack.applied()
    assert stack.page("berta") == "store: 2 visits of anna berta"
    stack.incus("restart", "--project", "hosts.maison", "cortex")
    stack.applied()
    assert stack.page() == "store: 2 visits of anna berta"
    stack.settled()


def test_a_secret_is_rotated_and_its_users_follow_in_order(stack: Stack) -> None:
    stack.ok("secret", "rotate", "cache_password")
    said = stack.applied()
    assert said.index("service cortex/cache: changed") < said.index("service synapse/shop: changed")
    assert "service cortex/db" not in said
    assert stack.page("carla") == "store: 3 visits of anna berta carla"
    stack.settled()


def test_a_rotated_password_is_taken_over_by_the_database(stack: Stack) -> None:
    old = stack.secret()
    log_all = "alter system set log_statement = 'all'"  # the worst that somebody may have set
    stack.on("cortex", "docker", "exec", "maison-db-1", "psql", "-U", "app", "-c", log_all)
    stack.ok("secret", "rotate", "db_password")
    said = stack.applied()
    assert said.index("service cortex/db: changed") < said.index("service synapse/shop: changed")
    assert "service cortex/cache" not in said
    assert stack.page("dora") == "store: 4 visits of anna berta carla dora"
    new = stack.secret()
    assert new != old

    assert "SCRAM-SHA-256$" in stack.on("cortex", "sh", "-c", "docker logs maison-db-1 2>&1")
    secrets = "/var/lib/freehold/maison/secrets"
    assert {path.rpartition("/")[2] for path in stack.told_on("cortex", new)} == {"password"}
    assert all(path.startswith(f"{secrets}/db/") for path in stack.told_on("cortex", new))
    assert "told" not in stack.told_on("synapse", new)

    assert stack.entered(new) == "welcome\n"
    assert 'password authentication failed for user "app"' in stack.entered(old)
    stack.settled()


def test_a_database_that_cannot_take_it_over_goes_back(stack: Stack) -> None:
    old = stack.secret()
    stack.ok("secret", "rotate", "db_password")
    stack.edit("db: {on: cortex, service: postgresql}", "db: {on: cortex, service: postgresql, settings: {user: nobody}}")  # fmt: skip
    done = stack.patient("apply", "--yes")
    assert done.code != 0, done
    assert "secrets-not-taken-over" in done.said
    assert 'role "nobody" does not exist' in done.said
    assert "what ran before runs again and is healthy." in done.said
    assert stack.entered(old) == "welcome\n"
    assert stack.page() == "store: 4 visits of anna berta carla dora"
    stack.edit(", settings: {user: nobody}", "")
    stack.applied()
    assert stack.page() == "store: 4 visits of anna berta carla dora"
    stack.settled()


def test_an_orphan_is_listed_and_pruned_and_its_data_stays(stack: Stack) -> None:
    front = '  front: {on: synapse, service: caddy, settings: {upstream: "shop:8080"}}\n'
    stack.edit(front, "")
    assert "synapse/front" in stack.ok("orphans").out
    done = stack.patient("apply", "--yes", "--prune")
    assert done.code == 0, done
    assert "/maison-front-1" not in stack.containers("synapse")
    assert "maison_front-certificates" in stack.on("synapse", "docker", "volume", "ls")
    stack.settled()
