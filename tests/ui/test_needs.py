"""What needs somebody, in which order, and the one word that says whether anything does."""

from dataclasses import replace
from datetime import timedelta

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


def test_an_error_needs_somebody_and_a_warning_does_not() -> None:
    error = Diagnostic(code="not-ours", summary="…", detail="…")
    warning = replace(error, severity=Severity.WARNING)
    assert matters(replace(WELL, diagnostics=(error, warning))) == ["diagnostic"]
    assert matters(replace(WELL, diagnostics=(warning,))) == []


def test_a_failed_run_is_forgotten_once_nothing_is_left_to_do() -> None:
    assert matters(replace(WELL, runs=(FAILED,))) == []
    left = replace(WELL, runs=(FAILED,), plan=TROUBLED.plan)
    assert "run-failed" in matters(left)


def test_a_run_that_is_at_work_has_not_been_broken_off() -> None:
    open_ended = replace(FAILED, exit_code=None)
    begun = replace(
        WELL, runs=(open_ended,), plan=Plan(estate="orion", changes=TROUBLED.plan.changes)
    )
    assert matters(begun) == ["run-broken-off", "changes-wait"]
    owner = Owner(pid=open_ended.pid, host="here", verb="apply", since=0.0)
    assert matters(replace(begun, at_work=owner)) == []


def test_certificates_by_their_age() -> None:
    def of(days: float, fits: bool = True) -> list[str]:
        shown = replace(WELL.certificates[0], expires=NOW + timedelta(days=days), fits=fits)
        return matters(replace(WELL, certificates=(shown,)))

    assert of(15.5) == []
    assert of(14.2) == of(0.1) == ["certificate-soon"]
    assert of(-0.1) == of(-400) == ["certificate-expired"]
    assert of(60, fits=False) == ["certificate-of-another"]


def test_a_certificate_that_was_not_measured_needs_nobody() -> None:
    unknown = replace(WELL.certificates[0], expires=None, problem="no answer")
    assert matters(replace(WELL, certificates=(unknown,))) == []


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
