"""Facts in the words of a language: moments, ages, states, results, needs. Used by the templates through `page`. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from markupsafe import Markup

from freehold.planning.address import Address
from freehold.planning.change import Action
from freehold.views.languages import Texts
from freehold.views.overview_document import names_in_text, need_text
from freehold.views.terminal import visible
from freehold.views.words import duration

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

    def state(self, state: str) -> str:
        """A state in words; one that nobody translated as it is."""
        return self._texts.word(f"state.{state}", state)

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

    took = staticmethod(duration)

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
