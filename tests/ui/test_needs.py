"""What needs somebody, in which order, and the one word that says whether anything does."""

from dataclasses import replace
from datetime import timedelta

import pytest

from freehold.diagnostics import Diagnostic, Severity
from freehold.engine.lock import Owner
from freehold.operations.machine_status import HostState, Status
from freehold.operations.overview.facts import Overview, Verdict
from freehold.planning.plan import Plan
from tests.ui.estates import EMPTY, FAILED, NOW, TROUBLED, WELL, host, judged, machine
from tests.ui.extremes import large


def matters(overview: Overview) -> list[str]:
    return [need.matter for need in judged(overview).needs]


def test_nothing_needs_anybody() -> None:
    assert WELL.needs == ()
    assert WELL.verdict is EMPTY.verdict is Verdict.WELL


def test_what_does_not_work_comes_first() -> None:
    assert matters(TROUBLED) == [
        "services-ill",
        "isolation-broken",
        "run-failed",
        "certificate-soon",
        "changes-wait",
        "versions-end-soon",
        "orphans",
    ]
    assert [need.urgent for need in TROUBLED.needs] == [True] * 3 + [False] * 4
    assert TROUBLED.verdict is Verdict.NEEDS_YOU


def test_every_need_says_what_to_type() -> None:
    assert all(need.command for need in TROUBLED.needs)
    assert next(iter(TROUBLED.needs)).command == "docker logs orion-radarr-1"


def test_machines_that_are_down_are_one_need() -> None:
    status = Status(
        estate="maison",
        machines=tuple(machine("a", name, "10.100.0.10", "stopped") for name in "xyz"),
    )
    (need,) = judged(replace(EMPTY, status=status)).needs
    assert (need.matter, need.subjects) == ("machines-down", ("a/x", "a/y", "a/z"))
    assert matters(large(500)) == ["machines-down"]


def test_a_machine_that_is_not_made_yet_is_a_change_and_no_failure() -> None:
    absent = machine("a", "x", "10.100.0.10", "missing")
    plan = Plan(estate="maison", changes=TROUBLED.plan.changes)
    found = replace(EMPTY, status=Status(estate="maison", machines=(absent,)), plan=plan)
    assert matters(found) == ["changes-wait"]


def test_another_address_than_declared_names_the_machine() -> None:
    wrong = machine("a", "x", "10.100.0.10", addresses=("10.100.0.99",))
    also = replace(wrong, machine="a/y")
    (both,) = judged(replace(EMPTY, status=Status(estate="m", machines=(wrong, also)))).needs
    assert both.subjects == ("a/x", "a/y")
    (need,) = judged(replace(EMPTY, status=Status(estate="m", machines=(wrong,)))).needs
    assert (need.matter, need.facts["address"]) == ("address-wrong", "10.100.0.10")
    assert need.command == "incus restart --project a a-x"


def test_a_host_that_does_not_answer_makes_no_claim_about_its_services() -> None:
    away = replace(
        WELL,
        plan=Plan(estate="orion", unreached=("synapse",)),
        status=replace(
            WELL.status,
            hosts=(WELL.status.hosts[0], host("synapse", "203.0.113.21", HostState.UNREACHABLE)),
            services=tuple(
                replace(each, state="unknown", serves=False) if each.target == "synapse" else each
                for each in WELL.status.services
            ),
        ),
    )
    assert matters(away) == ["hosts-unreachable"]


def test_what_could_not_be_looked_at_is_not_well() -> None:
    assert (
        replace(WELL, plan=Plan(estate="orion", unseen=("firewall",))).verdict is Verdict.NOT_KNOWN
    )


def test_what_a_role_installs_is_not_known() -> None:
    """Nobody looks at it: one that is dead is no reason to say that all is well."""
    services = tuple(
        replace(each, state="unknown", serves=False) if each.name == "redis" else each
        for each in WELL.status.services
    )
    found = replace(WELL, status=replace(WELL.status, services=services))
    assert matters(found) == []
    assert (found.verdict, found.not_measured) == (Verdict.NOT_KNOWN, ("service redis",))
    silent = replace(found, plan=Plan(estate="orion", unseen=("service:cortex",)))
    assert silent.not_measured == ("service:cortex",)


def test_an_error_needs_somebody_and_a_warning_does_not() -> None:
    error = Diagnostic(code="not-ours", summary="…", detail="…")
    warning = replace(error, severity=Severity.WARNING)
    assert matters(replace(WELL, diagnostics=(error, warning))) == ["diagnostic"]
    assert matters(replace(WELL, diagnostics=(warning,))) == []


def test_a_failed_run_is_forgotten_once_nothing_is_left_to_do() -> None:
    assert matters(replace(WELL, runs=(FAILED,))) == []
    dark = Plan(estate="orion", unseen=("service:synapse",))
    assert matters(replace(WELL, runs=(FAILED,), plan=dark)) == ["run-failed"]
    left = replace(WELL, runs=(FAILED,), plan=TROUBLED.plan)
    assert "run-failed" in matters(left)


def test_a_run_that_is_at_work_has_not_been_broken_off() -> None:
    open_ended = replace(FAILED, exit_code=None)
    begun = replace(
        WELL, runs=(open_ended,), plan=Plan(estate="orion", changes=TROUBLED.plan.changes)
    )
    assert matters(begun) == ["run-broken-off", "changes-wait"]
    owner = Owner(pid=open_ended.pid, host="here", verb="apply", since=0.0)
    at_work = judged(replace(begun, at_work=owner))
    assert at_work.needs == ()
    assert at_work.verdict is Verdict.AT_WORK


