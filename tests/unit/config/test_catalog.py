"""Descriptors: what comes with Freehold is right, a user's own works like it, and templates are read without filling them in."""

import json
import subprocess
import sys
from dataclasses import fields
from datetime import date
from pathlib import Path

import pytest
from jinja2 import UndefinedError
from jinja2.exceptions import SecurityError

from freehold.config.catalog.build import build
from freehold.config.catalog.catalog import Catalog, built_in_folder, read_descriptor
from freehold.config.catalog.checks import descriptor_problems
from freehold.config.catalog.document import DescriptorDocument
from freehold.config.catalog.reference import pages
from freehold.config.catalog.template_checks import templates_of
from freehold.config.catalog.templates import fill_in, unknown_names, wrong_syntax
from freehold.config.schema import descriptor_schema, json_schema_text
from freehold.model.descriptors import Descriptor, Need, PortOffer

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"
BUILT_IN = sorted(path.stem for path in built_in_folder().glob("*.yml"))

APP = """\
title: App
description: A web program
version: "1.0"
container: {image: registry.example.org/app}
"""
WITHOUT_HEALTH = {"exportarr"}
"""Images that hold their program alone, which cannot be asked from inside: whoever measures it sees whether it serves."""


def descriptor(name: str) -> Descriptor:
    entry = Catalog(None).entry(name)
    assert entry is not None
    assert entry.descriptor is not None, entry.problems
    return entry.descriptor


def own(folder: Path, name: str, text: str) -> Catalog:
    (folder / "catalog").mkdir(exist_ok=True)
    (folder / "catalog" / f"{name}.yml").write_text(text)
    return Catalog(folder)


def test_there_are_descriptors() -> None:
    assert {"postgresql", "redis", "caddy", "prometheus", "node-exporter"} <= set(BUILT_IN)
    assert Catalog(None).names() == BUILT_IN


@pytest.mark.parametrize("name", BUILT_IN)
def test_what_comes_with_freehold_has_no_problems(name: str) -> None:
    document, tree, problems = read_descriptor(built_in_folder() / f"{name}.yml")
    assert problems == []
    assert document is not None
    made = build(name, document)
    needed = {need.name: descriptor(need.service) for need in made.needs}
    assert descriptor_problems(tree, document, made, needed) == []


@pytest.mark.parametrize("name", BUILT_IN)
def test_what_comes_with_freehold_is_complete(name: str) -> None:
    found = descriptor(name)
    assert found.website.startswith("https://")
    assert found.memory is not None
    assert found.cpu is not None
    assert found.ports
    if found.container is not None:
        assert (found.health is None) is (name in WITHOUT_HEALTH)
        assert found.container.image.count("/") >= 2, "the registry is named"
    for data in found.data:
        assert data.description, data.name


def test_templates_of_every_kind_are_looked_at() -> None:
    places = {path[0] for path, _ in templates_of(descriptor("redis"))}
    assert places == {"container", "files", "data", "health"}
    assert {"alerts"} <= {path[0] for path, _ in templates_of(descriptor("caddy"))}
    takeover = ("secrets", "password", "takeover", 0)
    assert takeover in {path for path, _ in templates_of(descriptor("postgresql"))}


def test_an_own_descriptor_goes_before_the_one_of_freehold(tmp_path: Path) -> None:
    catalog = own(tmp_path, "redis", APP)
    entry = catalog.entry("redis")
    assert entry is not None
    assert entry.own
    assert entry.descriptor is not None
    assert entry.descriptor.title == "App"
    assert catalog.names() == BUILT_IN


def test_a_broken_own_descriptor_is_not_replaced_by_that_of_freehold(tmp_path: Path) -> None:
    entry = own(tmp_path, "redis", "title: App\n").entry("redis")
    assert entry is not None
    assert entry.descriptor is None
    assert [each.code for each in entry.problems] == ["missing-key", "missing-key"]


