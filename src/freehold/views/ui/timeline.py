"""A past run as the changes that it made, each with its place in time: what the page of a run draws as bars. Pure; called by `page`."""

from dataclasses import dataclass, replace

from freehold.engine.journal import PastRun
from freehold.planning.address import Address

MOST = 400  # changes that a page shows; `freehold log RUN` has all


@dataclass(frozen=True, slots=True)
class Bar:
    """One change. `begun` and `seconds` count from the run's start; `result` is `done`, `failed`, `skipped`, `interrupted` or `open`.

    `said` is why it failed or was left out, one reason or more on lines of their own.
    """

    kind: str
    name: str
    action: str
    begun: float
    seconds: float
    result: str = "open"
    said: str = ""

    def span(self, whole: float) -> tuple[float, float]:
        """Where it begins and how long it is, in thousandths of the whole run; long enough to be seen."""
        scale = 1000 / whole if whole > 0 else 0
        start = min(self.begun * scale, 994)
        return round(start, 1), round(min(max(self.seconds * scale, 6), 1000 - start), 1)


_ENDS = {
    "change-done": "done",
    "change-failed": "failed",
    "change-skipped": "skipped",
    "interrupted": "interrupted",
}


def timeline(run: PastRun) -> list[Bar]:
    """The changes in the order in which they began."""
    bars: dict[str, Bar] = {}
    for event in run.events:
        address, at = str(event.get("address", "")), event["time"] - run.started
        if event["event"] == "change-started":
            bars[address] = _begun(address, str(event.get("action", "")), at)
        elif result := _ENDS.get(event["event"]):
            bar = bars.get(address) or _begun(address, "", at)
            said = "\n".join(map(str, event.get("problems", ()))) or str(event.get("reason", ""))
            bars[address] = replace(bar, seconds=at - bar.begun, result=result, said=said)
    return [_still_open(bar, run) for bar in bars.values()]


def _begun(address: str, action: str, at: float) -> Bar:
    try:
        parsed = Address.parse(address)
    except ValueError:
        return Bar("", address, action, at, 0.0)
    return Bar(parsed.kind, parsed.path, action, at, 0.0)


def _still_open(bar: Bar, run: PastRun) -> Bar:
    """One that never ended lasts as long as the run is known."""
    return replace(bar, seconds=run.seconds - bar.begun) if bar.result == "open" else bar