@pytest.mark.parametrize(
    ("verb", "verdict", "needed"),
    [
        ("apply", Verdict.AT_WORK, []),
        ("undo", Verdict.AT_WORK, []),
        ("updates apply", Verdict.AT_WORK, []),
        ("destroy", Verdict.AT_WORK, []),
        ("ansible", Verdict.AT_WORK, []),
        ("verify", Verdict.NEEDS_YOU, ["changes-wait"]),
        ("snapshot", Verdict.NEEDS_YOU, ["changes-wait"]),
        ("orphans --prune", Verdict.NEEDS_YOU, ["changes-wait"]),
    ],
)
def test_while_somebody_works_changes_are_theirs_if_they_do_them_and_nothing_is_well(
    verb: str, verdict: Verdict, needed: list[str]
) -> None:
    owner = Owner(pid=5, host="here", verb=verb, since=0.0)
    plan = Plan(estate="orion", changes=TROUBLED.plan.changes)
    found = judged(replace(WELL, plan=plan, at_work=owner))
    assert ([need.matter for need in found.needs], found.verdict) == (needed, verdict)
    assert judged(replace(WELL, at_work=owner)).verdict is Verdict.WELL


def matters_of(left: timedelta, whole: timedelta, fits: bool = True) -> list[str]:
    """What is the matter with a certificate that is made for so long, and has so much left."""
    ends = NOW + left
    shown = replace(WELL.certificates[0], begins=ends - whole, expires=ends, fits=fits)
    return matters(replace(WELL, certificates=(shown,)))


@pytest.mark.parametrize(
    ("whole", "renewed_by", "late"),
    [
        (timedelta(hours=12), timedelta(hours=2.1), timedelta(hours=1.9)),  # Caddy's own
        (timedelta(days=6), timedelta(hours=25), timedelta(hours=23)),  # Let's Encrypt's short ones
        (timedelta(days=90), timedelta(days=14.1), timedelta(days=13.9)),
        (timedelta(days=3650), timedelta(days=14.1), timedelta(days=13.9)),
    ],
)
def test_a_certificate_is_late_by_its_own_lifetime(
    whole: timedelta, renewed_by: timedelta, late: timedelta
) -> None:
    assert matters_of(whole, whole) == matters_of(renewed_by, whole) == []
    assert matters_of(late, whole) == ["certificate-soon"]
    assert matters_of(timedelta(minutes=-1), whole) == ["certificate-expired"]
    assert matters_of(timedelta(days=-400), whole) == ["certificate-expired"]
    assert matters_of(whole, whole, fits=False) == ["certificate-of-another"]


def test_an_estate_whose_certificates_are_made_by_caddy_is_well() -> None:
    """They are made for 12 hours each, and renewed after 8: there is never more left than that."""
    hours = timedelta(hours=1)
    fresh = tuple(
        replace(each, begins=NOW - 7 * hours, expires=NOW + 5 * hours) for each in WELL.certificates
    )
    assert judged(replace(WELL, certificates=fresh)).verdict is Verdict.WELL


def test_a_certificate_that_is_not_valid_yet_needs_somebody() -> None:
    shown = replace(WELL.certificates[0], begins=NOW + timedelta(hours=2))
    (need,) = judged(replace(WELL, certificates=(shown,))).needs
    assert (need.matter, need.urgent) == ("certificate-early", True)
    assert (need.facts["day"], need.facts["time"]) == ("2026-03-01", "16:03 UTC")


def dark(problem: str) -> Overview:
    """None of the certificates could be read."""
    shown = (
        replace(each, begins=None, expires=None, problem=problem) for each in WELL.certificates
    )
    return replace(WELL, certificates=tuple(shown))


def test_a_certificate_that_was_not_measured_needs_nobody_and_is_not_known() -> None:
    found = judged(dark("203.0.113.20 port 443 does not answer"))
    assert found.needs == ()
    assert found.verdict is Verdict.NOT_KNOWN
    assert found.not_measured[0] == "certificate chat.example.org"
    assert not found.as_declared


def test_who_runs_and_refuses_connections_needs_somebody() -> None:
    refused = dark("203.0.113.20 port 443: Connection refused")
    (need,) = judged(refused).needs
    assert (need.matter, need.urgent, len(need.subjects)) == ("ingress-refuses", True, 3)
    assert need.command == "docker logs orion-caddy-1"
    absent = tuple(
        replace(each, state="missing", serves=False) if each.name == "caddy" else each
        for each in WELL.status.services
    )
    assert matters(replace(refused, status=replace(WELL.status, services=absent))) == []
    owner = Owner(pid=5, host="here", verb="apply", since=0.0)
    assert matters(replace(refused, at_work=owner)) == []


def test_certificates_with_the_same_matter_are_one_need() -> None:
    """The first moment counts."""
    days = timedelta(days=1)
    late = tuple(
        replace(each, begins=NOW - 80 * days, expires=NOW + number * days)
        for number, each in enumerate(WELL.certificates, start=5)
    )
    (need,) = judged(replace(WELL, certificates=late)).needs
    assert need.subjects == ("chat.example.org", "login.example.org", "media.example.org")
    assert (need.facts["day"], need.facts["number"]) == ("2026-03-06", 5)


def test_versions_by_the_day_on_which_they_end() -> None:
    grafana = WELL.updates[1]

    def of(days: int) -> list[str]:
        ends = NOW.date() + timedelta(days=days)
        return matters(replace(WELL, updates=(replace(grafana, ends=ends),)))

    assert (of(91), of(90), of(0)) == ([], ["versions-end-soon"], ["versions-ended"])


def test_an_orphan_that_is_protected_was_kept_on_purpose() -> None:
    (orphan,) = TROUBLED.plan.orphans
    kept = Plan(estate="orion", orphans=(replace(orphan, protected=True),))
    assert matters(replace(WELL, plan=kept)) == []
