"""What `freehold verify --leaks` found, for people and as JSON. Called by `cli.verify`."""

from typing import Any, TextIO

from freehold.operations.leaks.report import Finding, LeakReport, Proof, Verdict
from freehold.views.tables import Column, table_lines
from freehold.views.terminal import Paper, Style, visible
from freehold.views.words import count, duration

_STYLES = {
    Verdict.HOLDS: Style.GREEN,
    Verdict.LEAKS: Style.ALARM,
    Verdict.NOT_MEASURED: Style.CAUTION,
}


def leaks_document(report: LeakReport) -> dict[str, Any]:
    """As `verify --leaks --json` has it under `leaks`."""
    return {
        "schema": 1,
        "kind": "leaks",
        "estate": report.estate,
        "holds": report.holds,
        "seconds": round(report.seconds, 3),
        "services": [_service(proof) for proof in report.proofs],
    }


def _service(proof: Proof) -> dict[str, Any]:
    return {
        "service": proof.service,
        "vpn": proof.vpn,
        "target": proof.target,
        "back": proof.back,
        "moments": [_moment(each) for each in proof.findings],
    }


def _moment(finding: Finding) -> dict[str, Any]:
    return {
        "moment": finding.moment.value.replace(" ", "-"),
        "result": finding.verdict.value.lower().replace(" ", "-"),
        "why": finding.why,
        "packets": [
            {
                "protocol": each.protocol,
                "to": each.to,
                "port": each.port or None,
                "interface": each.interface,
                "count": each.count,
                "ours": each.ours,
            }
            for each in finding.leaks
        ],
    }


def render_leaks(report: LeakReport, stream: TextIO) -> None:
    """A line for each service and moment; the last line counts."""
    paper = Paper(stream)
    heads = [
        Column("service"),
        Column("behind"),
        Column("when"),
        Column("result"),
        Column("seen", folds=True),
    ]
    rows = [
        [
            proof.service,
            f"{proof.vpn} on {proof.target}",
            each.moment.value,
            each.verdict.value,
            visible(each.why),
        ]
        for proof in report.proofs
        for each in proof.findings
    ]
    for line in table_lines(heads, rows, paper):
        paper.line(line)
    for line in sorted({_behind(each) for each in report.proofs if not each.back}):
        paper.line(paper.paint(line, Style.ALARM))
    worst = Verdict.LEAKS if report.count(Verdict.LEAKS) else Verdict.NOT_MEASURED
    paper.line()
    paper.line(paper.paint(_total(report), _STYLES[Verdict.HOLDS if report.holds else worst]))


def _behind(proof: Proof) -> str:
    vpn = f"{proof.vpn} on {proof.target}"
    if proof.back is None:
        return f"Nobody says whether {vpn} runs as before: freehold plan"
    return f"{vpn} does not run as before: freehold apply"


def _total(report: LeakReport) -> str:
    return (
        f"Leaks: of {count(len(report.proofs), 'service')} behind a VPN, {report.count(Verdict.HOLDS)} moments hold, "
        f"{report.count(Verdict.LEAKS)} leak, {report.count(Verdict.NOT_MEASURED)} were not measured in {duration(report.seconds)}."
    )
