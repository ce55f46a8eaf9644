"""Facts in the words of a language: moments, ages, states, results, needs. Used by the templates through `page`. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from markupsafe import Markup

from freehold.planning.address import Address
from freehold.planning.change import Action
from freehold.views.languages import ENGLISH, Texts
from freehold.views.languages.sentences import translated
from freehold.views.overview_document import names_in_text, need_text, state_in_words, time_left
from freehold.views.terminal import visible
from freehold.views.words import duration

_ONE_OF = {
    "host": "hosts.one-of",
    "service": "services.one-of",
    "certificate": "certificates.one-of",
}
_RESULTS = {0: "done", 1: "failed", 4: "partly"}
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def shown(value: object) -> object:
    """What a template puts in: control characters and those that turn the direction of writing become visible."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return visible(value)
    return value


class Words:
    """Of one language."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts

    def ago(self, seconds: float) -> str:
        """`12 s ago`, `3 min ago`, `2 h ago`, `5 days ago`."""
        for key, unit, until in (
            ("seconds", 1, _MINUTE),
            ("minutes", _MINUTE, _HOUR),
            ("hours", _HOUR, _DAY),
            ("days", _DAY, float("inf")),
        ):
            if seconds < until:
                return self._texts(f"page.{key}-ago", number=max(0, int(seconds // unit)))
        raise AssertionError(seconds)

    def since(self, moment: str, now: str) -> str:
        """The same between two moments in ISO 8601."""
        passed = datetime.fromisoformat(now) - datetime.fromisoformat(moment)
        return self.ago(passed.total_seconds())

    def left(self, until: str, now: str) -> str:
        """`in 12 days`, `in 3 hours`."""
        unit, number = time_left(until, now)
        return self._texts(f"certificates.{unit}", number=number)

    def state(self, state: str) -> str:
        """A state in words; one that nobody translated as it is."""
        return state_in_words(state, self._texts)

    def trust(self, trust: str) -> str:
        """How far a domain is trusted."""
        return self._texts(f"trust.{trust}")

    def kind(self, kind: str) -> str:
        return self._texts.word(f"kind.{kind}", kind)

    def action(self, action: str) -> str:
        return self._texts.word(f"action.{action}", action)

    def result(self, run: Mapping[str, Any], at_work: Mapping[str, Any] | None = None) -> str:
        """How a run ended."""
        return self._texts(f"result.{result_of(run, at_work)}", code=run["exit_code"])

    def need(self, need: Mapping[str, Any]) -> tuple[str, str]:
        """What is the matter, and its particulars."""
        return need_text(need, self._texts)

    def names(self, names: Sequence[str]) -> str:
        return names_in_text(names, self._texts)

    def counts(self, facts: Mapping[str, Any]) -> list[str]:
        """How many machines, hosts and services there are; those that there are none of are left out."""
        kinds = ("hosts", "machines", "services")
        return [
            self._texts(f"page.count-{each}", number=len(facts[each]))
            for each in kinds
            if facts[each]
        ]

    def address(self, text: str) -> tuple[str, str]:
        """The address of a resource as its kind in words, and its path."""
        try:
            address = Address.parse(text)
        except ValueError:
            return "", text
        return self.kind(address.kind), address.path

    def sentence(self, text: str) -> tuple[str, bool]:
        """What another part of Freehold said in English, and whether it stays so on a page of another language."""
        said = translated(text, self._texts.language)
        return said or text, said is None and self._texts.language != ENGLISH

    def unmeasured(self, names: Sequence[str]) -> list[str]:
        """What could not be looked at: kinds (of one target, behind a colon), hosts, services and certificates."""
        return [self._unmeasured(each) for each in names]

    def more(self, facts: Mapping[str, Any]) -> str:
        """What stands below a verdict that asks for nothing."""
        owner = facts["at_work"] or {"verb": "", "since": 0.0}
        return self._texts(
            f"verdict.{facts['verdict']}.more",
            names=self.names(self.unmeasured(facts["not_measured"])),
            verb=owner["verb"],
            time=self.moment(owner["since"]),
            number=len(facts["changes"]),
        )

    def _unmeasured(self, name: str) -> str:
        what, _, which = name.partition(" ")
        if which and what in _ONE_OF:
            return self._texts(_ONE_OF[what], name=which)
        kind, _, target = name.partition(":")
        return f"{self.kind(kind)} {target}".strip()

    def took(self, seconds: float) -> str:
        """`9.4 s`; in French with a comma."""
        return duration(seconds).replace(".", self._texts("page.decimal"))

    @staticmethod
    def ended(run: Mapping[str, Any], at_work: Mapping[str, Any] | None) -> str:
        """How a run ended, as a word for `marks`."""
        return result_of(run, at_work)

    @staticmethod
    def clock(moment: str) -> str:
        """The time of day in this computer's time zone."""
        return f"{datetime.fromisoformat(moment).astimezone():%H:%M:%S}"

    @staticmethod
    def moment(moment: str | float) -> str:
        """Day and time in this computer's time zone; of seconds since the epoch too."""
        at = (
            datetime.fromisoformat(moment)
            if isinstance(moment, str)
            else datetime.fromtimestamp(moment).astimezone()
        )
        return f"{at.astimezone():%Y-%m-%d %H:%M}"

    @staticmethod
    def day(moment: str) -> str:
        return f"{datetime.fromisoformat(moment).astimezone():%Y-%m-%d}"

    @staticmethod
    def planned(run: Mapping[str, Any]) -> str:
        """`+12 ~1 -2`, the symbols of plans."""
        counts = run["summary"]
        found = [f"{each.symbol}{counts[each.value]}" for each in Action if counts.get(each.value)]
        return " ".join(found) or "–"


def result_of(run: Mapping[str, Any], at_work: Mapping[str, Any] | None = None) -> str:
    """How a run ended, as a word of the catalogue of texts; `at_work` is who works on the estate right now."""
    if run["exit_code"] is None:
        return "at-work" if at_work and at_work["pid"] == run["pid"] else "open"
    if run["stopped"]:
        return "stopped"
    return _RESULTS.get(run["exit_code"], "exit")
