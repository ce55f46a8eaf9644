"""What other parts of Freehold say in English, in the language of the page: reasons of changes, diagnostics. Used by `views.ui`.

`sentences-LANGUAGE.json` has them by their English words, as gettext does, so that a sentence that was changed is shown as it is
rather than as what it no longer says. A `{name}` stands for what the two have in common; the first that fits is taken.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from freehold.views.languages import ENGLISH

LONGEST = 600  # characters; what is longer was said by another program
_PLACE = re.compile(r"\{([a-z]+)\}")


@cache
def sentences(language: str) -> Mapping[str, str]:
    """All that are known, by their English; none in English itself."""
    if language == ENGLISH:
        return {}
    package = files("freehold.views.languages")
    text = package.joinpath(f"sentences-{language}.json").read_text(encoding="utf-8")
    found: Mapping[str, str] = json.loads(text)
    return found


def translated(text: str, language: str) -> str | None:
    """One sentence, or one line of a hint; None where nobody put it into that language."""
    if language == ENGLISH or len(text) > LONGEST:
        return None
    if said := sentences(language).get(text):
        return said
    for pattern, theirs in _patterns(language):
        if found := pattern.fullmatch(text):
            return _PLACE.sub(lambda place: found[place[1]], theirs)
    return None


@cache
def _patterns(language: str) -> list[tuple[re.Pattern[str], str]]:
    """Those with places, in the order of the file: the more special ones come first."""
    return [
        (re.compile(_pattern(ours)), theirs)
        for ours, theirs in sentences(language).items()
        if _PLACE.search(ours)
    ]


def _pattern(ours: str) -> str:
    words = _PLACE.split(ours)
    return "".join(
        f"(?P<{word}>.+?)" if number % 2 else re.escape(word) for number, word in enumerate(words)
    )
