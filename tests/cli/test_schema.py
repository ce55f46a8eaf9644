"""`freehold schema`, as typed."""

import json
from pathlib import Path

from tests.cli.conftest import Freehold


def test_it_prints_a_json_schema(freehold: Freehold) -> None:
    done = freehold("schema")
    assert done.returncode == 0
    assert "domains" in json.loads(done.stdout)["properties"]


def test_the_file_is_what_init_writes(freehold: Freehold, tmp_path: Path) -> None:
    assert freehold("schema", "--out", "schema.json").returncode == 0
    freehold("init", "estate")
    made = (tmp_path / "estate" / "infra.schema.json").read_text()
    assert (tmp_path / "schema.json").read_text() == made


def test_a_place_where_nothing_can_be_written(freehold: Freehold) -> None:
    done = freehold("schema", "--out", "no/such/folder/x.json")
    assert done.returncode == 1
    assert "cannot-write" in done.stderr
