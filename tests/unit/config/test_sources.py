"""`Loaded.source`: where a thing is written, for diagnostics that only the plan can find."""

from pathlib import Path

import pytest

from freehold.config.load import Loaded, load
from freehold.config.places import path_text


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loaded:
    (tmp_path / "infra.d").mkdir()
    (tmp_path / "infra.yml").write_text(
        "freehold: 1\nname: test\ndomains:\n  web:\n    subnet_id: 0\n"
        "    machines:\n      app: {cpu: 2, config: {limits.processes: 9}}\n"
        "policies: [{from: web, to: internet, ports: [80]}]\n"
    )
    (tmp_path / "infra.d" / "db.yml").write_text(
        "domains:\n  db: {subnet_id: 1}\npolicies: [{from: db, to: web, ports: [80]}]\n"
    )
    monkeypatch.chdir(tmp_path)
    return load(Path())


@pytest.mark.parametrize(
    ("path", "place", "text"),
    [
        (("name",), "infra.yml:2:7", "name"),
        (("domains", "web"), "infra.yml:4:3", "domains.web"),
        (("domains", "web", "machines", "app"), "infra.yml:7:7", "domains.web.machines.app"),
        (
            ("domains", "web", "machines", "app", "cpu"),
            "infra.yml:7:18",
            "domains.web.machines.app.cpu",
        ),
        (
            ("domains", "web", "machines", "app", "config", "limits.processes"),
            "infra.yml:7:48",
            'domains.web.machines.app.config["limits.processes"]',
        ),
        (("domains", "db", "subnet_id"), "infra.d/db.yml:2:19", "domains.db.subnet_id"),
        (("policies", 0, "to"), "infra.yml:8:28", "policies[0].to"),
        (("policies", 1, "to"), "infra.d/db.yml:3:27", "policies[0].to"),
    ],
)
def test_what_is_written(
    loaded: Loaded, path: tuple[str | int, ...], place: str, text: str
) -> None:
    source = loaded.source(path)
    assert source is not None
    assert (str(source), source.path) == (place, text)
    assert source.text == Path(source.file).read_text().splitlines()[source.line - 1]


def test_what_is_not_written_is_shown_at_what_holds_it(loaded: Loaded) -> None:
    source = loaded.source(("domains", "web", "machines", "app", "image"))
    assert source is not None
    assert str(source) == "infra.yml:7:7"


def test_what_nothing_holds_has_no_place(loaded: Loaded) -> None:
    assert loaded.source(("gpu", "policy")) is None


@pytest.mark.parametrize(
    ("path", "text"),
    [((), ""), (("a", 0, 1, "b"), "a[0][1].b"), (("a", "b.c", 'd"', ""), 'a["b.c"]["d\\""][""]')],
)
def test_key_paths_as_text(path: tuple[str | int, ...], text: str) -> None:
    assert path_text(path) == text
