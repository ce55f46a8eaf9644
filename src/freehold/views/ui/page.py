"""The pages as text: templates filled in with facts, texts of one language, and pictures. Called by `cli.ui_site`.

Every value is escaped where it is put in (Jinja's autoescape), and control characters are shown as what they are. Names come from
infra.yml, states and problems from machines: neither is trusted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from freehold import __version__
from freehold.diagnostics import Diagnostic
from freehold.engine.journal import PastRun
from freehold.engine.lock import Owner
from freehold.views.commands import as_typed
from freehold.views.languages import LANGUAGES, Texts
from freehold.views.log import run_log_document
from freehold.views.ui import marks, said
from freehold.views.ui.isolation import rows
from freehold.views.ui.picture import sizes
from freehold.views.ui.timeline import MOST, timeline
from freehold.views.ui.versions import versions

MOST_ROWS = 1000  # of one table; the JSON has all
MOST_NEEDS = 50  # cards; `status` has all
_FILES = {
    "/page.css": "text/css",
    "/page.js": "text/javascript",
    "/icon.svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fresh:
    """How old the facts are, in seconds; whether a look is under way; why the last one failed, if it did.

    `good_for`: seconds from which nobody should rely on them.
    """

    age: float = 0.0
    good_for: float = 60.0
    looking: bool = False
    problems: Sequence[Diagnostic] = ()

    @property
    def old(self) -> bool:
        return self.age > self.good_for


def overview_page(
    document: Mapping[str, Any] | None, fresh: Fresh, language: str, command: str = "freehold"
) -> str:
    """The page of an estate; `document` is None before the first look has ended. `command` is how the user calls Freehold."""
    texts = Texts(language)
    return _filled(
        "overview.html" if document else "waiting.html",
        texts,
        facts=document,
        fresh=fresh,
        problems=[{**each.as_json(), "hint": _typed(each, command)} for each in fresh.problems],
        command=command,
        pictures=list(sizes(document, said.Words(texts).trust)) if document else [],
        matrix=rows(document["isolation"]) if document and document["isolation"] else None,
        versions=versions(document) if document else None,
        most=MOST_ROWS,
        most_needs=MOST_NEEDS,
    )


def run_page(
    run: PastRun, language: str, command: str = "freehold", at_work: Owner | None = None
) -> str:
    """The page of one run: what it did when. `at_work` is who changes the estate right now: this run, perhaps."""
    texts = Texts(language)
    bars = timeline(run)
    document = run_log_document(run)["run"]
    shown = bars[:MOST]
    return _filled(
        "run.html",
        texts,
        run=document,
        at_work={"pid": at_work.pid} if at_work else None,
        bars=shown,
        left=len(bars) - len(shown),
        command=command,
    )


def refusal_page(why: str, language: str, *, root: str = "/", again: bool = False) -> str:
    """What is shown to who may not see the rest; it tells nothing of the estate. `root` is where the reader has the overview.

    `again`: the browser comes back by itself, at once.
    """
    return _filled("refusal.html", Texts(language), why=why, root=root, again=again)


def shared_file(path: str) -> tuple[str, str] | None:
    """What pages are drawn with, and its media type; None when there is nothing at that path."""
    kind = _FILES.get(path)
    return (_file(path.removeprefix("/")), kind) if kind else None


@cache
def _file(name: str) -> str:
    return files("freehold.views.ui").joinpath("files", name).read_text(encoding="utf-8")


def _typed(problem: Diagnostic, command: str) -> str:
    return as_typed(problem.hint or "", command)


def _filled(template: str, texts: Texts, **values: Any) -> str:
    page = _environment().get_template(template)
    words = said.Words(texts)
    return page.render(
        t=texts, say=words, marks=marks, languages=LANGUAGES, version=__version__, **values
    )


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("freehold.views.ui", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=said.shown,
    )
    made.globals["zip"] = zip
    return made
