"""Whatever a file holds, loading ends in a model or in diagnostics with a place: never in an exception."""

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from freehold.config.codes import CODES, MOST_PROBLEMS
from freehold.config.load import Loaded, load

BLUEPRINT = (
    Path(__file__).parents[2] / "cases" / "valid" / "everything.yml"
).read_text()  # has every key of the language

LANGUAGE = """
freehold name defaults image trust storage network base firewall gpu policy domains web db subnet_id
description profiles big machines app type ip cpu memory disk control protect volumes data path size
config limits.memory security.nesting devices provision apt pip git repo dest version script src
creates roles vars policies from to ports protocol bidirectional reason hosts on
"""
PLAUSIBLE = """
web db web/app host internet vm container admin shared exclusive tcp icmp 1GiB 8Gib 256MiB /srv /proc
debian/13 10.100.0.10 10.100.1.1 10.0.0.0/8 10.100.0.1/16 8000-8100 big gpu 22:22
"""
KEYS = st.sampled_from(LANGUAGE.split())
WORDS = st.sampled_from(PLAUSIBLE.split())
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), WORDS, st.text(max_size=8)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(KEYS | st.text(max_size=4), inner, max_size=5)
    ),
    max_leaves=12,
)


def loaded(content: bytes) -> Loaded:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "infra.yml").write_bytes(content)
        result = load(Path(folder))
    check(result)
    return result


def check(result: Loaded) -> None:
    errors = [diagnostic for diagnostic in result.diagnostics if diagnostic.is_error]
    assert (result.infra is None) == bool(errors)
    for diagnostic in result.diagnostics:
        assert diagnostic.code in CODES
        assert diagnostic.source is not None
        assert diagnostic.source.file.endswith("infra.yml")
        assert diagnostic.source.line >= 1
        assert diagnostic.source.column >= 1
        assert diagnostic.hint
        json.dumps(diagnostic.as_json())
    places = [(d.source.line, d.source.column) for d in result.diagnostics if d.source]
    assert places == sorted(places)


@given(st.binary(max_size=300))
def test_arbitrary_bytes(content: bytes) -> None:
    loaded(content)


@given(st.text(alphabet="ab:-?[]{}#&*!|>'\"%@`\\ \n\t~.,0129yno<=\r", max_size=80))
def test_text_of_the_signs_of_yaml(text: str) -> None:
    loaded(text.encode())


@given(st.text(max_size=120))
def test_arbitrary_text_behind_a_good_beginning(text: str) -> None:
    loaded(("freehold: 1\nname: test\ndomains:\n  web:\n    subnet_id: 0\n    " + text).encode())


@given(VALUES)
def test_arbitrary_documents(value: Any) -> None:
    loaded(yaml.safe_dump(value, allow_unicode=True).encode())


@given(
    st.dictionaries(
        st.sampled_from(["web", "db", "Bad Name", "no", "host"]),
        st.dictionaries(KEYS, VALUES, max_size=6),
        max_size=3,
    ),
    st.lists(st.dictionaries(KEYS, VALUES, max_size=4), max_size=3),
)
def test_documents_that_are_nearly_right(domains: dict[str, Any], policies: list[Any]) -> None:
    estate = {"freehold": 1, "name": "test", "domains": domains, "policies": policies}
    loaded(yaml.safe_dump(estate).encode())


@given(st.data())
def test_a_good_file_with_one_piece_replaced(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(BLUEPRINT)))
    length = data.draw(st.integers(0, 12))
    piece = data.draw(st.text(alphabet="ab:-[]{}#&*!|>'\" \n\t~.,0/", max_size=6))
    loaded((BLUEPRINT[:start] + piece + BLUEPRINT[start + length :]).encode())


@given(st.data())
def test_a_good_file_with_one_value_replaced(data: st.DataObject) -> None:
    estate = yaml.safe_load(BLUEPRINT)
    node: Any = estate
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key = data.draw(st.sampled_from(keys))
        inside = node[key]
        if not isinstance(inside, dict | list) or not inside or data.draw(st.booleans()):
            break
        node = inside
    node[key] = data.draw(VALUES)
    loaded(yaml.safe_dump(estate).encode())


@given(
    st.lists(st.integers(0, 300), max_size=6, unique=True),
    st.lists(st.integers(0, 255), max_size=5),
)
def test_right_documents_are_right(subnets: list[int], hosts: list[int]) -> None:
    """An estate without a mistake is accepted, and each mistake drawn here is found."""
    third = subnets[0] if subnets else 0
    machines = {f"m{n}": {"ip": f"10.100.{third}.{host}"} for n, host in enumerate(hosts)}
    domains: dict[str, Any] = {f"d{n}": {"subnet_id": number} for n, number in enumerate(subnets)}
    if domains:
        domains["d0"]["machines"] = machines
    wrong_subnet = any(number > 255 for number in subnets)
    wrong_host = bool(domains) and (
        len(set(hosts)) < len(hosts) or any(not 2 <= host <= 199 for host in hosts)
    )
    wrong = wrong_subnet or wrong_host
    result = (
        loaded(yaml.safe_dump({"freehold": 1, "name": "test", "domains": domains}).encode())
        if subnets
        else loaded(b"freehold: 1\nname: test\n")
    )
    assert (result.infra is None) == (wrong if subnets else False)


@pytest.mark.parametrize("mistake", ["{}", "{subnet_id: x}", "{subnet_id: 0, x: 1}"])
def test_of_very_many_problems_the_first_thousand_are_shown(mistake: str) -> None:
    """Thousands of equal mistakes must not be compared each with each, nor all be printed."""
    domains = "".join(f"  d{n}: {mistake}\n" for n in range(5000))
    found = loaded(f"freehold: 1\nname: test\ndomains:\n{domains}".encode()).diagnostics
    assert len(found) == MOST_PROBLEMS + 1
    assert found[-1].code == "too-many-problems"
    lines = [diagnostic.source.line for diagnostic in found if diagnostic.source]
    assert lines[0] == 4
    assert lines[-1] <= 4 + MOST_PROBLEMS
