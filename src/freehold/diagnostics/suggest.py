"""The "did you mean" of every message. Called by config checks, the command line and the planner."""

import difflib
from collections.abc import Iterable


def nearest(word: str, valid: Iterable[str]) -> str | None:
    """The valid word closest to `word`, or None when nothing is close enough to be meant."""
    matches = difflib.get_close_matches(word.lower(), sorted(valid), n=1, cutoff=0.6)
    return matches[0] if matches else None


def did_you_mean(word: str, valid: Iterable[str]) -> str | None:
    """A hint that names the nearest valid word, else lists a few of them; None when there are none."""
    words = sorted(valid)
    if match := nearest(word, words):
        return f"Did you mean `{match}`?"
    if not words:
        return None
    shown = ", ".join(f"`{w}`" for w in words[:12])
    return f"Valid here: {shown}{', …' if len(words) > 12 else ''}."
