"""Whatever a variable holds, Ansible reads back the same value."""

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.config.scalars import resolve
from freehold.config.yaml_text import as_yaml

TRICKY = [
    "no", "Yes", "y", "on", "~", "null", "NULL", "", " ", "0755", "0o755", "1e3", "1E-3", "0x1F", "1_000", "22:22", "1.10",
    "2024-01-31", "2024-01-31 10:00:00", ".inf", "-.nan", "+1", "=", "<<", "- a", "? a", ": a", "a: b", "a #b", "#a",
    "{{ a }}", "{% if a %}b{% endif %}", "{# c #}", "!vault", "!unsafe a", "&a", "*a", "|", ">", "%YAML", "@a", "`a", "'", '"',
    "a\nb", "a\nb\n", "a\n\n\nb\n\n", "\na", " a\nb", "a \nb", "\ta\n\tb", "a\r\nb", "\r", "\u0085", "\u2028", "\ufeff", "\x00", "\x07",
    "\x1b[31m", "é", "日本語", "👩‍🚀", "\ud7ff", "a" * 300, "word " * 60, "...", "---", "--- a", "a\n---\nb", "a\n...\nb", "\\n", "\\", "$ANSIBLE_VAULT;1.1;AES256\n6162",
]  # fmt: skip
TEXTS = st.one_of(
    st.sampled_from(TRICKY),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.text("ab \n\t:#-'\"{}[]!&*|>%@`,?\\é\u2028", max_size=30),
)
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**18), 10**18),
        st.floats(allow_nan=False, allow_infinity=False),
        TEXTS,
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)


def as_ansible_reads(text: str) -> Any:
    """Without the types that Ansible gives to what it reads."""
    return json.loads(json.dumps(DataLoader().load(text, file_name="/vars.yml")))


@pytest.mark.parametrize("text", TRICKY)
def test_texts_that_parsers_like_to_read_otherwise(text: str) -> None:
    assert as_ansible_reads(as_yaml({"a": text, "b": [text], "c": {text: text}})) == {
        "a": text,
        "b": [text],
        "c": {text: text},
    }


@settings(max_examples=400)
@given(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=5))
def test_any_variables_survive(values: dict[str, Any]) -> None:
    assert as_ansible_reads(as_yaml(values)) == values


@pytest.mark.parametrize("text", ["y", "1e3", "0o17", "1_000", "22:22", "off", "1.", "007"])
def test_parsers_of_yaml_1_2_read_text_as_text_too(text: str) -> None:
    assert not isinstance(resolve(text), str)
    assert as_yaml({"a": text}) == f'a: "{text}"\n' or as_yaml({"a": text}) == f"a: '{text}'\n"


def test_a_text_of_several_lines_stays_readable() -> None:
    assert as_yaml({"motd": "hello\n\nworld\n"}) == "motd: |\n  hello\n\n  world\n"


def test_keys_keep_their_order_and_lists_stand_below_theirs() -> None:
    assert as_yaml({"b": [1, {"x": 1, "a": 2}], "a": {}}) == (
        "b:\n  - 1\n  - x: 1\n    a: 2\na: {}\n"
    )


def test_the_same_list_twice_is_written_twice(tmp_path: Path) -> None:
    shared = ["x"]
    assert as_yaml({"a": shared, "b": shared}) == "a:\n  - x\nb:\n  - x\n"
