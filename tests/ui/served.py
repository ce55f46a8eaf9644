"""The real pages on a real port, of facts that a test has made: what a browser meets. Also what the docs' pictures are taken of."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from freehold.cli.options import Common
from freehold.cli.ui_site import OverviewSite
from freehold.diagnostics import FreeholdError
from freehold.operations.overview.facts import Overview
from freehold.operations.overview.watch import Watch
from freehold.system.pages import PageServer

TOKEN = "token-of-the-tests"


@dataclass
class Served:
    """A server in a thread of its own. What `facts` says is what the next look finds."""

    facts: Overview | FreeholdError
    folder: Path
    errors: list[Exception] = field(default_factory=list)
    port: int = 0
    root: str = "/"
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    async def look(self) -> Overview:
        if isinstance(self.facts, FreeholdError):
            raise self.facts
        return self.facts

    def stand_still(self, seconds: float) -> None:
        """From now on, nothing is answered for so long."""
        self.loop.call_soon_threadsafe(time.sleep, seconds)

    def path(self, path: str = "/") -> str:
        """Of a page, for whoever has the cookie."""
        return f"http://127.0.0.1:{self.port}{self.root}{path.removeprefix('/')}"

    @property
    def address(self) -> str:
        """What `freehold ui` prints."""
        return f"http://127.0.0.1:{self.port}/?token={TOKEN}"


@contextmanager
def served(facts: Overview, folder: Path, every: float = 0) -> Iterator[Served]:
    """Serve them for the length of the block; `every` look is a new one."""
    of = Served(facts, folder)
    ready, ended = threading.Event(), asyncio.Event()
    loop = of.loop

    async def run() -> None:
        watch = Watch(of.look, every)
        site = OverviewSite(Common(directory=folder), watch, of.errors.append)
        async with PageServer(site, TOKEN, "127.0.0.1", 0) as server:
            of.port, of.root = server.port, server.guard.root
            ready.set()
            await ended.wait()
        await watch.close()

    thread = threading.Thread(target=loop.run_until_complete, args=[run()])
    thread.start()
    try:
        assert ready.wait(60)
        yield of
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(60)
        loop.close()
