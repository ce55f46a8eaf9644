"""How a task of an Ansible playbook is carried out, whatever it asks for: a look, and where something is to do, the run.

`ansible_task` (making a part of the estate) and `ansible_snapshot` say what is asked. Look, plan, rules and run are those of
the verbs of the command line; the answer is a value instead of text on a terminal. All is imported at the top: Ansible's
own process does so once, and the processes of its tasks are forked from it.
"""

import asyncio
import contextlib
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import freehold.operations.lab.images
import freehold.system.ansible.program
import freehold.system.docker_user
import freehold.system.incus.client
import freehold.system.nftables.boot
import freehold.system.nftables.program
import freehold.system.routing.program  # noqa: F401 - these are what `site.opened` imports when it is called
from freehold.cli.ansible_run import VERB, locked, watched_run
from freehold.cli.options import Common
from freehold.cli.site import Site, opened
from freehold.config.document import Document
from freehold.config.load import load
from freehold.diagnostics import ConfigError, Diagnostic, FreeholdError, has_errors
from freehold.engine.planner import Picture, Planning
from freehold.model import Infra
from freehold.operations.lab.egress.equip import equipped
from freehold.planning.plan import Plan
from freehold.views.ansible_task import carried_out, failure, in_words, predicted

LOCK_SECONDS = 600.0  # a machine that another task makes of a large image takes minutes
_UNDER_WAY_SECONDS = 60.0
_PAUSE = 0.2

Document.model_rebuild()  # pydantic would otherwise do it in every process that reads infra.yml

Tell = Callable[[str], None]
Answer = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRequest:
    """The parameters that all tasks have. `check`: foretell, do nothing."""

    directory: Path
    lab: bool = False
    socket: Path | None = None
    confirm: tuple[str, ...] = ()
    lock_timeout: float = LOCK_SECONDS
    check: bool = False

    @property
    def options(self) -> Common:
        return Common(self.directory, self.lab)


def answered(request: TaskRequest, work: Callable[[], Answer]) -> Answer:
    """What `work` answers, the task's result for Ansible, failed or not.

    Raises KeyboardInterrupt when it was interrupted: Ansible is then about to end, and nobody reads a result.
    """
    if request.socket is not None:  # where `site.system_socket` looks
        os.environ["INCUS_SOCKET"] = str(request.socket)
    try:
        return work()
    except FreeholdError as error:
        return failure(error.diagnostics, command=request.options.command)


class Task(ABC):
    """One request at work. `_warnings` go into its result; `_verb` is what the lock and the journal call it."""

    _verb = VERB

    def __init__(self, request: TaskRequest, tell: Tell) -> None:
        self._options = request.options
        self._tell = tell
        self._base = request
        self._warnings: list[Diagnostic] = []
        self._infra = self._loaded()

    @abstractmethod
    def _planner(self, site: Site) -> Planning:
        """Who looks and plans what is asked for."""

    @abstractmethod
    async def _accept(self, site: Site, picture: Picture) -> None:
        """Refuse what the command line refuses; in check mode a missing agreement is only told."""

    def answer(self) -> Answer:
        """A look without the lock says whether there is anything to do; most often there is nothing."""
        plan = asyncio.run(self._foreseen())
        if self._base.check or plan.is_empty:
            return self._with_warnings(predicted(plan))
        with locked(self._base.directory, self._base.lock_timeout, self._verb) as notice:
            self._warnings += [notice] if notice else []
            try:
                return self._with_warnings(asyncio.run(self._carry_out()))
            except asyncio.CancelledError as error:
                raise KeyboardInterrupt from error

    def _loaded(self) -> Infra:
        result = load(self._base.directory)
        if result.infra is None or has_errors(result.diagnostics):
            raise ConfigError(*result.diagnostics)
        self._warnings += result.diagnostics
        return equipped(result.infra, in_lab=self._options.lab)

    def _with_warnings(self, result: Answer) -> Answer:
        texts = (in_words([each], command=self._options.command) for each in self._warnings)
        return result | {"warnings": list(dict.fromkeys(texts))}

    async def _foreseen(self) -> Plan:
        async with self._site() as site:
            picture = await self._planner(site).look()
            await self._accept(site, picture)
            return picture.plan

    def _site(self) -> contextlib.AbstractAsyncContextManager[Site]:
        return opened(self._options, tree=False)

    async def _carry_out(self) -> Answer:
        async with self._site() as site:
            planner = self._planner(site)
            await self._until_quiet(site)
            picture = await planner.look()
            plan = picture.plan
            await self._accept(site, picture)
            if plan.is_empty:  # somebody else has done it meanwhile
                return predicted(plan)
            started = time.monotonic()
            folder = self._base.directory
            result = await watched_run(planner, plan, folder, self._tell, self._verb)
            seconds = time.monotonic() - started
            if result.stopped:
                raise asyncio.CancelledError
            return carried_out(plan, result, seconds=seconds, command=self._options.command)

    async def _until_quiet(self, site: Site) -> None:
        """Until Incus has ended what a run that was killed had begun: what is half made looks whole."""
        until = time.monotonic() + _UNDER_WAY_SECONDS
        while (busy := await site.under_way(self._infra)) and time.monotonic() < until:
            self._tell(f"waiting for what Incus is still doing: {', '.join(busy)}")
            await asyncio.sleep(_PAUSE)
