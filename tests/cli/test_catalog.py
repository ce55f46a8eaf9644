"""`freehold catalog`, as typed."""

import json
from pathlib import Path

from tests.cli.conftest import Freehold

OWN = """\
title: Shop
description: Sells what the garden gives
version: "1.4"
container: {image: registry.example.org/shop}
settings:
  domain: {description: Where it is reached}
  colour: {description: Of the page, default: green, choices: [green, red]}
"""


def write(folder: Path, name: str, text: str) -> None:
    (folder / "catalog").mkdir(exist_ok=True)
    (folder / "catalog" / f"{name}.yml").write_text(text)


def test_it_lists_what_there_is_without_any_estate(freehold: Freehold) -> None:
    done = freehold("catalog", "list")
    assert (done.returncode, done.stderr) == (0, "")
    head, *rows = done.stdout.splitlines()
    assert head.split("  ")[0] == "NAME"
    names = [row.split()[0] for row in rows if row[0] != " "]
    assert names == sorted(names)
    assert {"postgresql", "redis", "caddy"} <= set(names)


def test_ones_own_are_among_them_and_said_to_be(freehold: Freehold, tmp_path: Path) -> None:
    (tmp_path / "estate").mkdir()
    write(tmp_path / "estate", "shop", OWN)
    listed = json.loads(freehold("-C", "estate", "catalog", "list", "--json").stdout)
    own = [each for each in listed["services"] if each["own"]]
    assert own == [
        {
            "name": "shop",
            "own": True,
            "title": "Shop",
            "description": "Sells what the garden gives",
            "version": "1.4",
            "end_of_life": None,
            "runs_as": ["container"],
        }
    ]
    assert "(yours)" in freehold("-C", "estate", "catalog", "list").stdout


def test_a_broken_one_is_listed_and_told(freehold: Freehold, tmp_path: Path) -> None:
    write(tmp_path, "shop", OWN.replace("version", "versoin"))
    done = freehold("catalog", "list")
    assert done.returncode == 0
    assert "Has errors" in done.stdout
    assert "unknown-key" in done.stderr
    shown = freehold("catalog", "show", "shop")
    assert (shown.returncode, shown.stdout) == (3, "")
    assert "Did you mean `version`?" in shown.stderr


def test_a_broken_infra_yml_does_not_hide_the_catalog(freehold: Freehold, tmp_path: Path) -> None:
    (tmp_path / "infra.yml").write_text("freehold: [\n")
    assert freehold("catalog", "show", "redis").returncode == 0


def test_what_may_be_chosen_is_shown(freehold: Freehold, tmp_path: Path) -> None:
    write(tmp_path, "shop", OWN)
    shown = freehold("catalog", "show", "shop").stdout
    assert "Where it is reached" in shown
    assert "(must be given)" in shown
    assert "green | red" in shown
    example = shown.split("In infra.yml:\n")[1]
    lines = "".join(f"{line[4:]}\n" for line in example.splitlines())
    text = lines.replace("TARGET", "cortex").replace("…", "shop.example.org")
    (tmp_path / "infra.yml").write_text(
        f"freehold: 1\nname: test\nhosts: {{cortex: {{address: 203.0.113.20}}}}\n{text}"
    )
    assert freehold("validate").returncode == 0, "what it proposes is valid"


def test_the_document_of_one(freehold: Freehold) -> None:
    document = json.loads(freehold("catalog", "show", "postgresql", "--json").stdout)
    assert (document["schema"], document["kind"]) == (1, "descriptor")
    assert document["image"].startswith("docker.io/library/postgres:")
    assert document["memory"] == 128 * 1024**2
    assert [port["number"] for port in document["ports"]] == [5432]
    assert {data["name"]: data["backup"] for data in document["data"]} == {
        "cluster": False,
        "dumps": True,
    }


def test_one_that_is_not_there(freehold: Freehold) -> None:
    done = freehold("catalog", "show", "postgres")
    assert (done.returncode, done.stdout) == (64, "")
    assert "Did you mean `postgresql`?" in done.stderr
    assert freehold("catalog", "show", "../redis").returncode == 64


def test_the_schema_of_descriptors(freehold: Freehold) -> None:
    done = freehold("schema", "--catalog")
    assert done.returncode == 0
    assert "container" in json.loads(done.stdout)["properties"]
