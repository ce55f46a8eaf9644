"""The from × to matrix of a traffic report, and its differences in words. Pure; shared by `traffic` and `traffic_html`."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from freehold.model.traffic import HOST, INTERNET, domain_of
from freehold.operations.traffic.check import Check, Kind, Result, TrafficReport, Verdict

MOST_COLUMNS = 10  # machines; more are shown by domain
LEGEND = (
    "all: everything tried passed; part: some of it; none: nothing; ?: not measured; !: not as infra.yml says. "
    "Forged packets and IPv6 count too, and must never pass."
)


@dataclass(frozen=True, slots=True)
class Cell:
    """What passes from one end to another."""

    results: tuple[Result, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst: a difference, then what was not measured at all."""
        found = {result.verdict for result in self.results}
        if Verdict.DIFFERENT in found:
            return Verdict.DIFFERENT
        return Verdict.AS_DECLARED if Verdict.AS_DECLARED in found else Verdict.NOT_MEASURED

    @property
    def word(self) -> str:
        """`all`, `part`, `none` or `?`, with `!` when it differs and `?` when part of it was not measured."""
        measured = [result.arrived for result in self.results if result.arrived is not None]
        if not measured:
            return "?"
        # What must never pass whoever asks, forged packets and IPv6, does not make an open way "part" of one.
        plain = [
            result.arrived
            for result in self.results
            if result.arrived is not None and result.check.kind not in (Kind.IPV6, Kind.SPOOFED)
        ]
        shown = plain or measured
        word = "all" if all(shown) else "part" if any(shown) else "none"
        unknown = "?" if len(measured) < len(self.results) else ""
        return word + unknown + ("!" if self.verdict is Verdict.DIFFERENT else "")


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows, columns and cells, of machines or (`by_domain`) of domains; `host` and `internet` come last."""

    sources: Sequence[str]
    targets: Sequence[str]
    cells: Mapping[tuple[str, str], Cell]
    by_domain: bool


def matrix(report: TrafficReport, most: int = MOST_COLUMNS) -> Matrix:
    """The matrix of a report."""
    by_domain = len(report.machines) > most
    cells: defaultdict[tuple[str, str], list[Result]] = defaultdict(list)
    for result in report.results:
        ends = result.check.source, result.check.target
        source, target = map(domain_of, ends) if by_domain else ends
        cells[source, target].append(result)
    names = list(dict.fromkeys(map(domain_of, report.machines) if by_domain else report.machines))
    rows = [name for name in (*names, HOST) if any(name == source for source, _ in cells)]
    columns = [
        name for name in (*names, HOST, INTERNET) if any(name == target for _, target in cells)
    ]
    made = {ends: Cell(tuple(results)) for ends, results in cells.items()}
    return Matrix(rows, columns, made, by_domain)


def differences(report: TrafficReport) -> Iterator[str]:
    """A line for each pair of ends and each way of being wrong."""
    wrong = [result for result in report.results if result.verdict is Verdict.DIFFERENT]
    for (source, target, because), group in groupby(_sorted(wrong), _pair):
        found = list(group)
        how = _tried(found)
        if because:
            yield f"{source} → {target}: {how}: does not pass, and should ({because})"
        else:
            yield f"{source} → {target}: {how}: passes, and must not"


def _pair(result: Result) -> tuple[str, str, str]:
    check = result.check
    return check.source, target_name(check), check.because or ""


def _sorted(results: Sequence[Result]) -> list[Result]:
    order = {pair: number for number, pair in reversed(list(enumerate(map(_pair, results))))}
    return sorted(results, key=lambda result: order[_pair(result)])


def target_name(check: Check) -> str:
    """The target in words: of the host, which address."""
    if check.target != HOST:
        return check.target
    if check.kind is Kind.IPV6:
        return HOST
    of = f", the gateway of {check.gateway_of}" if check.gateway_of else ""
    return f"host ({check.address}{of})"


def tried(check: Check) -> str:
    """What was sent: `icmp`, `tcp 8080`, `udp from 10.100.0.10 (forged)`."""
    match check.kind:
        case Kind.SPOOFED:
            return f"udp from {check.forged} (forged)"
        case Kind.IPV6:
            return f"ipv6 to {check.address}"
        case Kind.DNS:
            return "a dns question"
        case Kind.ICMP:
            return "icmp"
        case _:
            return f"{check.kind.value} {check.port}" if check.port else check.kind.value


def _tried(results: Sequence[Result]) -> str:
    words = []
    for result in results:
        remark = f" ({result.remark})" if result.remark else ""
        words.append(tried(result.check) + remark)
    return ", ".join(dict.fromkeys(words))


def unmeasured(report: TrafficReport) -> list[tuple[str, int]]:
    """Why something was not measured, and how many checks that concerns."""
    reasons = Counter(
        result.remark for result in report.results if result.verdict is Verdict.NOT_MEASURED
    )
    return list(reasons.items())
