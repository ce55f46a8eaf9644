"""From an empty folder to services that serve, by the installed command; and a secret that is in its file and nowhere else."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compose.estate import CATALOG
from tests.compose.real import IMAGES, LOAD
from tests.e2e.estate import Done, Estate, told
from tests.throwaway import throwaway_lab

pytestmark = [pytest.mark.lab, pytest.mark.slow]

BOX = "home/box"
ESTATE = f"""
    freehold: 1
    name: maison
    domains:
      home:
        subnet_id: 7
        machines: {{box: {{ip: 10.100.7.10}}}}
    services:
      db: {{on: {BOX}, service: keeper}}
      site: {{on: {BOX}, service: web, ports: {{http: 80}}}}
    """
INSTALLING = 900.0  # seconds
# Everything that Docker, the system and the programs keep or tell, but for the container's own memory.
TARGET_PLACES = """
cd /
{
    docker ps --all --quiet | xargs docker inspect
    docker image ls --quiet | xargs docker inspect
    for id in $(docker ps --all --quiet); do docker logs $id 2>&1; done
    docker events --since 24h --until 0s
    journalctl --no-pager --output export
    cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null
} | tr '\\0' '\\n' | grep --text --fixed-strings --quiet --file=/run/poison && echo told
grep --recursive --text --files-with-matches --fixed-strings --file=/run/poison \\
    /etc /home /opt /root /run /srv /tmp /var --exclude=poison 2>/dev/null
