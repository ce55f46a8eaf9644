"""Unquoted scalars: YAML 1.2's core schema, and a refusal where YAML 1.1 reads something else."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from freehold.config.scalars import Refused, is_ambiguous_name, resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("NULL", None),
        ("true", True),
        ("False", False),
        ("0", 0),
        ("-7", -7),
        ("+12", 12),
        ("65535", 65535),
        ("1.5", 1.5),
        (".5", 0.5),
        ("-0.25", -0.25),
        ("007.5", 7.5),
        ("debian/13", "debian/13"),
        ("8GiB", "8GiB"),
        ("10.100.0.10", "10.100.0.10"),
        ("80:80", "80:80"),
        ("8000-8100", "8000-8100"),
        ("yesterday", "yesterday"),
        ("-", "-"),
        (".", "."),
        ("v1_2", "v1_2"),
        ("2024-13", "2024-13"),
    ],
)
def test_what_all_parsers_agree_on(text: str, value: object) -> None:
    found = resolve(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        *("y", "Y", "yes", "YES", "n", "no", "No", "on", "On", "off", "OFF"),
        *("010", "0777", "-012", "0o17", "0x1F", "0b11", "1_000", "1_0.5", "00"),
        *("22:22", "1:30:00", "190:20:30.15", "1e3", "1.5e3", "12e4567", "1.5e+3", ".inf", "-.inf"),
        *(".NaN", "2024-01-31", "2024-01-31T10:00:00Z", "9" * 19),
    ],
)
def test_what_parsers_disagree_on_is_refused_with_a_remedy(text: str) -> None:
    found = resolve(text)
    assert isinstance(found, Refused)
    assert f'"{text}"' in found.instead


@pytest.mark.parametrize("text", ["no", "on", "true", "null", "~", "12", "1.5", "010", ""])
def test_names_that_are_not_text_to_everybody(text: str) -> None:
    assert is_ambiguous_name(text)


@given(st.text(alphabet="0123456789_.:-+eExXobTZyYnNofFs~", max_size=12))
def test_what_is_read_as_text_is_text_to_yaml_1_1_too(text: str) -> None:
    """PyYAML's resolver knows YAML 1.1: whatever we take for plain text must be that to it as well."""
    if isinstance(resolve(text), str):
        resolver: Any = yaml.SafeLoader("")
        tag = resolver.resolve(yaml.ScalarNode, text, (True, False))
        assert tag == "tag:yaml.org,2002:str"


@pytest.mark.parametrize("text", ["1" * 1_000_000 + "x", "1_" * 500_000 + "x", "1:" * 500_000])
def test_long_scalars_are_read_in_linear_time(text: str) -> None:
    assert isinstance(resolve(text), str | Refused)
