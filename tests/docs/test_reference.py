"""The reference and the explanations say what the code says."""

import re
from pathlib import Path

import pytest

from freehold.diagnostics import ExitCode
from freehold.model import addresses, names
from freehold.providers.incus.options import impact_of
from freehold.providers.incus.provider import KINDS
from tests.docs.cli_reference import PAGE, commands, page
from tests.docs.pages import ROOT

DOCS = ROOT / "docs"


def _rows(path: Path, first: str) -> list[list[str]]:
    """The cells of the table whose head begins with `first`, without their backticks."""
    lines = path.read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {first} |"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().strip("`") for cell in line.strip("|").split("|")])
    return rows


def test_the_page_of_commands_has_not_drifted() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "renew it: python -m tests.docs.cli_reference"
    )


def test_every_exit_code_has_its_row() -> None:
    rows = _rows(DOCS / "reference" / "exit-codes.md", "Code")
    assert {int(number): text for number, text, _ in rows} == {
        code.value: code.name.lower().replace("_", " ") for code in ExitCode
    }


def test_every_verb_is_told_with_its_exit_codes() -> None:
    told = re.findall(r"`([a-z]+)", "".join(row[0] + "`" for row in _by_verb()))
    verbs = {name.split()[0] for name in commands() if name}
    assert verbs - {"lab"} <= set(told)


def _by_verb() -> list[list[str]]:
    text = (DOCS / "reference" / "exit-codes.md").read_text(encoding="utf-8")
    return [[f"`{line}"] for line in text.split("## By verb")[1].splitlines() if "|" in line]


@pytest.mark.parametrize("row", _rows(DOCS / "explanation" / "impacts.md", "Field of an instance"))
def test_each_impact_is_that_of_the_code(row: list[str]) -> None:
    path, _, container, machine = row
    assert impact_of(path, {"type": "container"}).value == container
    assert impact_of(path, {"type": "vm"}).value == machine


def test_the_addresses_are_those_of_the_code() -> None:
    rows = {
        row[0].replace("`", ""): row[1]
        for row in _rows(DOCS / "explanation" / "addresses.md", "Address")
    }
    first, last = addresses.FIRST_ALLOCATED_HOST, addresses.LAST_STATIC_HOST
    assert list(rows) == [
        ".0",
        f".{addresses.GATEWAY_HOST}",
        f".{addresses.GATEWAY_HOST + 1} to .{last}",
        f".{first} to .{last}",
        f".{addresses.FIRST_DHCP_HOST} to .{addresses.LAST_DHCP_HOST}",
        ".255",
    ]


def test_the_names_are_those_of_the_code() -> None:
    text = (DOCS / "explanation" / "addresses.md").read_text(encoding="utf-8")
    assert f"`{names.bridge_name('averylongdomainname')}`" in text
    assert f"at most {names.INTERFACE_NAME_LIMIT} characters" in text
    assert f"at most {names.INSTANCE_NAME_LIMIT} characters" in text
    reserved = re.search(
        r"characters\n?\s*and is unique in the estate\. (.*?) cannot be names", text, re.DOTALL
    )
    assert reserved is not None
    assert set(re.findall(r"`(\w+)`", reserved[1])) == names.RESERVED_DOMAINS


def test_the_kinds_are_those_of_the_code() -> None:
    text = (DOCS / "how-to" / "change-an-estate.md").read_text(encoding="utf-8")
    told = re.search(r"The kinds are (.*?)\.\n", text, re.DOTALL)
    assert told is not None
    assert set(re.findall(r"`(\w+)`", told[1])) == set(KINDS)


def test_every_verb_is_in_the_readme() -> None:
    rows = {row[0] for row in _rows(ROOT / "README.md", "Verb")}
    assert rows == {name for name in commands() if name and " " not in name}
