"""The overview as JSON: what `status --json` prints and what the page of `ui` is made of. Pure; called by `cli.status` and `cli.ui`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from freehold.config.catalog.dated import VERSIONS_AS_OF
from freehold.model import Infra
from freehold.operations.overview import Need, Overview
from freehold.operations.overview.facts import ServedCertificate
from freehold.operations.overview.needs import ENDS_SOON
from freehold.operations.traffic.check import Verdict
from freehold.operations.traffic.kept import Measured
from freehold.operations.updates import Update
from freehold.views.commands import as_typed
from freehold.views.languages import ENGLISH, Texts
from freehold.views.log import runs_log_document
from freehold.views.status import status_document
from freehold.views.traffic_matrix import Cell, differences, matrix

_MOST_NAMES = 4  # in one sentence
_EXITED = re.compile(r"exited \((-?\d+)\)")


def overview_document(found: Overview, command: str = "freehold") -> dict[str, Any]:
    """As in the contract of `status --json`: the keys of `status_document`, and those of everything else."""
    document = status_document(found.status)
    placed = {each.name: each for each in found.infra.services}
    return {
        **document,
        "as_declared": found.as_declared,
        "services": [
            {**each, **_placing(placed.get(each["name"]))} for each in document["services"]
        ],
        "verdict": found.verdict.value,
        "looked_at": _moment(found.at),
        "seconds": round(found.seconds, 3),
        "needs": [need_document(need, command) for need in found.needs],
        "not_measured": list(found.not_measured),
        "domains": list(_domains(found.infra)),
        "changes": list(_changes(found)),
        "diagnostics": [_problem(each, command) for each in found.diagnostics],
        "runs": runs_log_document(found.runs)["runs"],
        "at_work": _at_work(found),
        "certificates": [_certificate(each, found.at) for each in found.certificates],
        "catalog_as_of": VERSIONS_AS_OF.isoformat(),
        "updates": [_update(each) for each in found.updates],
        "isolation": isolation_document(found.isolation, found.infra) if found.isolation else None,
    }


def need_document(need: Need, command: str = "freehold") -> dict[str, Any]:
    """One thing that needs somebody, with its text in English; `need_text` makes the same text in another language."""
    document: dict[str, Any] = {
        "code": need.matter,
        "urgent": need.urgent,
        "subjects": list(need.subjects),
        "facts": dict(need.facts),
    }
    problem = need.diagnostic
    if problem is not None:
        texts = {"text": problem.summary, "detail": problem.detail}
        hint = as_typed(problem.hint or "", command)
        return {**document, "code": problem.code, **texts, "hint": hint, "command": ""}
    text, detail = need_text(document, Texts(ENGLISH))
    typed = as_typed(f"    {need.command}\n", command).strip() if need.command else ""
    return {**document, "text": text, "detail": detail, "hint": "", "command": typed}


def need_text(need: Mapping[str, Any], texts: Texts) -> tuple[str, str]:
    """What is the matter, in a sentence, and its particulars; a diagnostic's, and what another program said, are in English whatever the
    language.
    """
    key = f"need.{need['code']}"
    if not (texts.has(key) or texts.has(f"{key}.one")):
        return need["text"], need["detail"]
    subjects = need["subjects"]
    count, names = len(subjects), names_in_text(subjects, texts)
    facts = {"number": count, "count": count, "subjects": names, **need["facts"]}
    if count > 1 and texts.has(f"{key}.several"):
        return texts(f"{key}.several", **facts), ""
    if said := facts.get("problem"):
        return texts(key, **facts), str(said)
    detail = f"{key}.detail"
    if not texts.has(detail) or len(subjects) > 1:
        return texts(key, **facts), ""
    state = state_in_words(str(facts.get("state")), texts)
    return texts(key, **facts), texts(detail, **{**facts, "state": state})


def state_in_words(state: str, texts: Texts) -> str:
    """A state as Docker, Incus and Freehold put it, in words; one that nobody translated as it is."""
    word, _, left = state.partition(", ")
    ended = _EXITED.fullmatch(word)
    said = texts("state.exited", code=ended[1]) if ended else texts.word(f"state.{word}", word)
    return f"{said}, {texts.word(f'state.{_key(left)}', left)}" if left else said


def _key(words: str) -> str:
    return words.replace(" ", "-")


def names_in_text(names: Sequence[str], texts: Texts) -> str:
    """`a, b, c, d and 3 more`."""
    shown = ", ".join(names[:_MOST_NAMES])
    left = len(names) - _MOST_NAMES
    return f"{shown} {texts('page.more', number=left)}" if left > 0 else shown


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def _placing(service: Any) -> dict[str, Any]:
    """What infra.yml and the catalog say of a service: what it is called, whom it needs, how it is reached."""
    if service is None:
        return {"title": "", "needs": [], "exposed": None}
    expose = service.expose
    return {
        "title": service.descriptor.title,
        "needs": sorted(set(service.needs.values())),
        "exposed": {"host": expose.host, "public": expose.public, "login": expose.login.value}
        if expose
        else None,
    }


def _domains(infra: Infra) -> Iterator[dict[str, Any]]:
    for domain in infra.domains:
        yield {
            "name": domain.name,
            "trust": domain.trust.value,
            "subnet": str(domain.subnet),
            "internet": domain.internet,
        }


def _changes(found: Overview) -> Iterator[dict[str, Any]]:
    for change in found.plan.changes:
        yield {
            "address": str(change.address),
            "action": change.action.value,
            "impact": change.impact.value if change.impact else None,
            "reason": change.reason,
        }


def _problem(problem: Any, command: str) -> dict[str, Any]:
    document: dict[str, Any] = problem.as_json()
    return {**document, "hint": as_typed(problem.hint, command) if problem.hint else None}


def _at_work(found: Overview) -> dict[str, Any] | None:
    owner = found.at_work
    return {"verb": owner.verb, "pid": owner.pid, "since": owner.since} if owner else None


def _certificate(shown: ServedCertificate, now: datetime) -> dict[str, Any]:
    return {
        "host": shown.host,
        "service": shown.service,
        "ingress": shown.ingress,
        "target": shown.target,
        "begins": _moment(shown.begins) if shown.begins else None,
        "expires": _moment(shown.expires) if shown.expires else None,
        "days": shown.days(now),
        "late": shown.is_late(now),
        "issuer": shown.issuer,
        "fits": shown.fits,
        "problem": shown.problem,
    }


def _update(update: Update) -> dict[str, Any]:
    return {
        "name": update.name,
        "catalog": update.kind,
        "target": update.target,
        "known": update.is_known,
        "running": update.running or None,
        "wanted": update.wanted,
        "newest": update.newest_in_catalog,
        "behind": update.is_behind,
        "ends": update.ends.isoformat() if update.ends else None,
    }


def is_noteworthy(update: Mapping[str, Any], now: str) -> bool:
    """Whether there is something to say of a version: it is not the one that is asked for, there is a newer one, or it ends soon."""
    if update["behind"] or update["newest"] != update["wanted"]:
        return True
    return update["ends"] is not None and days_left(update["ends"], now) <= ENDS_SOON


def time_left(until: str, now: str) -> tuple[str, int]:
    """From one moment to another, both in ISO 8601, in whole `days`; in `hours` or `minutes` where it is less than two days."""
    minutes = (
        int((datetime.fromisoformat(until) - datetime.fromisoformat(now)).total_seconds()) // 60
    )
    if minutes >= 2 * 24 * 60:
        return "days", minutes // (24 * 60)
    return ("hours", minutes // 60) if minutes >= 60 else ("minutes", minutes)


def days_left(day: str, now: str) -> int:
    """From a moment to a day, both in ISO 8601."""
    return (date.fromisoformat(day) - datetime.fromisoformat(now).date()).days


def isolation_document(measured: Measured, infra: Infra) -> dict[str, Any]:
    """The last proof by packets, as a matrix; `missing` are machines that it does not know, `changed`: infra.yml says something else by now."""
    report = measured.report
    table = matrix(report)
    return {
        "measured_at": _moment(measured.at),
        "as_declared": report.as_declared,
        "changed": not measured.is_of(infra),
        "seconds": round(report.seconds, 3),
        "checks": len(report.results),
        "different": report.count(Verdict.DIFFERENT),
        "unmeasured": report.count(Verdict.NOT_MEASURED),
        "sources": list(table.sources),
        "targets": list(table.targets),
        "cells": [_cell(*ends, cell) for ends, cell in table.cells.items()],
        "differences": list(differences(report)),
        "missing": sorted({each.key for each in infra.machines()} - set(report.machines)),
    }


def _cell(source: str, target: str, cell: Cell) -> dict[str, Any]:
    """`passes` is `all`, `part`, `none` or null: not measured."""
    word = cell.word.rstrip("!?")
    return {
        "from": source,
        "to": target,
        "passes": word or None,
        "result": cell.verdict.value.replace(" ", "-"),
    }
