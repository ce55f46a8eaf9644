"""Runs that changed services are taken back: on a host that the lab plays, and on a machine whose disk comes back from a snapshot."""

import shutil
from collections.abc import Iterator

import pytest

from freehold.operations.lab.debian import DOCKER_HOST
from freehold.operations.lab.images import ensure_image
from tests.compose.estate import CATALOG
from tests.compose.real import IMAGES, LOAD
from tests.e2e.estate import told
from tests.e2e.test_services_on_hosts import Pair
from tests.throwaway import throwaway_lab

pytestmark = [pytest.mark.lab, pytest.mark.slow]

BOX = "home/box"
BOTH = f"""
    freehold: 1
    name: maison
    hosts:
      cortex: {{address: 203.0.113.20}}
    domains:
      home:
        subnet_id: 7
        machines: {{box: {{ip: 10.100.7.10, image: {DOCKER_HOST}}}}}
    services:
      db: {{on: cortex, service: keeper}}
      site: {{on: cortex, service: web, needs: {{keeper: db}}, ports: {{http: 80}}, from: {{http: [all]}}}}
      notes: {{on: {BOX}, service: keeper}}
    """
DB, SITE, NOTES = "service:cortex/db", "service:cortex/site", "service:home/box/notes"


class Both(Pair):
    """A host and a machine, both with Docker from the start."""

    def environment(self) -> dict[str, str]:
        return super().environment() | {"FREEHOLD_LAB_HOST_IMAGE": DOCKER_HOST}

    def page(self, path: str = "") -> str:
        ask = f"import urllib.request as r; print(r.urlopen('http://127.0.0.1/{path}', timeout=10).read().decode())"
        return self.on("cortex", "python3", "-c", ask)

    def notes(self, line: str = "") -> str:
        """What the keeper on the machine answers, to whoever knows its password."""
        ask = (
            "import pathlib, socket; it = socket.create_connection(('127.0.0.1', 7000), 9);"
            f" it.sendall(pathlib.Path('/run/secrets/password').read_bytes() + b' {line}\\n'); print(it.makefile().read())"
        )
        return self.inside(BOX, "docker", "exec", "maison-notes-1", "python3", "-c", ask).strip()

    def infra(self) -> bytes:
        return (self.folder / "infra.yml").read_bytes()

    def applied(self, *words: str) -> None:
        done = self.patient("apply", "--yes", *words)
        assert done.code == 0, done

    def undone(self, *words: str) -> str:
        done = self.patient("undo", "--yes", *words)
        assert done.code == 0, done
        return done.said


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """Both with the images, which are brought by hand: first by an apply that misses them."""
    with throwaway_lab(egress=True) as lab:
        ensure_image(lab, DOCKER_HOST, lambda text: None)
        folder = tmp_path_factory.mktemp("both") / "estate"
        folder.mkdir()
        shutil.copytree(CATALOG, folder / "catalog")
        both = Both(folder, lab)
        both.write(BOTH)
        first = both.patient("apply", "--yes")
        assert first.code == 4, first
        both.on("cortex", "sh", "-c", LOAD, "load", *IMAGES)
        both.inside(BOX, "sh", "-c", LOAD, "load", *IMAGES)
        both.applied()
        yield both


@pytest.fixture
def both(prepared: Both) -> Both:
    """All as it was at first, whatever a test did."""
    prepared.write(BOTH)
    shutil.copytree(CATALOG, prepared.folder / "catalog", dirs_exist_ok=True)
    prepared.applied("--prune")
    return prepared


def test_what_ran_before_runs_again_and_the_undo_can_be_undone(both: Both) -> None:
    before = both.infra()
    both.page("a-line")
    both.edit("service: web,", 'service: web, version: "2", settings: {title: news},')
    both.edit("service: keeper}\n  site", "service: keeper, settings: {greeting: welcome}}\n  site")
    after = both.infra()
    both.applied()
    assert both.page() == "news: welcome a-line\n\n"

    assert "only the configuration goes back" in both.undone()
    assert both.infra() == before
    assert both.page() == "a page: hello a-line\n\n"
    both.settled()

    both.undone(_last_run(both))
    assert both.infra() == after
    assert both.page() == "news: welcome a-line\n\n"
    both.settled()


def test_what_came_goes_without_its_data_and_what_went_comes_back_with_it(both: Both) -> None:
    both.page("kept")
    both.edit("  notes:", "  more: {on: cortex, service: keeper}\n  notes:")
    both.applied()
    assert "maison-more-1" in both.on("cortex", "docker", "ps")
    said = both.undone()
    assert "its data stays: maison_more-lines" in said
    assert "maison-more-1" not in both.on("cortex", "docker", "ps", "--all")
    assert "maison_more-lines" in both.on("cortex", "docker", "volume", "ls")

    text = both.infra().decode()
    site = next(f"{line}\n" for line in text.splitlines() if line.startswith("  site:"))
    both.edit(site, "")
    both.applied("--prune")
    assert "maison-site-1" not in both.on("cortex", "docker", "ps", "--all")
    both.undone()
    assert "kept" in both.page()
    both.settled()


def test_a_broken_update_leaves_only_the_text_to_be_taken_back(both: Both) -> None:
    before = both.infra()
    both.edit("service: web,", "service: web, settings: {broken: true},")
    done = both.patient("apply", "--yes")
    assert "service-update-taken-back" in done.said
    running = both.on("cortex", "docker", "ps", "--quiet")
    both.undone()
    assert both.infra() == before
    assert both.on("cortex", "docker", "ps", "--quiet") == running
    both.settled()


def test_a_changed_descriptor_is_in_no_plan_and_that_is_said(both: Both) -> None:
    file = both.folder / "catalog" / "keeper.yml"
    file.write_text(file.read_text().replace("default: hello", "default: welcome"))
    both.applied()
    assert "welcome" in both.page()
    done = both.patient("undo", "--yes")
    assert "files-stay" in done.said
    assert f"{DB}, {NOTES}, {SITE} " in done.said or f"{DB}, {NOTES} " in done.said
    assert "welcome" in both.page()


def test_a_machine_that_comes_back_brings_its_services(both: Both) -> None:
    both.notes("before")
    both.edit(f"notes: {{on: {BOX}, service: keeper}}", f"notes: {{on: {BOX}, service: keeper, settings: {{greeting: welcome}}}}")  # fmt: skip
    assert told(both.plan()).keys() == {"compose:home/box", NOTES}
    both.applied("--snapshot")
    assert both.notes("after") == "welcome before\nafter"
    both.undone()
    assert both.notes() == "hello before"
    both.settled()


def _last_run(both: Both) -> str:
    return str(both.ok("log", "--json").document["runs"][0]["name"])