@pytest.mark.parametrize("name", ["../infra", "a/b", "", "Redis", "redis.yml"])
def test_a_name_never_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "infra.yml").write_text(APP)
    assert own(tmp_path, "app", APP).entry(name) is None


def test_two_that_need_each_other_can_be_read(tmp_path: Path) -> None:
    """That is a cycle of descriptors, not yet one of services."""
    own(tmp_path, "hen", APP + "needs: {origin: {service: egg}}\n")
    catalog = own(tmp_path, "egg", APP + "needs: {parent: {service: hen}}\n")
    entry = catalog.entry("hen")
    assert entry is not None
    assert entry.problems == ()


def test_the_end_of_life_is_that_of_the_line() -> None:
    found = descriptor("postgresql")
    assert found.end_of_life("13.2") == date(2025, 11, 13)
    assert found.end_of_life("17") == date(2029, 11, 8)
    assert found.end_of_life("12.3") == date(2025, 11, 13), "older than all that are listed"
    assert found.end_of_life("9.6.1") == date(2025, 11, 13)
    assert found.end_of_life("latest") is None
    assert found.end_of_life("170.1") is None
    nearer = Descriptor(
        name="a", title="", description="", version="3.5.1",
        ends={"3": date(2030, 1, 1), "3.5": date(2026, 1, 1)},
    )  # fmt: skip
    assert nearer.end_of_life("3.5.1") == date(2026, 1, 1)
    assert nearer.end_of_life("3.6") == date(2030, 1, 1)


def test_a_need_uses_the_first_port_unless_it_says_otherwise() -> None:
    offers = (PortOffer(name="main", number=1), PortOffer(name="other", number=2))
    needed = Descriptor(name="a", title="", description="", version="1", ports=offers)
    assert Need(name="n", service="a").used(needed) == offers[:1]
    assert Need(name="n", service="a", ports=("other",)).used(needed) == offers[1:]


NAMES = {"settings": {"name": None}, "needs": {"db": {"host": None}}, "version": None}


@pytest.mark.parametrize(
    ("template", "unknown"),
    [
        ("no template { at all", []),
        ("{{ settings.name.upper() }}", []),
        ("{% if false %}{{ settings.nam }}{% endif %}", ["nam"]),
        ('{{ settings["nam"] }}', ["nam"]),
        ("{{ nothing }}", ["nothing"]),
        ("{% for name in settings.name.split() %}{{ name }}{% endfor %}", []),
        ("{% set text = needs.db.host %}{{ text }}", []),
        ("{{ needs.db.port | default(1) }}", ["port"]),
        ("{{ settings.name | uper }}", ["uper"]),
        ("{% if version is oddly %}{% endif %}", ["oddly"]),
        ("{{ lipsum() }}", ["lipsum"]),
    ],
)
def test_unknown_names_of_templates(template: str, unknown: list[str]) -> None:
    assert [word for word, _, _ in unknown_names(template, NAMES)] == unknown


@pytest.mark.parametrize(
    "template",
    ["{{ a", "{% if a %}", "{{ a b }}", '{% include "/etc/passwd" %}', '{% import "x" as x %}'],
)
def test_what_is_no_template_here(template: str) -> None:
    assert wrong_syntax(template) is not None


def test_filling_in_takes_nothing_that_is_missing_and_runs_nothing() -> None:
    assert fill_in("a {{ version }}\n", {"version": "1.0"}) == "a 1.0\n"
    with pytest.raises(UndefinedError):
        fill_in("{{ settings.x }}", {"settings": {}})
    with pytest.raises(SecurityError):
        fill_in("{{ ''.__class__.__mro__[1].__subclasses__() }}", {})


def test_a_configuration_file_of_freehold_is_filled_in() -> None:
    """Those that tell of the whole estate are looked at where their programs are: tests/ingress, tests/monitoring."""
    values = {
        "ports": {"redis": 6379},
        "settings": {"memory": "64mb", "eviction": "noeviction"},
        "secret": {"password": "open", "monitoring": "ajar"}.__getitem__,
    }
    (file,) = descriptor("redis").files
    text = fill_in(file.content, values)
    assert text.startswith("port 6379\ndir /data\n")
    assert "maxmemory 64mb\n" in text
    assert 'requirepass "open"\n' in text
    assert '\nuser freehold_monitoring on ">ajar" resetkeys resetchannels -@all +ping ' in text


