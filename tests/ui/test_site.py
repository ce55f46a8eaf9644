"""What `ui` answers at which path, from looks that go well, fail or do not end."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from freehold.cli.options import Common
from freehold.cli.ui_site import OverviewSite
from freehold.diagnostics import BackendError, Diagnostic
from freehold.engine.lock import lock
from freehold.operations.overview.facts import Overview
from freehold.operations.overview.watch import Watch
from freehold.system.pages import Asked, Given
from tests.ui.estates import FAILED, WELL, kept_run, run_of

_PROBLEM = Diagnostic(code="lab-not-running", summary="The lab is not running", hint="Start it.")


@dataclass
class Visit:
    """A site whose looks find `facts`; `None`: a look that does not end. The clock is moved by hand."""

    folder: Path
    facts: Overview | BackendError | None = WELL
    now: float = 0.0
    errors: list[Exception] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.watch = Watch(self._look, 20, lambda: self.now)
        self.site = OverviewSite(Common(directory=self.folder), self.watch, self.errors.append)

    async def _look(self) -> Overview:
        if self.facts is None:
            await asyncio.Event().wait()
        if isinstance(self.facts, BackendError):
            raise self.facts
        assert self.facts is not None
        return self.facts

    async def get(self, path: str = "/", **query: str) -> Given | None:
        return await self.site.answer(Asked(path=path, query=query))

    async def document(self) -> tuple[int, dict[str, Any]]:
        given = await self.get("/status.json")
        assert given is not None
        assert given.kind == "application/json"
        return given.status, json.loads(given.body)

    async def page(self, path: str = "/") -> str:
        given = await self.get(path)
        assert given is not None
        return given.body


def visit(folder: Path, what: Callable[[Visit], Awaitable[None]]) -> None:
    async def run() -> None:
        visit = Visit(folder)
        try:
            await what(visit)
        finally:
            await visit.watch.close()
        assert visit.errors == []

    asyncio.run(run())


def test_the_json_says_of_a_failed_look_what_the_page_says(tmp_path: Path) -> None:
    async def what(visit: Visit) -> None:
        status, document = await visit.document()
        assert (status, document["verdict"], document["problems"]) == (200, "well", [])
        visit.now = 30
        visit.facts = BackendError(_PROBLEM)
        status, document = await visit.document()
        assert (status, document["verdict"], document["age"]) == (200, "not-known", 30)
        assert [each["code"] for each in document["problems"]] == ["lab-not-running"]
        assert document["estate"] == "orion"  # the last good facts stay
        assert "The last look failed" in await visit.page()

    visit(tmp_path, what)


def test_before_the_first_look_has_ended_the_json_is_not_there_yet(tmp_path: Path) -> None:
    async def what(visit: Visit) -> None:
        visit.facts = BackendError(_PROBLEM)
        status, document = await visit.document()
        assert (status, document["verdict"]) == (503, "not-known")
        assert [each["code"] for each in document["problems"]] == ["lab-not-running"]

    visit(tmp_path, what)


@pytest.mark.parametrize(("age", "known"), [(60, True), (61, False)])
def test_what_no_look_renewed_is_not_called_well_for_long(
    tmp_path: Path, age: float, known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A daemon that takes connections and answers nothing."""

    async def soon(self: Watch, patience: float = 0.01) -> Any:
        return await seen(self, patience)

    seen = Watch.seen
    monkeypatch.setattr(Watch, "seen", soon)

    async def what(visit: Visit) -> None:
        await visit.page()
        visit.facts = None
        visit.now = age
        page, (_, document) = await visit.page(), await visit.document()
        assert ("All is well" in page) is known
        assert ("<title>orion: What is known is old" in page) is not known
        assert ("looking again" in page) is True
        assert (document["verdict"] == "well") is known

    visit(tmp_path, what)


def test_a_language_is_chosen_only_on_pages_that_there_are(tmp_path: Path) -> None:
    async def what(visit: Visit) -> None:
        kept_run(visit.folder, FAILED)
        for path in ("/", f"/runs/{FAILED.name}", "/status.json"):
            given = await visit.get(path, lang="fr")
            assert given is not None
            assert (given.status, given.leads_to) == (303, path)
            assert given.keeps == {"freehold-lang": "fr"}
        for path in ("/\\evil.example.org", "//evil.example.org", "/runs/none", "/\r\nX: y"):
            assert await visit.get(path, lang="fr") is None
        odd = await visit.get("/", lang="de")
        assert odd is not None
        assert odd.keeps == {}

    visit(tmp_path, what)


def test_a_run_that_is_at_work_is_no_failure(tmp_path: Path) -> None:
    begun = run_of(
        "apply", WELL.at, 0, None, ("bridge:home", 0.1, 0.2, "change-done"), pid=os.getpid()
    )

    async def what(visit: Visit) -> None:
        kept_run(visit.folder, begun)
        with lock(visit.folder, "apply"):
            page = await visit.page(f"/runs/{begun.name}")
            assert "at work" in page
            assert "no end written" not in page
            assert 'class="verdict unknown"' in page
            assert 'http-equiv="refresh"' in page
        page = await visit.page(f"/runs/{begun.name}")
        assert "no end written" in page
        assert 'class="verdict bad"' in page
        assert 'http-equiv="refresh"' not in page

    visit(tmp_path, what)
