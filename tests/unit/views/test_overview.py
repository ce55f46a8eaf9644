"""What `freehold status` prints beside its tables: certificates, versions, the last change, isolation, and what needs somebody."""

from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest

from freehold.diagnostics import Diagnostic, Severity
from freehold.engine.lock import Owner
from freehold.operations.machine_status import HostState
from freehold.operations.overview import Overview
from freehold.planning.plan import Plan
from freehold.views.overview import render_overview, untold
from freehold.views.overview_document import overview_document
from freehold.views.terminal import Style
from tests.ui.estates import EMPTY, FAILED, NOW, TROUBLED, WELL, judged, traffic
from tests.ui.extremes import hostile
from tests.unit.views.conftest import Golden

GREEN = f"\x1b[{Style.GREEN.value}"


def rendered(found: Overview) -> str:
    stream = StringIO()
    render_overview(found, stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "found", "width"),
    [
        ("well", WELL, None),
        ("troubled", TROUBLED, None),
        ("troubled-60-columns", TROUBLED, "60"),
        ("hostile", hostile(), None),
    ],
)
def test_the_whole_of_it(
    golden: Golden, monkeypatch: pytest.MonkeyPatch, name: str, found: Overview, width: str | None
) -> None:
    if width:
        monkeypatch.setenv("COLUMNS", width)
    golden(f"overview-{name}", lambda stream: render_overview(found, stream))


def test_an_estate_of_nothing_says_nothing_more() -> None:
    assert rendered(EMPTY) == "Everything is as infra.yml says.\n"


def test_the_last_line_says_whether_all_is_as_declared() -> None:
    assert rendered(WELL).splitlines()[-1] == "Everything is as infra.yml says."
    assert "To see what apply would do: freehold plan" in rendered(TROUBLED).splitlines()[-1]


@pytest.mark.parametrize(
    ("dark", "says"),
    [
        (replace(WELL, plan=Plan(estate="orion", unseen=("firewall",))), "Not measured: firewall."),
        (
            replace(WELL, certificates=(replace(WELL.certificates[0], expires=None),)),
            "Not measured: certificate chat.example.org.",
        ),
    ],
)
def test_what_could_not_be_looked_at_is_named_and_not_green(
    monkeypatch: pytest.MonkeyPatch, dark: Overview, says: str
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    last = rendered(judged(dark)).splitlines()[-1]
    assert f"What could be looked at is as infra.yml says. {says}" in last
    assert GREEN in rendered(WELL).splitlines()[-1]
    assert GREEN not in last
    assert overview_document(judged(dark))["as_declared"] is False


def test_the_last_line_is_green_only_when_nothing_needs_anybody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    late = replace(WELL.certificates[0], expires=NOW + timedelta(days=2))
    assert GREEN not in rendered(judged(replace(WELL, certificates=(late,)))).splitlines()[-1]


def test_isolation_is_told_with_what_was_not_measured_and_whether_it_is_of_today() -> None:
    known = traffic()
    none = tuple(replace(each, arrived=None) for each in known.report.results)
    dark = replace(known, report=replace(known.report, results=none))
    old = replace(known, declared="of last year")
    for measured, says in (
        (known, "12 checks at 2026-02-28 12:03, 9 as declared, 3 not measured\n"),
        (dark, "12 checks at 2026-02-28 12:03, 12 not measured\n"),
        (old, "9 as declared, 3 not measured; infra.yml has changed since\n"),
        (traffic(different=True), "1 different, 3 not measured\n"),
    ):
        assert says in rendered(replace(WELL, isolation=measured))


def test_warnings_that_nobody_told_yet_are_told() -> None:
    told, dark, error, away = (
        Diagnostic(code="boom", severity=severity, summary="Boom", detail=detail)
        for detail, severity in (
            ("of infra.yml", Severity.WARNING),
            ("Docker on cortex does not answer", Severity.WARNING),
            ("a mistake", Severity.ERROR),
            ("Connection refused", Severity.WARNING),
        )
    )
    cortex = replace(WELL.status.hosts[0], state=HostState.UNREACHABLE, problem=away.detail)
    status = replace(WELL.status, hosts=(cortex,))
    found = replace(WELL, status=status, diagnostics=(told, dark, error, away))
    assert untold(found, [told]) == [dark]
    assert away.detail in rendered(found)


def test_who_is_at_work_is_said() -> None:
    owner = Owner(pid=1, host="here", verb="apply", since=NOW.timestamp())
    text = rendered(judged(replace(WELL, at_work=owner)))
    assert "At work now: freehold apply, since 2026-03-01 14:03" in text


def test_a_certificate_of_hours_is_told_in_hours() -> None:
    (first, *_) = WELL.certificates
    hours = timedelta(hours=1)

    def of(left: timedelta) -> str:
        shown = replace(first, begins=NOW + left - 12 * hours, expires=NOW + left)
        return rendered(judged(replace(WELL, certificates=(shown,))))

    assert "2026-03-02 (10 hours)" in of(10 * hours)
    assert "certificate of" not in of(10 * hours)
    assert "2026-03-01 (30 minutes)" in of(0.5 * hours)
    assert "The certificate of chat.example.org expires on 2026-03-01 at 14:33 UTC" in of(0.5 * hours)  # fmt: skip


def test_a_certificate_of_tomorrow_says_so() -> None:
    early = replace(WELL.certificates[0], begins=NOW + timedelta(days=1))
    text = rendered(judged(replace(WELL, certificates=(early,))))
    assert "2026-05-01 (61 days), valid only from 2026-03-02" in text
    assert "The certificate of chat.example.org is valid only from 2026-03-02, 14:03 UTC" in text


def test_what_a_program_said_on_two_lines_has_no_escapes() -> None:
    told = "cortex (debian@203.0.113.20, port 22): banner exchange\ncortex (root@203.0.113.20, port 22): refused"
    away = replace(WELL.status.hosts[0], state=HostState.UNREACHABLE, problem=told)
    problem = Diagnostic(code="boom", summary="Boom", detail=told)
    late = replace(WELL.certificates[0], expires=None, problem=told)
    status = replace(WELL.status, hosts=(away,))
    text = rendered(
        judged(replace(WELL, status=status, diagnostics=(problem,), certificates=(late,)))
    )
    assert "\\n" not in text
    assert "port 22): banner exchange\ncortex (root" in text


def test_a_run_that_is_at_work_is_said_to_be() -> None:
    owner = Owner(pid=FAILED.pid, host="here", verb="apply", since=0.0)
    found = replace(WELL, runs=(replace(FAILED, exit_code=None),), at_work=owner)
    assert "Last change: apply at 2026-03-01 13:51, at work" in rendered(found)


def test_nothing_foreign_reaches_the_terminal() -> None:
    text = rendered(hostile())
    assert "\x1b" not in text
    assert "\u202e" not in text
