"""What the rules between the domains have counted, for people and as JSON. Called by `cli.firewall`."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, TextIO

from freehold.operations.firewall_counts import FirewallCounts
from freehold.providers.firewall.counts import Dropped
from freehold.views.tables import Column, table_lines
from freehold.views.terminal import Paper, visible
from freehold.views.words import count

_COLUMNS = [Column("dropped from"), Column("to"), Column("what"), Column("packets"), Column("last")]
_MINUTE = 60  # seconds


def counts_document(counts: FirewallCounts) -> dict[str, Any]:
    """As in the contract of `firewall --json`."""
    latest = None if counts.latest is None else [asdict(each) for each in counts.latest]
    return {
        "schema": 1,
        "kind": "firewall",
        "estate": counts.estate,
        "machine": counts.machine,
        "passed": _total(counts.passed),
        "dropped": _total(counts.dropped),
        "dropped_by_host": _total(counts.host_dropped),
        "latest": latest,
    }


def render_counts(counts: FirewallCounts, stream: TextIO) -> None:
    """Write who decides, how much passed and was dropped, and what the latest drops were."""
    paper = Paper(stream)
    if counts.latest:
        for line in table_lines(_COLUMNS, list(_rows(counts.latest, counts.names)), paper):
            paper.line(line)
        paper.line()
    for sentence in _sentences(counts):
        for line in paper.wrapped(sentence):
            paper.line(line)


def _rows(latest: tuple[Dropped, ...], names: Mapping[str, str]) -> Iterator[list[str]]:
    for each in latest:
        what = each.protocol if each.port is None else f"{each.protocol} {each.port}"
        ends = (visible(names.get(address, address)) for address in (each.source, each.target))
        yield [*ends, visible(what), str(each.packets), _ago(each.seconds_ago)]


def _sentences(counts: FirewallCounts) -> Iterator[str]:
    host = f"The host dropped {count(_total(counts.host_dropped) or 0, 'packet')} itself."
    if counts.machine is None:
        yield f"Rules on the host keep the domains apart. {host}"
        yield "Which packets those were is not recorded; a firewall machine remembers them for an hour."
    elif counts.passed is None:
        yield f"Between the domains: nothing. {counts.machine} does not answer or has no rules. {host}"
    else:
        passed, dropped = _total(counts.passed) or 0, _total(counts.dropped) or 0
        yield f"{counts.machine} let {count(passed, 'packet')} through between the domains and dropped {dropped}. {host}"
    yield "Counted since the rules were last loaded."


def _total(by_chain: Mapping[str, int] | None) -> int | None:
    return None if by_chain is None else sum(by_chain.values())


def _ago(seconds: int) -> str:
    return f"{seconds} s ago" if seconds < 2 * _MINUTE else f"{seconds // _MINUTE} min ago"
