"""Looks after what is silenced, for the alert bot: an acknowledgement holds as long as its alerts fire, and the end of a silence is told.

Alertmanager by itself says nothing when an alert ends under a silence, and believes from then on that people know of it: fires it
again within `repeat_interval`, nobody is told (github.com/grafana/grafana/issues/80996, github.com/prometheus/alertmanager/issues/226).
So whatever ended under a silence is posted as ended once more when the silence is gone: Alertmanager says that it is over, where it
had said that it began, and forgets it.
"""

from datetime import UTC, datetime
from itertools import groupby

from .alertmanager import Alert, Alertmanager, Place, Silence  # noqa: TID252
from .state import State  # noqa: TID252

HELD = 900.0  # seconds for which an acknowledgement holds without this program
PROLONGED = 600.0  # with so many left


def look(alertmanager: Alertmanager, state: State, settled: float) -> list[str]:
    """What is to be told. Right after its start Alertmanager has not heard yet what fires. Raises AlertmanagerError."""
    if alertmanager.runs() < settled:
        return []
    firing, _ = alertmanager.alerts()
    state.silenced |= {each.fingerprint: each for each in firing if each.silences}
    active = _held(alertmanager, firing)
    over, left = [], []
    fires = {each.fingerprint: each for each in firing}
    for kept in list(state.silenced.values()):
        now = fires.get(kept.fingerprint)
        if now is None and active.isdisjoint(kept.silences):
            over.append(kept)
        elif now is not None and not now.silences:
            left.append(now)
        else:
            continue
        del state.silenced[kept.fingerprint]
    alertmanager.over(over)
    return told_again([each for each in left if not each.hidden])


def told_again(alerts: list[Alert]) -> list[str]:
    """One message for each incident that outlived its silence."""
    by_place = groupby(sorted(alerts, key=_place), _place)
    return ["\n".join([f"🔔 no longer silenced · {place}", *_summaries(list(each))]) for place, each in by_place]  # fmt: skip


def _summaries(alerts: list[Alert]) -> list[str]:
    shown = [f"still fires: {each.summary}" for each in alerts[:8]]
    return [*shown, f"… and more: {len(alerts)} in all"] if len(alerts) > len(shown) else shown


def _place(alert: Alert) -> Place:
    return alert.place


def _held(alertmanager: Alertmanager, firing: list[Alert]) -> set[str]:
    """The silences that hold: an acknowledgement is prolonged while something fires under it, and ended when nothing does."""
    held = {name for each in firing for name in each.silences}
    active = set()
    for silence in alertmanager.silences():
        if silence.acknowledged and silence.id not in held:
            alertmanager.expire(silence)
            continue
        active.add(silence.id)
        if silence.acknowledged and _left(silence) < PROLONGED:
            alertmanager.prolong(silence, HELD)
    return active


def _left(silence: Silence) -> float:
    """Seconds."""
    return (silence.ends - datetime.now(UTC)).total_seconds()
