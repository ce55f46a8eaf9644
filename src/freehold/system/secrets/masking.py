"""Takes secrets out of what programs print, before it is written down. Called by `system.ansible`.

It finds a value as it is, and as JSON and Python write it; of several lines, each line that is long enough to be told from
ordinary words. It is the last net: what must not be printed should not be given to be printed (`no_log` of a task).
"""

import json
import re
from collections.abc import Iterable, Iterator

from freehold.diagnostics import BackendError
from freehold.system.secrets.api import Secrets

MASK = "********"
SHORTEST = 6  # characters: a shorter value would take ordinary words with it


class Masking:
    """Replaces the values of these secrets."""

    def __init__(self, values: Iterable[bytes]) -> None:
        forms = {form for value in values for form in _forms(value) if len(form) >= SHORTEST}
        longest_first = sorted(forms, key=len, reverse=True)
        self._found = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    @classmethod
    def of(cls, secrets: Secrets) -> "Masking":
        """All of an estate. Where they cannot be read from here, nothing that runs here can print them either."""
        try:
            return cls([secrets.value(name) for name in secrets.names()])
        except BackendError:
            return cls([])

    def text(self, text: str) -> str:
        """The same with a mask in the place of each."""
        return text if self._found is None else self._found.sub(MASK, text)


def _forms(value: bytes) -> Iterator[str]:
    text = value.decode("utf-8", "replace")
    for each in dict.fromkeys((text, *text.splitlines())):
        yield each
        yield json.dumps(each)[1:-1]
        yield json.dumps(each, ensure_ascii=False)[1:-1]
        yield repr(each)[1:-1]
