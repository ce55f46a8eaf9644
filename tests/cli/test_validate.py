"""`freehold validate`, as typed and as scripts read it."""

import json
from pathlib import Path
from typing import Any

from tests.cli.conftest import Freehold
from tests.unit.operations.incus_server import incus_server

VALID = "freehold: 1\nname: test\ndomains:\n  one:\n    subnet_id: 0\n    machines: {a: {}}\n"
TYPO = VALID.replace("machines: {a: {}}", "machines: {a: {memry: 1GiB}}")
OPTION = VALID.replace("{a: {}}", "{a: {config: {boot.autostrat: 'true'}}}")
KEYS: dict[str, Any] = {"configs": {"instance": {"boot": {"keys": [{"boot.autostart": {}}]}}}}


def test_a_valid_file(freehold: Freehold, tmp_path: Path) -> None:
    (tmp_path / "infra.yml").write_text(VALID)
    done = freehold("validate")
    assert (done.returncode, done.stdout) == (0, "infra.yml is valid: 1 domain, 1 machine.\n")
    assert done.stderr == ""


def test_a_wrong_file_is_told_with_place_and_remedy(freehold: Freehold, tmp_path: Path) -> None:
    (tmp_path / "infra.yml").write_text(TYPO)
    done = freehold("validate")
    assert done.returncode == 3
    assert done.stdout == ""
    assert "infra.yml:6:" in done.stderr
    assert "`memory`" in done.stderr


def test_scripts_get_the_contract(freehold: Freehold, tmp_path: Path) -> None:
    (tmp_path / "infra.yml").write_text(TYPO)
    done = freehold("validate", "--json")
    assert done.returncode == 3
    answer = json.loads(done.stdout)
    assert (answer["schema"], answer["kind"], answer["valid"]) == (1, "validate", False)
    (problem,) = answer["diagnostics"]
    assert problem.keys() == {
        "severity", "code", "summary", "detail", "file", "line", "column", "path", "hint",
    }  # fmt: skip
    assert (problem["code"], problem["line"]) == ("unknown-key", 6)
    (tmp_path / "infra.yml").write_text(VALID)
    done = freehold("--json", "validate")
    assert done.returncode == 0
    assert json.loads(done.stdout)["valid"] is True


def test_without_a_file(freehold: Freehold) -> None:
    done = freehold("validate")
    assert done.returncode == 3
    assert "freehold init" in done.stderr


def test_options_are_checked_only_where_a_server_says_which_exist(
    freehold: Freehold, tmp_path: Path
) -> None:
    (tmp_path / "infra.yml").write_text(OPTION)
    assert freehold("validate").returncode == 0
    with incus_server(tmp_path / "s", {"/1.0/metadata/configuration": KEYS}):
        done = freehold("validate", INCUS_SOCKET=str(tmp_path / "s"))
    assert done.returncode == 3
    assert "boot.autostart" in done.stderr
