"""What `freehold status` prints of the overview, around the tables of `views.status`. Called by `cli.status`; the same facts as JSON are in
`overview_document`.
"""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any, TextIO

from freehold.diagnostics import Diagnostic
from freehold.operations.overview import Overview, Verdict
from freehold.operations.overview.needs import last_change
from freehold.views.log import result_in_words
from freehold.views.overview_document import is_noteworthy, overview_document, time_left
from freehold.views.status import render_status
from freehold.views.tables import Column, table_lines
from freehold.views.terminal import Paper, Style, on_one_line, visible
from freehold.views.words import count

_CERTIFICATES = [
    Column("certificate"),
    Column("expires", folds=True),
    Column("issued by", folds=True),
]
_UPDATES = [
    Column("version of"),
    Column("on"),
    Column("runs"),
    Column("infra.yml"),
    Column("catalog"),
    Column("mended until"),
]
_IN_THE_LAST_LINE = {
    "hosts-unreachable",
    "machines-down",
    "address-wrong",
    "services-ill",
    "changes-wait",
    "orphans",
}


def render_overview(found: Overview, stream: TextIO, *, command: str = "freehold") -> None:
    """Write the tables, the last run, what was proved by packets, and what needs somebody; the last line says whether all is as declared."""
    paper = Paper(stream)
    document = overview_document(found, command)
    more = [*_tables(document, paper), *_facts(found, document, command), *_needs(document, paper)]
    render_status(
        found.status,
        stream,
        command=command,
        more=more,
        not_measured=found.not_measured,
        is_well=found.verdict is Verdict.WELL,
    )


def untold(found: Overview, told: Collection[Diagnostic]) -> list[Diagnostic]:
    """Warnings that are neither among those that were shown before nor in what `render_overview` writes: why a host cannot be entered."""
    problems = {host.problem for host in found.status.hosts}
    warnings = (each for each in found.diagnostics if not each.is_error and each not in told)
    return [each for each in warnings if each.detail not in problems]


def _tables(document: dict[str, Any], paper: Paper) -> Iterator[str]:
    if document["certificates"]:
        now = document["looked_at"]
        rows = [_certificate(each, now) for each in document["certificates"]]
        yield from table_lines(_CERTIFICATES, rows, paper)
        yield ""
    now = document["looked_at"]
    if versions := [each for each in document["updates"] if is_noteworthy(each, now)]:
        yield from table_lines(_UPDATES, [_update(each) for each in versions], paper)
        yield ""


def _certificate(shown: dict[str, Any], now: str) -> list[str]:
    if shown["expires"] is None:
        return [visible(shown["host"]), f"not measured: {on_one_line(shown['problem'])}", "-"]
    unit, number = time_left(shown["expires"], now)
    left = count(number, unit.removesuffix("s")) if shown["days"] >= 0 else "expired"
    wrong = "" if shown["fits"] else ", made out to other names"
    if shown["begins"] > now:  # both in UTC
        wrong += f", valid only from {shown['begins'][:10]}"
    return [
        visible(shown["host"]),
        f"{shown['expires'][:10]} ({left}){wrong}",
        visible(shown["issuer"]),
    ]


def _update(update: dict[str, Any]) -> list[str]:
    words = (update[key] for key in ("name", "target", "running", "wanted", "newest", "ends"))
    return [visible(word) if word else "-" for word in words]


def _facts(found: Overview, document: dict[str, Any], command: str) -> Iterator[str]:
    """Who works here, the last run that changed something, and the last proof by packets."""
    if owner := found.at_work:
        since = _minute(datetime.fromtimestamp(owner.since).astimezone())
        yield f"At work now: {visible(owner.command)}, since {since}"
    if run := last_change(found.runs):
        ended = "at work" if _is_at_work(found, run.pid) else result_in_words(run)
        at = _minute(datetime.fromtimestamp(run.started).astimezone())
        name = "last" if run is found.runs[0] else visible(run.name)
        yield f"Last change: {visible(run.verb)} at {at}, {ended}; to see it: {command} log {name}"
    if found.isolation is not None:
        yield _isolation(document["isolation"], found.isolation.at)
    elif found.status.machines:
        yield f"Isolation: not measured; to measure it: {command} verify --traffic"


def _is_at_work(found: Overview, pid: int) -> bool:
    return found.at_work is not None and found.at_work.pid == pid


def _isolation(known: dict[str, Any], at: datetime) -> str:
    measured = known["checks"] - known["unmeasured"]
    parts = [f"{count(known['checks'], 'check')} at {_minute(at.astimezone())}"]
    if known["different"]:
        parts.append(f"{known['different']} different")
    elif measured:
        parts.append("as declared" if not known["unmeasured"] else f"{measured} as declared")
    if known["unmeasured"]:
        parts.append(f"{known['unmeasured']} not measured")
    changed = "; infra.yml has changed since" if known["changed"] else ""
    return f"Isolation: {', '.join(parts)}{changed}"


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _needs(document: dict[str, Any], paper: Paper) -> Iterator[str]:
    """Those that the last line does not tell already."""
    for need in document["needs"]:
        if need["code"] in _IN_THE_LAST_LINE:
            continue
        says, command = visible(need["text"]), visible(need["command"])
        if not command:
            says += f": {on_one_line(need['detail'])}" if need["detail"] else ""
        elif target := need["facts"].get("target"):
            says += f"; on {visible(target)}: {command}"
        else:
            says += f": {command}"
        style = Style.ALARM if need["urgent"] else Style.CAUTION
        yield from (paper.paint(line, style) for line in paper.wrapped(says))
