"""The page as text: what it says, in both languages, and that nothing foreign becomes a part of it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from freehold.config.catalog.dated import VERSIONS_AS_OF
from freehold.diagnostics import Diagnostic, Severity
from freehold.engine.lock import Owner
from freehold.model import Trust
from freehold.operations.machine_status import HostState
from freehold.operations.overview.facts import Overview
from freehold.operations.traffic.kept import Measured
from freehold.planning.address import Address
from freehold.planning.change import Action, Change
from freehold.planning.plan import Plan
from freehold.views.languages import LANGUAGES
from freehold.views.overview_document import isolation_document, overview_document
from freehold.views.ui import Fresh, overview_page, refusal_page, run_page
from freehold.views.ui.marks import (
    BAD,
    CAUTION,
    GOOD,
    UNKNOWN,
    certificate_mark,
    isolation_mark,
)
from freehold.views.ui.picture import picture
from freehold.views.ui.places import places
from tests.ui.estates import (
    DONE,
    EMPTY,
    FAILED,
    NOW,
    TROUBLED,
    WELL,
    domain,
    judged,
    served,
    traffic,
)
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
    page = page_of(TROUBLED, "fr", age=75, good_for=90)
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


def test_what_other_parts_say_is_french_too() -> None:
    page = page_of(TROUBLED, "fr")
    assert "changer machine home/models config.limits.memory diffère d’infra.yml" in page.text
    assert "changer service synapse/radarr state diffère d’infra.yml" in page.text
    assert "Un orphelin protégé est gardé" in page.text
    assert "instance:old/attic est protégé, donc --prune le laisse." in page.text
    assert "Pour le supprimer quand même, levez d’abord la protection :" in page.text
    assert "incus config unset --project old old-attic security.protection.delete" in page.text
    assert "58,2 s" in page.text
    assert "58.2 s" not in page.text
    run = Page(run_page(FAILED, "fr")).text
    assert "fait en partie · 9,4 s · +3" in run


def test_what_stays_english_is_marked_as_such() -> None:
    told = Diagnostic(
        code="boom", summary="No such thing", detail="…", hint="Do something:\n    do"
    )
    page = page_of(judged(replace(WELL, diagnostics=(told,))), "fr")
    english = [each for each in page.all("span") if each.get("lang") == "en"]
    assert len(english) == 3


def test_a_problem_is_told_once_and_a_warning_is_worth_knowing() -> None:
    error = Diagnostic(code="boom", summary="No such thing", detail="…")
    warning = replace(error, severity=Severity.WARNING, summary="Mind the step")
    text = page_of(judged(replace(WELL, diagnostics=(error, warning)))).text
    assert text.count("No such thing") == text.count("Mind the step") == 1
    assert text.index("No such thing") < text.index("Worth knowing") < text.index("Mind the step")
    assert "Worth knowing" not in page_of(judged(replace(WELL, diagnostics=(error,)))).text


def test_of_very_many_problems_the_first_are_shown() -> None:
    many = tuple(Diagnostic(code="boom", summary=f"Boom {n:02}", detail="…") for n in range(60))
    text = page_of(judged(replace(WELL, diagnostics=many))).text
    assert "60 things need you" in text
    assert "Boom 49" in text
    assert "Boom 50" not in text
    assert "and 10 more" in text


@pytest.mark.parametrize(
    ("state", "english", "french"),
    [
        ("exited (137)", "ended, exit code 137", "terminé, code de sortie 137"),
        ("dead", "dead", "mort"),
        ("removing", "being removed", "en cours de suppression"),
        (
            "healthy, secrets not taken over",
            "healthy, secrets not taken over",
            "va bien, secrets pas encore repris",
        ),
        ("of tomorrow", "of tomorrow", "of tomorrow"),
    ],
)
def test_states_in_words(state: str, english: str, french: str) -> None:
    ill = replace(WELL.status.services[0], state=state, serves=False)
    found = judged(replace(WELL, status=replace(WELL.status, services=(ill,))))
    assert f"On cortex: {english}." in page_of(found).text
    assert f"Sur cortex : {french}." in page_of(found, "fr").text


def test_the_picture_is_in_the_language_of_the_page() -> None:
    assert "10.100.0.0/24 · admin" in page_of(WELL).text
    french = page_of(WELL, "fr").text
    assert "10.100.3.0/24 · de confiance" in french
    assert "· trusted" not in french


def test_what_was_not_measured_is_named_in_french() -> None:
    plan = Plan(estate="orion", unseen=("firewall", "service:cortex"), unreached=("synapse",))
    text = page_of(replace(WELL, plan=plan), "fr").text
    assert "Non mesuré : pare-feu, service cortex, hôte synapse." in text


def test_while_somebody_applies_the_page_says_so_and_not_that_all_is_well() -> None:
    owner = Owner(pid=5, host="here", verb="apply", since=NOW.timestamp())
    found = judged(
        replace(WELL, plan=replace(WELL.plan, changes=TROUBLED.plan.changes), at_work=owner)
    )
    for language, title, says in (
        ("en", "At work", "2 things still differ from infra.yml."),
        ("fr", "Au travail", "2 choses diffèrent encore d’infra.yml."),
    ):
        page = page_of(found, language)
        assert page.all("section")[0]["class"] == "verdict unknown"
        assert f"{title} freehold apply" in page.text
        assert says in page.text


def test_nothing_differs_is_said_only_of_what_was_looked_at() -> None:
    whole = "Nothing differs from infra.yml."
    assert whole in page_of(WELL).text
    dark = page_of(replace(WELL, plan=Plan(estate="orion", unseen=("firewall",)))).text
    old = page_of(WELL, age=500).text
    assert whole not in dark + old
    assert "Nothing that could be looked at differs from infra.yml." in dark
    assert "When it could last be looked at, nothing differed" in old


def test_certificates_that_could_not_be_read_are_named() -> None:
    first, *rest = WELL.certificates
    unknown = replace(first, begins=None, expires=None, problem="no answer")
    found = judged(replace(WELL, certificates=(unknown, *rest)))
    assert "Not measured: certificate of chat.example.org." in page_of(found).text
    assert "Non mesuré : certificat de chat.example.org." in page_of(found, "fr").text.replace(
        "\u00a0", " "
    )


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


def test_versions_of_what_nobody_looked_at_are_not_called_new() -> None:
    away = tuple(replace(each, running="", is_known=False) for each in WELL.updates)
    newest = replace(away[0], running="2.10.2", is_known=True)
    dark, half = (page_of(replace(WELL, updates=found)).text for found in (away, (newest, *away)))
    for text in (dark, half):
        assert "Every service runs the version" not in text
        assert "Not known of 2 services, on cortex: what runs there could not be looked at." in text
    assert "runs the version that the catalog has" not in dark
    assert "One service runs the version that the catalog has." in half
    french = page_of(replace(WELL, updates=away), "fr").text
    assert "Inconnu pour 2 services, sur cortex" in french
    absent = tuple(replace(each, running="") for each in WELL.updates[:1])
    assert "Not there: caddy." in page_of(replace(WELL, updates=absent)).text
    assert "Every service runs" in page_of(replace(WELL, updates=WELL.updates[:1])).text


def test_how_old_the_catalog_is() -> None:
    assert f"Versions of the catalog as of {VERSIONS_AS_OF}." in page_of(WELL).text
    assert f"Versions du catalogue au {VERSIONS_AS_OF}." in page_of(WELL, "fr").text


def test_a_certificate_of_hours_is_told_in_hours() -> None:
    hours = timedelta(hours=1)
    shown = replace(WELL.certificates[0], begins=NOW - 7 * hours, expires=NOW + 5 * hours)
    page = judged(replace(WELL, certificates=(shown,)))
    assert "All is well" in page_of(page).text
    assert "2026-03-01, in 5 hours" in page_of(page).text
    assert "dans 5 heures" in page_of(page, "fr").text


def test_a_certificate_of_tomorrow_is_not_good() -> None:
    early = replace(WELL.certificates[0], begins=NOW + timedelta(days=1))
    found = judged(replace(WELL, certificates=(early,)))
    assert "in 61 days valid only from 2026-03-02" in page_of(found).text
    assert "n’est valable qu’à partir du 2026-03-02, 14:03 UTC" in page_of(found, "fr").text
    (shown,) = overview_document(found)["certificates"]
    assert certificate_mark(shown, NOW.isoformat()) == BAD


def test_a_host_that_cannot_be_entered_says_why() -> None:
    told = "cortex (debian@203.0.113.20): Host key verification failed."
    away = replace(WELL.status.hosts[0], state=HostState.UNREACHABLE, problem=told)
    found = judged(replace(WELL, status=replace(WELL.status, hosts=(away,))))
    assert f"cortex cannot be entered {told} freehold doctor" in page_of(found).text
    page = page_of(found, "fr")
    assert f"cortex est inaccessible {told} freehold doctor" in page.text
    raw = overview_page(overview_document(found), Fresh(), "fr")
    assert f'<p class="detail"><span lang="en">{told}</span></p>' in raw


def test_what_a_program_said_on_two_lines_is_two_lines() -> None:
    told = "cortex (debian@203.0.113.20): banner exchange\ncortex (root@203.0.113.20): refused"
    away = replace(WELL.status.hosts[0], state=HostState.UNREACHABLE, problem=told)
    dark = replace(WELL.certificates[0], expires=None, problem=told)
    found = replace(WELL, status=replace(WELL.status, hosts=(away,)), certificates=(dark,))
    page = page_of(found)
    assert "\\n" not in page.text
    assert len(page.all("br")) == 2
    assert "banner exchange cortex (root" in page.text


def test_reasons_of_a_run_are_lines() -> None:
    first, *rest = FAILED.events
    events = [
        {**each, "problems": ["One: a\nb", "Two: c"]} if each["event"] == "change-failed" else each
        for each in rest
    ]
    page = Page(run_page(replace(FAILED, events=(first, *events)), "fr"))
    assert "\\n" not in page.text
    assert "One: a b Two: c" in page.text


def test_isolation_that_was_never_measured_says_how() -> None:
    text = page_of(replace(WELL, isolation=None)).text
    assert "Not measured. Packets sent from inside the machines" in text
    assert "freehold verify --traffic" in text


def test_isolation_tells_its_age_and_what_is_wrong() -> None:
    text = page_of(TROUBLED).text
    assert "1 of 12 checks went otherwise than infra.yml says" in text
    assert "one day ago" in text
    assert "home/chat → admin/ansible: tcp 22: passes, and must not" in text


def test_isolation_is_good_only_as_far_as_it_was_measured_and_infra_yml_says_the_same() -> None:
    measured = traffic()
    assert isolation_mark(document_of(measured)) == GOOD
    nothing = tuple(replace(each, arrived=None) for each in measured.report.results)
    dark = replace(measured, report=replace(measured.report, results=nothing))
    assert isolation_mark(document_of(dark)) == UNKNOWN
    text = page_of(replace(WELL, isolation=dark)).text
    assert "Nothing could be measured, 2026-02-28" in text
    assert "What passed is what" not in text
    old = replace(measured, declared="of last year")
    assert isolation_mark(document_of(old)) == UNKNOWN
    for language, says in (("en", "has changed since"), ("fr", "a changé depuis")):
        assert f"infra.yml {says}" in page_of(replace(WELL, isolation=old), language).text
    assert isolation_mark(document_of(traffic(different=True))) == BAD


def document_of(measured: Measured) -> dict[str, Any]:
    return isolation_document(measured, WELL.infra)


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


def in_places(overview: Overview) -> dict[str, str]:
    return {each.name: each.mark for each in places(overview_document(overview))}


def test_a_box_is_as_well_as_the_worst_that_is_in_it() -> None:
    assert in_places(WELL) == dict.fromkeys(("cortex", "synapse", "admin", "home"), GOOD)

    def with_state(state: str, *names: str) -> Overview:
        services = tuple(
            replace(each, state=state, serves=False) if each.name in names else each
            for each in WELL.status.services
        )
        return replace(WELL, status=replace(WELL.status, services=services))

    assert in_places(with_state("exited (1)", "caddy", "ollama")) == {
        "cortex": BAD,
        "synapse": GOOD,
        "admin": GOOD,
        "home": BAD,
    }
    assert in_places(with_state("unknown", "caddy"))["cortex"] == UNKNOWN


def test_a_domain_without_machines_is_as_its_network() -> None:
    infra = replace(EMPTY.infra, domains=(domain("spare", 5, Trust.TRUSTED, []),))
    for action, mark in ((Action.CREATE, UNKNOWN), (Action.UPDATE, CAUTION)):
        change = Change(address=Address("spare", "bridge"), action=action, reason="…")
        plan = Plan(estate="maison", changes=(change,))
        assert in_places(replace(EMPTY, infra=infra, plan=plan)) == {"spare": mark}
    assert in_places(replace(EMPTY, infra=infra)) == {"spare": GOOD}


def test_of_many_services_the_worst_are_drawn() -> None:
    names = [f"web{number:02}" for number in range(50)]
    services = tuple(
        served(name, "cortex", "exited (1)" if name == "web49" else "healthy") for name in names
    )
    document = overview_document(replace(WELL, status=replace(WELL.status, services=services)))
    drawn = picture(document, 1)
    assert drawn is not None
    texts = [each.text for each in drawn.texts]
    assert "web49" in texts
    assert "web48" not in texts
    assert "+ 10" in texts


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