true
"""


class Served(Estate):
    """An estate with services; its secrets are opened by a key of the test's own."""

    def environment(self) -> dict[str, str]:
        return super().environment() | {"XDG_CONFIG_HOME": str(self.folder.parent / "settings")}

    def patient(self, *words: str) -> Done:
        process = self.start(*words)
        out, err = process.communicate(timeout=INSTALLING)
        return Done(process.returncode, out, err)

    def page(self, path: str = "") -> str:
        """What the site answers, asked inside of its machine."""
        ask = f"import urllib.request as r; print(r.urlopen('http://127.0.0.1:80/{path}', timeout=10).read().decode())"
        return self.inside(BOX, "python3", "-c", ask)

    def secret(self) -> str:
        return self.ok("secret", "show", "db_password").out.strip()

    def argv(self, *words: str | Path) -> list[str]:
        """`secret` works on the folder alone, in the lab or not."""
        argv = super().argv(*words)
        return [each for each in argv if each != "--lab"] if words[0] == "secret" else argv

    def where_it_is(self, value: str) -> set[str]:
        """Every place, here and on the target, where a value can be read; `told` stands for what programs tell."""
        here = {
            str(path.relative_to(self.folder))
            for path in self.folder.rglob("*")
            if path.is_file() and value.encode() in path.read_bytes()
        }
        poison = self.folder.parent / "poison"
        poison.write_text(value)  # as a file: a command's words are searched too
        self.incus("file", "push", "--project", "home", str(poison), "home-box/run/poison")
        there = self.inside(BOX, "sh", "-c", f"{TARGET_PLACES}\nrm /run/poison").splitlines()
        return here | set(there)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The machine made and Docker in it; the images are brought by hand, for there is no registry."""
    with throwaway_lab(egress=True) as lab:
        folder = tmp_path_factory.mktemp("services") / "estate"
        folder.mkdir()
        (folder / "catalog").symlink_to(CATALOG)
        estate = Served(folder, lab)
        estate.write(ESTATE)
        first = estate.patient("apply", "--yes")
        assert first.code == 4, first
        assert "home/box has no registry.example.org/keeper:1" in first.said, first.err
        assert "docker save registry.example.org/keeper:1" in first.said
        estate.inside(BOX, "sh", "-c", LOAD, "load", *IMAGES)
        yield estate


def test_one_more_apply_and_it_serves(served: Served) -> None:
    done = served.patient("apply", "--yes")
    assert done.code == 0, done
    assert served.page("a-line") == "a page: hello a-line\n\n"
    again = served.ok("apply", "--yes")
    assert "Nothing to do: everything is as infra.yml says." in again.out
    served.settled()


def test_status_shows_them(served: Served) -> None:
    db, site = served.ok("status", "--json").document["services"]
    assert (db["name"], db["on"], db["state"], db["serves"]) == ("db", BOX, "healthy", True)
    assert (site["name"], site["ports"], site["drift"]) == ("site", ["80:8080/tcp"], [])


def test_a_computer_that_restarts_brings_them_back_by_itself(served: Served) -> None:
    served.incus("restart", "--project", "home", "home-box")
    done = served.patient("apply", "--yes")  # waits for what still starts
    assert done.code == 0, done
    assert "a-line" in served.page()
    served.settled()


def test_a_secret_is_in_its_file_and_nowhere_else(served: Served) -> None:
    value = served.secret()
    assert len(value) >= 32
    served.edit("service: web,", "service: web, settings: {broken: true},")
    failed = served.patient("apply", "--yes")  # it tells its password to its log
    assert failed.code in (1, 4), failed
    assert "broken with ********" in failed.said
    assert value not in failed.said
    served.edit("settings: {broken: true}, ", "")
    assert served.ok("apply", "--yes").code == 0
    planned = served.ok("plan", "--json")
    assert value not in planned.out + planned.err

    places = served.where_it_is(value)
    files = {path for path in places if path.startswith("/var/lib/freehold/maison/secrets/")}
    assert len(files) == 2
    assert places - files == set()
    listed = served.inside(BOX, "stat", "--format", "%a %U %g %n", *sorted(files)).splitlines()
    assert [line.rsplit(" ", 1)[0].split() for line in listed] == [
        ["400", "UNKNOWN", "70"],
        ["400", "root", "0"],
    ]
    folder = served.inside(BOX, "stat", "--format", "%a %U", "/var/lib/freehold/maison/secrets")
    assert folder.strip() == "700 root"


def test_the_search_finds_one_that_is_elsewhere(served: Served) -> None:
    """The same search, when somebody has written a value into the environment."""
    poison = "p0is0n-in-the-environment"
    served.edit("service: keeper", f"service: keeper, settings: {{greeting: {poison}}}")
    done = served.patient("apply", "--yes")
    assert done.code == 0, done
    found = served.where_it_is(poison)
    assert {"infra.yml", "compose/home/box/compose.yml", "told"} <= found
    assert "/var/lib/freehold/maison/compose/compose.yml" in found
    assert any(path.startswith("/var/lib/docker/containers/") for path in found)
    served.edit(f", settings: {{greeting: {poison}}}", "")
    served.patient("apply", "--yes")


def test_a_rotated_secret_reaches_both(served: Served) -> None:
    old = served.secret()
    served.ok("secret", "rotate", "db_password")
    assert {address: what[1] for address, what in told(served.plan()).items()} == {
        "service:home/box/db": "restart",
        "service:home/box/site": "restart",
    }
    done = served.patient("apply", "--yes")
    assert done.code == 0, done
    assert served.secret() != old
    assert "a-line" in served.page()
    assert not any("secrets" in path for path in served.where_it_is(old)), "the old one is gone"


def test_pruned_and_destroyed_and_the_data_is_named(served: Served) -> None:
    served.edit(f"  site: {{on: {BOX}, service: web, ports: {{http: 80}}}}\n", "")
    listed = served.ok("orphans")
    assert "service:home/box/site" in listed.out
    assert served.patient("orphans", "--prune", "--yes").code == 0
    assert served.inside(BOX, "docker", "ps", "--all", "--format", "{{.Names}}").split() == ["maison-db-1"]  # fmt: skip
    served.edit(f"services:\n  db: {{on: {BOX}, service: keeper}}\n", "")
    pruned = served.patient("apply", "--prune", "--yes")
    assert "its data stays: maison_db-lines" in pruned.said
    assert served.inside(BOX, "docker", "volume", "ls", "--quiet").split() == ["maison_db-lines"]
    served.settled()
