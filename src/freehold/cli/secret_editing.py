"""The conversation of `freehold secret edit`: an editor, a look at what came out of it, and the editor again."""

import sys
from collections.abc import Callable

from freehold.cli import secret_problems as problems
from freehold.diagnostics import FreeholdError, UsageError


def through_editor(text: str, keep: Callable[[dict[str, bytes]], None]) -> dict[str, bytes]:
    """What came out of the editor, and is kept. Whoever writes something wrong gets the text back."""
    from freehold.system.secrets.editing import ended_by_signals

    with ended_by_signals():
        return _conversation(text, keep)


def _conversation(text: str, keep: Callable[[dict[str, bytes]], None]) -> dict[str, bytes]:
    from freehold.system.secrets.editing import Draft
    from freehold.views.diagnostics import render_diagnostics

    draft = Draft(text)
    keeps = False
    try:
        while True:
            edited = draft.edited()
            try:
                after = parsed(edited, str(draft.path))
                keep(after)
                return after
            except FreeholdError as error:
                if not sys.stdin.isatty():
                    keeps = True
                    raise FreeholdError(
                        *error.diagnostics, problems.text_kept(str(draft.path))
                    ) from error
                render_diagnostics(error.diagnostics, sys.stderr)
                if not asks("Go on editing? [Y/n] ", {"", "y", "yes"}):
                    raise
    finally:
        if not keeps:
            draft.shred()


def parsed(text: str, where: str) -> dict[str, bytes]:
    """The secrets that a text says. Raises UsageError, which does not repeat any of it."""
    from freehold.system.secrets.document import Unreadable, read_entries

    try:
        return dict(read_entries(text).values)
    except Unreadable as problem:
        raise UsageError(problems.not_secrets(where, problem.line, str(problem))) from None


def asks(prompt: str, agreeing: set[str]) -> bool:
    """Whether the answer is one of those that agree; the end of input is none."""
    print(prompt, end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline()
    return bool(answer) and answer.strip().lower() in agreeing
