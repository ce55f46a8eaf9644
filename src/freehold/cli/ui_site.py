"""What `freehold ui` answers at which path: the pages of `views.ui`, from facts that `Watch` keeps fresh. Used by `ui.py`."""

import hashlib
import json
import traceback
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from freehold.cli.options import Common
from freehold.engine.journal import PastRun, past_runs
from freehold.engine.lock import at_work
from freehold.operations.overview.facts import Verdict
from freehold.operations.overview.watch import Seen, Watch
from freehold.system.pages import Asked, Given, Refusal
from freehold.views.languages import LANGUAGES, preferred
from freehold.views.overview_document import overview_document
from freehold.views.ui import Fresh, overview_page, refusal_page, run_page, shared_file

COOKIE = "freehold-lang"
_NOT_YET = 503  # RFC 9110, section 15.6.4
_SHARED = ("/page.css", "/page.js", "/icon.svg")


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
        found = await self._page(asked)
        chosen = asked.query.get("lang")
        if chosen is None or found is None:
            return found
        keeps = {COOKIE: chosen} if chosen in LANGUAGES else {}
        return Given(status=303, leads_to=asked.path, keeps=keeps)

    async def _page(self, asked: Asked) -> Given | None:
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
        body = refusal_page(why.value, language(asked), root=asked.root, again=again)
        return Given(body=body, status=why.status)

    def failed(self, error: Exception) -> None:
        self._broken(error)

    def _overview(self, seen: Seen, chosen: str) -> Given:
        command = self._options.command
        document = overview_document(seen.overview, command) if seen.overview else None
        return Given(body=overview_page(document, self._fresh(seen), chosen, command))

    def _fresh(self, seen: Seen) -> Fresh:
        return Fresh(
            age=seen.age,
            good_for=self._watch.good_for,
            looking=seen.looking,
            problems=seen.problems,
        )

    def _json(self, seen: Seen) -> Given:
        """The document of `status --json`, with what a page of facts that may be old adds to it; 503 before there are any."""
        document: dict[str, Any] = {"verdict": Verdict.NOT_KNOWN.value}
        if seen.overview is not None:
            unknown = document if seen.problems or self._fresh(seen).old else {}
            document = {**overview_document(seen.overview, self._options.command), **unknown}
        document["age"] = round(seen.age, 1)
        document["problems"] = [each.as_json() for each in seen.problems]
        body = json.dumps(document, indent=1)
        return Given(body=body, kind="application/json", status=200 if seen.overview else _NOT_YET)

    def _run(self, name: str, chosen: str) -> Given | None:
        found = _named(self._options.directory, name)
        if found is None:
            return None
        now = at_work(self._options.directory)
        return Given(body=run_page(found, chosen, self._options.command, now))


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
