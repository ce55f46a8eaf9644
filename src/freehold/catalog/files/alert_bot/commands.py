"""What people may say to the alert bot, and what it does and answers. An answer's first line names the incident, as a message's does."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from itertools import groupby

from .alertmanager import (  # noqa: TID252 - a program of its own, no part of Freehold
    ACKNOWLEDGED,
    SILENCED,
    Alert,
    Alertmanager,
    Place,
    Silence,
    just,
    whole,
)
from .silenced import HELD  # noqa: TID252

COMMANDS = {
    "alerts": "what fires",
    "ack": "I know: no more of it until it is over",
    "silence": "nothing of it for a while, such as 30m, 4h, 2d",
    "silences": "what is silenced",
    "unsilence": "tell of it again",
}
USAGE = "\n".join(
    [
        *(f"/{name} – {what}" for name, what in COMMANDS.items()),
        "Say of what: /ack db, /silence db 4h; or as an answer to its message.",
    ]
)
UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 604800}
LONGEST = 30 * UNITS["d"]
MOST = 15  # incidents in one answer
_FIRST_LINE = re.compile(r".* · ([a-z][a-z0-9-]*)(?: on ([a-z][a-z0-9-]*))?")
_DURATION = re.compile(r"([0-9]{1,6})([mhdw])")
_TAPPED = re.compile(r"[a-z0-9_]{1,40}")  # Telegram makes /ack_db a link, and no /ack_a-b


class WrongCommandError(Exception):
    """It cannot be done; the text is the answer."""


@dataclass(frozen=True)
class Command:
    """What somebody said."""

    name: str
    words: tuple[str, ...]
    by: str
    about: str
    """The message that it answers."""


def command_of(text: str, bot: str, by: str, about: str) -> Command | None:
    """None where it is none, or for another bot. `/ack_some_thing` is `/ack some-thing`: names have no underscores."""
    words = text.split()
    if not words or not words[0].startswith("/"):
        return None
    said, _, meant = words[0][1:].partition("@")
    if meant and meant.lower() != bot.lower():
        return None
    name, _, tapped = said.lower().partition("_")
    more = (tapped.replace("_", "-"),) if tapped else ()
    return Command(name, (*more, *(word.lower() for word in words[1:])), by, about)


class Commands:
    """Does what is said. `places` are those of the estate, `seconds` how long a silence lasts unless said otherwise."""

    def __init__(self, alertmanager: Alertmanager, places: Iterable[Place], seconds: float) -> None:
        self.alertmanager, self.places, self.seconds = alertmanager, set(places), seconds

    def do(self, command: Command) -> str:
        """The answer. Raises WrongCommandError and AlertmanagerError; then nothing was done."""
        match command.name:
            case "alerts":
                return self._alerts()
            case "ack":
                return self._acknowledge(command)
            case "silence":
                return self._silence(command)
            case "silences":
                return self._silences()
            case "unsilence":
                return self._unsilence(command)
            case _:
                raise WrongCommandError(USAGE)

    def _alerts(self) -> str:
        firing, heard = self.alertmanager.alerts()
        silences = {each.id: each for each in self.alertmanager.silences()}
        shown = sorted((each for each in firing if not each.hidden), key=_urgency)
        blocks = [self._incident(place, list(each), silences) for place, each in groupby(shown, _place)]  # fmt: skip
        told = [*blocks[:MOST], *([f"… and more: {len(blocks)} in all"] if len(blocks) > MOST else [])]  # fmt: skip
        if not heard:
            told.append("Alertmanager does not hear Prometheus: there may be more than it knows.")
        return "\n\n".join(told) if told else "✅ Nothing fires."

    def _incident(self, place: Place, alerts: list[Alert], silences: dict[str, Silence]) -> str:
        worst = "🔴 critical" if any(each.critical for each in alerts) else "🟡 warning"
        since = _shown(min(datetime.fromisoformat(each.since) for each in alerts))
        lines = [f"{worst} · {place}", *(each.summary for each in alerts[:3]), f"since {since}"]
        holding = {name for each in alerts for name in each.silences} & silences.keys()
        lines += [_holding(silences[name]) for name in sorted(holding)]
        names = ["unsilence"] if holding else ["ack", "silence"]
        return "\n".join([*lines, self._offered(place, *names)])

    def _acknowledge(self, command: Command) -> str:
        firing, _ = self.alertmanager.alerts()
        place = self._place(command, command.words, firing)
        known = [each for each in firing if each.place == place]
        if not known:
            raise WrongCommandError(f"Nothing fires of {place}.\n{self._offered(place, 'silence')} would silence what comes.")  # fmt: skip
        self.alertmanager.silence(just(known), HELD, command.by, ACKNOWLEDGED)
        offered = self._offered(place, "unsilence")
        return f"☑️ acknowledged · {place}\nuntil it is over, by {command.by}\n{offered}"

    def _silence(self, command: Command) -> str:
        words, seconds = list(command.words), self.seconds
        if words and (last := _DURATION.fullmatch(words[-1])):
            words.pop()
            seconds = int(last[1]) * UNITS[last[2]]
        if not 0 < seconds <= LONGEST:
            raise WrongCommandError("A silence lasts between 1m and 30d.")
        place = self._place(command, tuple(words), self.alertmanager.alerts()[0])
        ends = self.alertmanager.silence(whole(place), seconds, command.by, SILENCED)
        offered = self._offered(place, "unsilence")
        return f"🔕 silenced · {place}\nuntil {_shown(ends)}, by {command.by}\n{offered}"

    def _silences(self) -> str:
        found = [self._listed(each) for each in self.alertmanager.silences()]
        more = [f"… and more: {len(found)} in all"] if len(found) > MOST else []
        return "\n\n".join([*found[:MOST], *more]) if found else "Nothing is silenced."

    def _listed(self, silence: Silence) -> str:
        place = silence.place
        if place is None:
            matchers = ", ".join(_matcher(*each) for each in sorted(silence.matchers))
            return f"🔕 silenced: {matchers}\n{_holding(silence)}\n/unsilence_{silence.id[:8]}"
        mark = "☑️ acknowledged" if silence.acknowledged else "🔕 silenced"
        return f"{mark} · {place}\n{_holding(silence)}\n{self._offered(place, 'unsilence')}"

    def _unsilence(self, command: Command) -> str:
        silences = self.alertmanager.silences()
        named = [each for each in silences if command.words == (each.id[:8],)]
        place = None
        if not named:
            place = self._place(command, command.words, self.alertmanager.alerts()[0])
            named = [each for each in silences if each.place == place]
        if not named:
            raise WrongCommandError(f"Nothing silences {place}. /silences")
        for each in named:
            self.alertmanager.expire(each)
        return f"🔔 no longer silenced · {place or named[0].id[:8]}"

    def _place(self, command: Command, words: tuple[str, ...], firing: list[Alert]) -> Place:
        """Which incident is meant: said by name, or by the message that is answered."""
        known = self.places | {each.place for each in firing}
        said = bool(words)
        if not said:
            line = _FIRST_LINE.fullmatch(command.about.partition("\n")[0])
            if line is None:
                raise WrongCommandError(f"Say of what: /{command.name} NAME, or answer a message with it. /alerts")  # fmt: skip
            words = (line[1], "on", line[2]) if line[2] else (line[1],)
        meant = _meant(words, known, said=said)
        if len(meant) == 1:
            return meant[0]
        if meant:
            listed = "\n".join(f"/{command.name} {_exact(each)}" for each in meant)
            raise WrongCommandError(f"Which one?\n{listed}")
        near = get_close_matches(words[0], {word for each in known for word in each if word}, 1)
        hint = f"Did you mean {near[0]}?" if near else USAGE
        raise WrongCommandError(f"No service and no computer is called {' '.join(words)}.\n{hint}")

    def _offered(self, place: Place, *names: str) -> str:
        """Commands that are sent by a tap."""
        word = (place.service or place.target).replace("-", "_")
        alone = len(_meant((word.replace("_", "-"),), self.places | {place})) == 1
        if alone and _TAPPED.fullmatch(word):
            return " ".join(f"/{name}_{word}" for name in names)
        return " or ".join(f"/{name} {_exact(place)}" for name in names)


def _meant(words: tuple[str, ...], known: set[Place], *, said: bool = True) -> list[Place]:
    match words:
        case (service, "on", target):
            return [each for each in known if each == (service, target)]
        case ("computer", target):
            return [each for each in known if each == ("", target)]
        case (name,) if not said and ("", name) in known:
            return [Place("", name)]  # its first line would name the service's target
        case (name,):
            return sorted(each for each in known if name == (each.service or each.target))
        case _:
            return []


def _exact(place: Place) -> str:
    return str(place) if place.service else f"computer {place.target}"


def _holding(silence: Silence) -> str:
    if silence.acknowledged:
        return f"acknowledged by {silence.by}, until it is over"
    return f"silenced until {_shown(silence.ends)}, by {silence.by}"


def _matcher(label: str, value: str, regex: bool, same: bool) -> str:
    return f'{label}{"=" if same else "!"}{"~" if regex else "=" if not same else ""}"{value}"'


def _shown(time: datetime) -> str:
    return f"{time:%-d %b %H:%M} UTC"


def _urgency(alert: Alert) -> tuple[Place, bool]:
    return alert.place, not alert.critical


def _place(alert: Alert) -> Place:
    return alert.place
