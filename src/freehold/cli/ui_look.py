"""What `freehold ui` finds each time that it looks: the estate from infra.yml on. Called by `Watch`, set up by `ui.py`."""

import asyncio
from functools import partial
from pathlib import Path

from freehold.cli import estate
from freehold.cli.bugs import written_down
from freehold.cli.options import Common
from freehold.cli.site import lab_holder, opened
from freehold.diagnostics import Diagnostic, FreeholdError
from freehold.engine.planner import Planner
from freehold.operations.overview import Overview
from freehold.operations.overview.look import Surroundings, look


async def looked(options: Common, bugs: "Bugs") -> Overview:
    """One look, from infra.yml on. Raises FreeholdError alone: the page shows why it failed."""
    try:
        infra, loaded = await asyncio.to_thread(estate.read, options)
        async with opened(options) as site:
            around = Surroundings(
                folder=options.directory,
                incus=site.incus,
                targets=site.targets,
                timers=site.timers,
                lab=partial(lab_holder, options),
            )
            return await look(Planner(infra=infra, provider=site), around, loaded.diagnostics)
    except FreeholdError:
        raise
    except Exception as error:  # the page goes on with what it knows
        raise FreeholdError(bugs.told(error)) from error


class Bugs:
    """Those of one run; what happens again and again is written down once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, Diagnostic] = {}

    def told(self, error: Exception) -> Diagnostic:
        """What to say of it."""
        name = f"{type(error).__name__}: {error}"
        if name not in self._known:
            self._known[name] = written_down(error, self._folder)
        return self._known[name]
