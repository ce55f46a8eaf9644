"""The texts of the overview in each language: `en.json` and `fr.json` beside this file, with the same keys. Pure but for reading them.

Used by `views.overview` and `views.ui`. A text has places for facts (`{subjects}`); one that counts has two forms, `KEY.one` and
`KEY.other`, chosen by the fact `number`.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

ENGLISH, FRENCH = "en", "fr"
LANGUAGES = {ENGLISH: "English", FRENCH: "Français"}
"""What each calls itself."""


class Texts:
    """One language."""

    def __init__(self, language: str) -> None:
        """Raises KeyError for a language that there is not."""
        self.language = language
        self.name = LANGUAGES[language]
        self._all = catalogue(language)

    def __call__(self, key: str, **facts: object) -> str:
        """The text with its facts. Raises KeyError when there is none."""
        return self._all[self._form(key, facts)].format_map(facts)

    def has(self, key: str) -> bool:
        return key in self._all

    def word(self, key: str, otherwise: str) -> str:
        """A text that may not be there, as for a word of another program's."""
        return self._all.get(key, otherwise)

    def _form(self, key: str, facts: Mapping[str, object]) -> str:
        number = facts.get("number")
        if not isinstance(number, int) or f"{key}.one" not in self._all:
            return key
        return f"{key}.one" if _is_one(self.language, number) else f"{key}.other"


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """All texts of a language."""
    text = files(__name__).joinpath(f"{language}.json").read_text(encoding="utf-8")
    texts: Mapping[str, str] = json.loads(text)
    return texts


def _is_one(language: str, number: int) -> bool:
    """In French nothing is singular too (CLDR, plural rules)."""
    return abs(number) < 2 if language == FRENCH else number == 1


def preferred(header: str) -> str:
    """The language that a browser would rather have, by its header Accept-Language (RFC 9110, section 12.5.4); else English."""
    best, language = 0.0, ENGLISH
    for part in header.split(","):
        word, _, rest = part.partition(";")
        name = word.strip().lower().partition("-")[0]
        weight = _weight(rest)
        if name in LANGUAGES and weight > best:
            best, language = weight, name
    return language


def _weight(text: str) -> float:
    name, _, value = text.strip().partition("=")
    try:
        return float(value) if name == "q" else 1.0
    except ValueError:
        return 0.0