def test_the_reference_of_the_catalog_has_not_drifted() -> None:
    made = dict(pages())
    for name, text in made.items():
        assert (REFERENCE / name).read_text() == text, (
            "renew it: python -c \"from freehold.config.reference import write; write('docs/reference')\""
        )
    kept = {path.relative_to(REFERENCE) for path in (REFERENCE / "catalog").glob("*.md")}
    assert kept == {name for name in made if name.parent.name == "catalog"}


def test_the_schema_of_descriptors_knows_every_key() -> None:
    schema = json.loads(json_schema_text(catalog=True))
    assert schema == descriptor_schema()
    assert list(schema["properties"]) == list(DescriptorDocument.model_fields)
    assert schema["required"] == ["title", "description", "version"]
    assert schema["properties"]["ports"]["additionalProperties"] is False
    for part in [schema, *schema["$defs"].values()]:
        for name, field in part.get("properties", {}).items():
            assert field.get("description") or "$ref" in field, name


def test_the_model_has_what_the_schema_has() -> None:
    written = set(DescriptorDocument.model_fields)
    assert {field.name for field in fields(Descriptor)} == {*written, "name"}


@pytest.mark.allow("process")
def test_an_estate_without_services_imports_nothing_of_the_catalog(tmp_path: Path) -> None:
    (tmp_path / "infra.yml").write_text("freehold: 1\nname: test\n")
    code = (
        "import sys; from pathlib import Path; from freehold.config.load import load; "
        "assert load(Path()).infra; "
        "print([m for m in sys.modules if 'catalog' in m or 'descriptors' in m or m == 'jinja2'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


WITH_FILES = (
    APP + "files: {/app/run.py: {source: files/run.py}, /etc/app: {content: 'is {{ version }}'}}\n"
)


def test_a_file_beside_the_descriptor_is_taken_as_it_is(tmp_path: Path) -> None:
    catalog = own(tmp_path, "app", WITH_FILES)
    (tmp_path / "catalog" / "files").mkdir()
    (tmp_path / "catalog" / "files" / "run.py").write_text('print("{{ not.a.template }}")\n')
    entry = catalog.entry("app")
    assert entry is not None
    assert entry.descriptor is not None, entry.problems
    program, written = entry.descriptor.files
    assert (program.content, program.verbatim) == ('print("{{ not.a.template }}")\n', True)
    assert (written.content, written.verbatim) == ("is {{ version }}", False)


@pytest.mark.parametrize(
    ("files", "code", "says"),
    [
        ("{source: files/none.py}", "unreadable-source", "none.py"),
        ("{source: ../secrets.yml}", "invalid-value", "no path below the descriptor's own folder"),
        ("{source: /etc/passwd}", "invalid-value", "no path below"),
        ("{source: files/.hidden}", "invalid-value", "no path below"),
        ("{source: files/a, content: b}", "file-without-content", "both of"),
        ("{mode: '0600'}", "file-without-content", "neither of"),
    ],
)
def test_a_file_that_is_not_there_or_twice(
    tmp_path: Path, files: str, code: str, says: str
) -> None:
    entry = own(tmp_path, "app", APP + f"files: {{/app/run.py: {files}}}\n").entry("app")
    assert entry is not None
    [problem] = entry.problems
    assert problem.code == code
    assert says in (problem.detail or "")


def test_any_name_of_an_owner_is_one_word_to_the_shell() -> None:
    found = descriptor("postgresql")
    (dump,) = [each.pre[-1] for each in found.data if each.pre]
    shown = fill_in(dump, {"settings": {"user": "my user; id"}})
    assert "--username='my user; id' >" in shown
