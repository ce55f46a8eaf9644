"""The page as text: what it says, in both languages, and that nothing foreign becomes a part of it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from freehold.diagnostics import Diagnostic
from freehold.operations.overview.facts import Overview
from freehold.views.languages import LANGUAGES
from freehold.views.overview_document import overview_document
from freehold.views.ui import Fresh, overview_page, refusal_page, run_page
from tests.ui.estates import DONE, EMPTY, FAILED, TROUBLED, WELL
from tests.ui.extremes import POISON, hostile, large

SCENES = {
    "well": WELL,
    "troubled": TROUBLED,
    "empty": EMPTY,
    "large": large(500),
    "hostile": hostile(),
}
_VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """A page taken apart: its elements with their attributes, its text, and whether all that was opened is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, Mapping[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[Mapping[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page_of(overview: Overview, language: str = "en", **fresh: Any) -> Page:
    return Page(overview_page(overview_document(overview), Fresh(**fresh), language))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("scene", SCENES)
def test_a_page_is_whole(scene: str, language: str) -> None:
    page = page_of(SCENES[scene], language)
    assert page.open == []
    assert page.all("html") == [{"lang": language}]
    assert len(page.all("h1")) == 1
    assert page.all("script") == [{"src": "/page.js", "defer": None}]
    assert not any(
        "style" in attributes for _, attributes in page.elements
    )  # the policy would refuse it
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [each["href"] or "" for each in page.all("a") + page.all("use")]
    assert {link.removeprefix("#") for link in links if link.startswith("#")} <= set(ids)


def test_names_from_outside_are_text_and_nothing_else() -> None:
    page = page_of(hostile(), age=3)
    assert page.all("img") == []
    assert not any(name.startswith("on") for _, each in page.elements for name in each)
    assert "<script>document.title" in page.text
    assert "{{7*7}}" in page.text
    raw = "".join(page.words)
    assert "\x1b" not in raw
    assert "\u202e" not in raw
    run = Page(run_page(replace(FAILED, verb=POISON), "fr"))
    assert (run.open, run.all("img"), run.all("script")) == ([], [], [])


def test_all_is_well() -> None:
    page = page_of(WELL, age=12)
    assert "All is well Everything runs as infra.yml says." in page.text
    assert "2 hosts · 3 machines · 11 services" in page.text
    assert "12 s ago" in page.text
    assert "What needs you" not in page.text


def test_what_needs_somebody_with_the_command_as_it_is_typed() -> None:
    document = overview_document(TROUBLED, "freehold --lab -C demo")
    page = Page(overview_page(document, Fresh(), "en", "freehold --lab -C demo"))
    assert "7 things need you" in page.text
    assert "radarr does not serve On synapse: unhealthy. docker logs orion-radarr-1" in page.text
    assert "The certificate of chat.example.org expires in 9 days, on 2026-03-10" in page.text
    assert "2 changes wait to be applied freehold --lab -C demo plan" in page.text


def test_the_same_in_french() -> None:
    page = page_of(TROUBLED, "fr", age=75)
    assert "7 choses vous attendent" in page.text
    assert "radarr ne rend pas son service Sur synapse : va mal." in page.text
    assert "il y a 1 min" in page.text
    for english in (
        "things need",
        "does not serve",
        "What changed",
        "Machines that",
        "not measured",
    ):
        assert english not in page.text


def test_sections_are_there_when_they_have_something_to_say() -> None:
    bare, full = page_of(EMPTY).text, page_of(TROUBLED).text
    for title in (
        "Services",
        "Machines",
        "Hosts",
        "Certificates",
        "Updates",
        "Isolation",
        "Worth knowing",
    ):
        assert title in full
        assert title not in bare
    assert "infra.yml names no machine" in bare
    assert "Nothing was run here yet." in bare


def test_isolation_that_was_never_measured_says_how() -> None:
    text = page_of(replace(WELL, isolation=None)).text
    assert "Not measured. Packets sent from inside the machines" in text
    assert "freehold verify --traffic" in text


def test_isolation_tells_its_age_and_what_is_wrong() -> None:
    text = page_of(TROUBLED).text
    assert "1 of 12 checks went otherwise than infra.yml says" in text
    assert "one day ago" in text
    assert "home/chat → admin/ansible: tcp 22: passes, and must not" in text


def test_a_failed_look_never_says_that_all_is_well() -> None:
    problem = Diagnostic(
        code="lab-not-running",
        summary="The lab is not running",
        detail="…",
        hint="Start it:\n    freehold lab start",
    )
    page = page_of(WELL, age=200, problems=(problem,))
    assert "All is well" not in page.text
    assert "The last look failed" in page.text
    assert "3 min ago" in page.text
    assert "The lab is not running" in page.text
    assert "jellyfin" in page.text  # the last good facts stay
    first = Page(overview_page(None, Fresh(problems=(problem,)), "en"))
    assert "There was no look yet that succeeded." in first.text
    assert "freehold lab start" in first.text


def test_before_the_first_look_the_page_comes_back_by_itself() -> None:
    page = Page(overview_page(None, Fresh(looking=True), "fr"))
    assert "Rien n’est encore connu" in page.text
    assert {"http-equiv": "refresh", "content": "2"} in page.all("meta")


def test_five_hundred_machines_are_all_there_and_none_in_the_way() -> None:
    page = page_of(large(500))
    rows = [each for each in page.words if each.startswith("part3/box")]
    assert (
        len(rows) == 200
    )  # in the table, and in the three pictures as what is shown when pointed at
    assert "part7/box007 does not run" in page.text
    assert len(page_text(large(500))) < 450_000


def page_text(overview: Overview) -> str:
    return overview_page(overview_document(overview), Fresh(), "en")


def test_the_picture_shows_each_service_and_whom_it_needs() -> None:
    page = page_of(WELL)
    texts = [attributes.get("class") for attributes in page.all("text")]
    assert texts.count("service") == 3 * 11  # for windows of three widths
    edges = [each for each in page.all("path") if each.get("class") == "edge"]
    assert len(edges) == 3 * 6 + 1  # and the legend's


def test_a_run_shows_what_took_how_long_and_what_failed() -> None:
    page = Page(run_page(FAILED, "en", "freehold --lab"))
    assert "partly done · 9.4 s · +3" in page.text
    assert "volume home/models/data 0.8 s · failed" in page.text
    assert "Incus refused a request: no space left on device" in page.text
    assert f"freehold --lab log {FAILED.name}" in page.text
    bars = [each for each in page.all("rect") if each.get("class") != "way"]
    assert [each["class"] for each in bars] == ["failed", "done", "skipped"]
    assert all(
        float(each["x"] or 0) >= 0 and float(each["x"] or 0) + float(each["width"] or 0) <= 1000
        for each in bars
    )


def test_a_run_that_did_nothing_and_one_that_never_ended() -> None:
    assert "It changed nothing." in Page(run_page(replace(DONE, events=DONE.events[:1]), "en")).text
    begun = replace(FAILED, exit_code=None, events=FAILED.events[:2])
    assert "no end written" in Page(run_page(begun, "en")).text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "why", ["stranger", "wrong-key", "wrong-host", "read-only", "not-found", "broken"]
)
def test_a_refusal_tells_nothing_of_the_estate(why: str, language: str) -> None:
    page = Page(refusal_page(why, language))
    assert page.open == []
    assert len(page.all("h1")) == 1
    assert "orion" not in page.text
    assert ({"http-equiv": "refresh", "content": "0; url=/"} in page.all("meta")) is False


def test_the_document_is_json_and_says_what_the_page_says() -> None:
    document = json.loads(json.dumps(overview_document(TROUBLED)))
    assert document["verdict"] == "needs-you"
    first = document["needs"][0]
    assert (first["code"], first["text"], first["urgent"]) == (
        "services-ill",
        "radarr does not serve",
        True,
    )
    assert document["isolation"]["different"] == 1
    assert document["looked_at"] == "2026-03-01T14:03:22+00:00"
