"""What needs somebody, in the order of importance, each with the command to type. Pure; called by `look`.

First what does not work now, then what is about to fail, then what is merely different. One need for each kind of thing, however many
machines, services or names it concerns; but each problem with infra.yml, the plan or a schedule has its own words.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta

from freehold.engine.journal import PastRun
from freehold.operations.machine_status import MISSING, UNKNOWN, HostState
from freehold.operations.overview.certificate_needs import certificate_needs
from freehold.operations.overview.facts import Need, Overview
from freehold.operations.traffic.check import Verdict

ENDS_SOON = 90  # days until the makers of a version stop mending it

_MOST_PROBLEMS = 4  # of one need


def needs(overview: Overview) -> tuple[Need, ...]:
    """All of them, the most important first; what is urgent comes before what is not."""
    found = [need for judge in _JUDGES for need in judge(overview)]
    return tuple(sorted(found, key=lambda need: not need.urgent))


def _hosts(overview: Overview) -> Iterator[Need]:
    away = [each for each in overview.status.hosts if each.state is HostState.UNREACHABLE]
    if away:
        yield Need(
            matter="hosts-unreachable",
            urgent=True,
            subjects=tuple(host.name for host in away),
            facts={"problem": "\n".join(host.problem for host in away[:_MOST_PROBLEMS])},
            command="freehold doctor",
        )


def _machines(overview: Overview) -> Iterator[Need]:
    there = [each for each in overview.status.machines if each.state != MISSING]
    if down := [each.machine for each in there if not each.is_running]:
        yield Need(
            matter="machines-down", urgent=True, subjects=tuple(down), command="freehold apply"
        )
    wrong = [each for each in there if each.is_running and not each.has_its_address]
    if wrong:
        first = wrong[0]
        yield Need(
            matter="address-wrong",
            urgent=True,
            subjects=tuple(each.machine for each in wrong),
            facts={"address": first.declared_address},
            command=f"incus restart --project {first.domain} {first.name}",
        )


def _services(overview: Overview) -> Iterator[Need]:
    """Those that are to be seen: nothing is known of what is on a host that does not answer."""
    ill = [
        each
        for each in overview.status.services
        if not each.serves and each.state not in (MISSING, UNKNOWN)
    ]
    if ill:
        yield Need(
            matter="services-ill",
            urgent=True,
            subjects=tuple(each.name for each in ill),
            command=f"docker logs {overview.infra.name}-{ill[0].name}-1",
            facts={"target": ill[0].target, "state": ill[0].state},
        )


def _problems(overview: Overview) -> Iterator[Need]:
    """What keeps the plan from being applied, and schedules that are late. A warning asks for nothing: it is only shown."""
    for each in overview.diagnostics:
        if each.is_error:
            yield Need(matter="diagnostic", urgent=True, diagnostic=each)


def _isolation(overview: Overview) -> Iterator[Need]:
    if overview.isolation is not None and not overview.isolation.report.as_declared:
        number = overview.isolation.report.count(Verdict.DIFFERENT)
        yield Need(
            matter="isolation-broken",
            urgent=True,
            facts={"number": number},
            command="freehold verify --traffic",
        )


def _runs(overview: Overview) -> Iterator[Need]:
    """The last run, as long as something of it is left to do, or may be."""
    last, plan = last_change(overview.runs), overview.plan
    if last is None or last.ended_well or _is_at_work(overview, last):
        return
    if plan.is_empty and not plan.not_measured:
        return
    matter = "run-broken-off" if last.exit_code is None else "run-failed"
    yield Need(
        matter=matter,
        urgent=True,
        subjects=(last.verb,),
        facts={"run": last.name},
        command=f"freehold log {last.name}",
    )


def last_change(runs: Iterable[PastRun]) -> PastRun | None:
    """The last run that began to change something."""
    return next((run for run in runs if run.changed_something), None)


def _is_at_work(overview: Overview, run: PastRun) -> bool:
    return overview.at_work is not None and overview.at_work.pid == run.pid


def _versions(overview: Overview) -> Iterator[Need]:
    today = overview.at.date()
    dated = [(each, each.ends) for each in overview.updates if each.ends and each.running]
    ended = [each.name for each, ends in dated if ends <= today]
    soon = [each.name for each, ends in dated if today < ends <= today + timedelta(days=ENDS_SOON)]
    if ended:
        yield Need(matter="versions-ended", subjects=tuple(ended), command="freehold updates")
    if soon:
        yield Need(matter="versions-end-soon", subjects=tuple(soon), command="freehold updates")


def _changes(overview: Overview) -> Iterator[Need]:
    """While somebody carries a plan out, what is left of it is their business."""
    if overview.plan.changes and not overview.is_carried_out:
        number = len(overview.plan.changes)
        yield Need(matter="changes-wait", facts={"number": number}, command="freehold plan")


def _orphans(overview: Overview) -> Iterator[Need]:
    """Those that are protected were kept on purpose."""
    left = [each for each in overview.plan.orphans if not each.protected]
    if left:
        names = tuple(str(orphan.address) for orphan in left)
        yield Need(matter="orphans", subjects=names, command="freehold orphans")


_JUDGES: tuple[Callable[[Overview], Iterator[Need]], ...] = (
    _hosts,
    _machines,
    _services,
    _isolation,
    certificate_needs,
    _problems,
    _runs,
    _changes,
    _versions,
    _orphans,
)
