"""What `freehold updates` prints: never that all is new of what nobody could look at, and how old the catalog is."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from io import StringIO

from freehold.config.catalog.dated import VERSIONS_AS_OF
from freehold.operations.updates import Update
from freehold.views.updates import render_updates, updates_document

TODAY = VERSIONS_AS_OF + timedelta(days=3)
DB = Update(
    name="db",
    kind="postgresql",
    target="cortex",
    running="17.7",
    wanted="17.7",
    newest_in_catalog="17.7",
)
CACHE = replace(DB, name="cache", kind="redis", target="synapse")
ALL_IS_NEW = "Everything runs in the version of the catalog."


def unknown(update: Update) -> Update:
    return replace(update, running="", is_known=False)


def rendered(found: Sequence[Update], today: date = TODAY) -> str:
    stream = StringIO()
    render_updates(found, today, stream)
    return stream.getvalue()


def test_all_that_runs_is_known_and_new() -> None:
    assert ALL_IS_NEW in rendered([DB, CACHE])


def test_of_what_nobody_looked_at_nothing_is_claimed() -> None:
    text = rendered([unknown(DB), unknown(CACHE)])
    assert ALL_IS_NEW not in text
    assert text.count("not known ") == 2
    assert (
        "Not known of 2 of 2 services, on cortex, synapse: what runs there could not be looked at."
        in text
    )


def test_nor_is_it_when_one_of_two_was_looked_at() -> None:
    text = rendered([DB, unknown(CACHE)])
    assert ALL_IS_NEW not in text
    assert "Not known of 1 of 2 services, on synapse" in text


def test_what_is_not_there_is_said_to_be_so() -> None:
    text = rendered([DB, replace(CACHE, running="")])
    assert ALL_IS_NEW not in text
    assert "Not there: cache." in text
    assert "–" in text


def test_what_is_behind_is_told_beside_what_is_not_known() -> None:
    text = rendered([replace(DB, running="17.6"), unknown(CACHE)])
    assert "Not what infra.yml asks for: db." in text
    assert "Not known of 1 of 2 services" in text


def test_how_old_the_catalog_is() -> None:
    assert f"Versions of the catalog as of {VERSIONS_AS_OF}.\n" in rendered([DB])
    old = rendered([DB], VERSIONS_AS_OF + timedelta(days=200))
    assert f"as of {VERSIONS_AS_OF}, 200 days ago: a newer Freehold may know later ones." in old
    assert date.today() >= VERSIONS_AS_OF  # noqa: DTZ011 (a day, wherever)


def test_the_same_as_json() -> None:
    document = updates_document([DB, unknown(CACHE)], TODAY)
    assert document["catalog_as_of"] == VERSIONS_AS_OF.isoformat()
    told = [(each["service"], each["known"], each["running"]) for each in document["services"]]
    assert told == [("db", True, "17.7"), ("cache", False, None)]
