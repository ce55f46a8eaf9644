"""The catalog of services for people and as JSON. Called by `cli.catalog`."""

from collections.abc import Iterable
from datetime import date
from typing import Any, TextIO

from freehold.config.catalog.catalog import Entry
from freehold.config.catalog.described import Section, facts, sections, ways, written
from freehold.config.placing import image_of
from freehold.model.descriptors import Descriptor
from freehold.views.tables import Column, table_lines
from freehold.views.terminal import Paper, Style, visible

_HEADS = (
    Column("NAME"),
    Column("TITLE"),
    Column("VERSION"),
    Column("RUNS AS"),
    Column("END OF LIFE"),
    Column("WHAT", folds=True),
)


def catalog_document(entries: Iterable[Entry]) -> dict[str, Any]:
    """As `catalog list --json` prints it; an entry with errors has its name and origin only."""
    return {
        "schema": 1,
        "kind": "catalog",
        "services": [
            {"name": each.name, "own": each.own, **_summary(each.descriptor)} for each in entries
        ],
    }


def _summary(descriptor: Descriptor | None) -> dict[str, Any]:
    if descriptor is None:
        return {}
    end = descriptor.end_of_life(descriptor.version)
    return {
        "title": descriptor.title,
        "description": descriptor.description,
        "version": descriptor.version,
        "end_of_life": end.isoformat() if end else None,
        "runs_as": ways(descriptor),
    }


def descriptor_document(entry: Entry) -> dict[str, Any]:
    """As `catalog show --json` prints it: what one may choose, and what there is to know before."""
    descriptor = entry.descriptor
    assert descriptor is not None
    container = descriptor.container
    return {
        "schema": 1,
        "kind": "descriptor",
        "name": entry.name,
        "own": entry.own,
        **_summary(descriptor),
        "website": descriptor.website or None,
        "image": image_of(container, descriptor.version, {}) if container else None,
        "images": {str(when): image for when, image in container.images.items()}
        if container
        else {},
        "role": descriptor.role,
        "architectures": [each.value for each in descriptor.architectures],
        "cpu": descriptor.cpu,
        "memory": descriptor.memory.bytes if descriptor.memory else None,
        "exposes": descriptor.exposes,
        "reaches": [each.value for each in descriptor.reaches],
        "network_of": container.network_of if container else None,
        "settings": [_setting(each) for each in descriptor.settings],
        **_parts(descriptor),
    }


def _setting(setting: Any) -> dict[str, Any]:
    return {
        "name": setting.name,
        "kind": setting.kind.value,
        "default": setting.default,
        "choices": list(setting.choices),
        "description": setting.description,
    }


def _parts(descriptor: Descriptor) -> dict[str, Any]:
    return {
        "ports": [
            {
                "name": port.name,
                "number": port.number,
                "protocol": port.protocol.value,
                "network": port.network,
                "published": port.published,
            }
            for port in descriptor.ports
        ],
        "needs": [
            {
                "name": need.name,
                "service": need.service,
                "optional": need.optional,
                "calls_back": list(need.calls_back),
                "when": str(need.when) if need.when else None,
            }
            for need in descriptor.needs
        ],
        "secrets": [
            {
                "name": secret.name,
                "generated": secret.generated,
                "when": str(secret.when) if secret.when else None,
                "description": secret.description,
            }
            for secret in descriptor.secrets
        ],
        "data": [
            {
                "name": data.name,
                "path": data.path,
                "backup": data.backup,
                "description": data.description,
            }
            for data in descriptor.data
        ],
        "alerts": [
            {"name": each.name, "severity": each.severity.value, "summary": each.summary}
            for each in descriptor.alerts
        ],
    }


def render_catalog(entries: Iterable[Entry], today: date, stream: TextIO) -> None:
    """A row for each, in the order of their names."""
    paper = Paper(stream)
    rows = [_row(entry, today) for entry in entries]
    for line in table_lines(_HEADS, rows, paper):
        paper.line(line)


def _row(entry: Entry, today: date) -> list[str]:
    descriptor = entry.descriptor
    if descriptor is None:
        return [visible(entry.name), "", "", "", "", "Has errors; yours."]
    end = descriptor.end_of_life(descriptor.version)
    ended = f"{end.isoformat()}{' (past)' if end < today else ''}" if end else ""
    what = f"{descriptor.description}{' (yours)' if entry.own else ''}"
    cells = [entry.name, descriptor.title, descriptor.version, ", ".join(ways(descriptor))]
    return [*map(visible, cells), ended, visible(what)]


def render_descriptor(entry: Entry, stream: TextIO) -> None:
    """Facts, then what can be chosen, each with the key of infra.yml that it is chosen by."""
    descriptor = entry.descriptor
    assert descriptor is not None
    paper = Paper(stream)
    origin = "your own, in catalog/" if entry.own else "comes with Freehold"
    title = f"{visible(descriptor.title)} — {visible(descriptor.description)}"
    for line in paper.wrapped(title):
        paper.line(paper.paint(line, Style.BOLD))
    told = [*facts(descriptor), ("Origin", origin)]
    width = max(len(word) for word, _ in told) + 3
    for word, value in told:
        for line in paper.wrapped(visible(value), f"{word + ':':<{width}}", " " * width):
            paper.line(line)
    for section in sections(descriptor):
        _render_section(paper, section)
    paper.line()
    paper.line("In infra.yml:")
    for line in example(descriptor):
        paper.line(f"    {visible(line)}")


def _render_section(paper: Paper, section: Section) -> None:
    paper.line()
    paper.line(paper.paint(section.title, Style.BOLD))
    last = len(section.heads) - 1
    heads = [Column(head, folds=number == last) for number, head in enumerate(section.heads)]
    rows = [[visible(cell) for cell in row] for row in section.rows]
    for line in table_lines(heads, rows, paper):
        paper.line(f"  {line}" if line else "")


def example(descriptor: Descriptor) -> Iterable[str]:
    """The least that infra.yml must say of it."""
    yield "services:"
    must = [each for each in descriptor.settings if each.default is None]
    if not must:
        yield f"  {descriptor.name}: {{on: TARGET}}"
        return
    yield f"  {descriptor.name}:"
    yield "    on: TARGET"
    yield "    settings:"
    for each in must:
        yield f"      {each.name}: {written(each.choices[0]) if each.choices else '…'}"
