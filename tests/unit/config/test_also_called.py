"""Words that people have for services."""

import pytest

from freehold.config.catalog import also_called
from freehold.config.catalog.also_called import meant
from freehold.config.catalog.catalog import Catalog


@pytest.mark.parametrize(
    ("word", "entry"),
    [
        ("uptime probe", "blackbox-exporter"),
        ("uptime-probe", "blackbox-exporter"),
        ("Postgres", "postgresql"),
        ("reverse_proxy", "caddy"),
        ("login", "authelia"),  # though `loki` is written nearly so
        ("prometeus", "prometheus"),
    ],
)
def test_a_word_leads_to_the_entry_that_is_meant(word: str, entry: str) -> None:
    assert meant(word, Catalog(None).names()) == f"Did you mean `{entry}`?"


def test_a_word_for_nothing_leads_to_some_that_there_are() -> None:
    hint = meant("zzzz", ["one", "two"])
    assert hint == "Valid here: `one`, `two`."


def test_words_stand_for_entries_that_there_are_and_are_none_themselves() -> None:
    names = set(Catalog(None).names())
    assert set(also_called._WORDS) <= names
    assert not names & set(also_called._ENTRIES)
