"""What `freehold ui` answers at which path: the pages of `views.ui`, from facts that `Watch` keeps fresh. Used by `ui.py`."""

import hashlib
import json
import traceback
from collections.abc import Callable, Collection
from pathlib import Path

from freehold.cli.options import Common
from freehold.engine.journal import PastRun, past_runs
from freehold.operations.overview.watch import Seen, Watch
from freehold.system.pages import Asked, Given, Refusal
from freehold.views.languages import LANGUAGES, preferred
from freehold.views.overview_document import overview_document
from freehold.views.ui import Fresh, overview_page, refusal_page, run_page, shared_file

COOKIE = "freehold-lang"
_SHARED = ("/page.css", "/page.js", "/icon.svg")
_STEP = (
    10  # seconds of age that one tag stands for: a page that is asked for again so soon is the same
)


class OverviewSite:
    """The site of one estate. `broken` is told of what nobody expected."""

    def __init__(
        self, options: Common, watch: Watch, broken: Callable[[Exception], object]
    ) -> None:
        self._options = options
        self._watch = watch
        self._broken = broken

    @property
    def open(self) -> Collection[str]:
        return _SHARED

    async def answer(self, asked: Asked) -> Given | None:
        if chosen := asked.query.get("lang"):
            keeps = {COOKIE: chosen} if chosen in LANGUAGES else {}
            return Given(status=303, leads_to=f"/{asked.path.lstrip('/')}", keeps=keeps)
        if found := shared_file(asked.path):
            return _tagged(*found)
        if asked.path == "/":
            return self._overview(await self._watch.seen(), language(asked))
        if asked.path == "/status.json":
            return self._json(await self._watch.seen())
        if asked.path.startswith("/runs/"):
            return self._run(asked.path.removeprefix("/runs/"), language(asked))
        return None

    def refused(self, asked: Asked, why: Refusal) -> Given:
        """A browser that held back its cookie, because another site led here, comes back by itself once."""
        again = why is Refusal.STRANGER and asked.from_elsewhere
        body = refusal_page(why.value, language(asked), again=again)
        return Given(body=body, status=why.status)

    def failed(self, error: Exception) -> None:
        self._broken(error)

    def _overview(self, seen: Seen, chosen: str) -> Given:
        command = self._options.command
        document = overview_document(seen.overview, command) if seen.overview else None
        fresh = Fresh(age=seen.age, looking=seen.looking, problems=seen.problems)
        tag = f"{seen.number}-{seen.looking}-{seen.age // _STEP:.0f}-{chosen}"
        return Given(body=overview_page(document, fresh, chosen, command), tag=tag)

    def _json(self, seen: Seen) -> Given | None:
        if seen.overview is None:
            return None
        document = overview_document(seen.overview, self._options.command)
        return Given(body=json.dumps(document, indent=1), kind="application/json")

    def _run(self, name: str, chosen: str) -> Given | None:
        found = _named(self._options.directory, name)
        return Given(body=run_page(found, chosen, self._options.command)) if found else None


def _named(folder: Path, name: str) -> PastRun | None:
    """Looked for among the names that there are: a path of the reader's is never opened."""
    return next((run for run in past_runs(folder) if run.name == name), None)


def _tagged(body: str, kind: str) -> Given:
    return Given(body=body, kind=kind, tag=hashlib.sha256(body.encode()).hexdigest()[:16])


def language(asked: Asked) -> str:
    """The one that was chosen here, else the one that the browser asks for."""
    chosen = asked.cookies.get(COOKIE, "")
    return chosen if chosen in LANGUAGES else preferred(asked.languages)


def in_full(error: Exception) -> str:
    """What whoever mends it needs."""
    return "".join(traceback.format_exception(error))
