"""What a task of an Ansible playbook asks of Freehold: the front door beside the command line's verbs.

Called by the action plugin `freehold.estate.estate` (src/ansible_collections), in a process that Ansible makes for one task on one
host. Look, plan, rules and run are those of `apply`; the answer is a value instead of text on a terminal. All is imported
at the top: Ansible's own process does so once, and the processes of its tasks are forked from it.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import freehold.operations.lab.images
import freehold.system.ansible.program
import freehold.system.docker_user
import freehold.system.incus.client
import freehold.system.nftables.boot
import freehold.system.nftables.program
import freehold.system.routing.program  # noqa: F401 - these are what `site.opened` imports when it is called
from freehold.cli import estate
from freehold.cli.agreement import agree
from freehold.cli.ansible_problems import as_if_begun, in_ansible, selection, to_confirm
from freehold.cli.ansible_run import locked, watched_run
from freehold.cli.options import Common
from freehold.cli.site import Site, opened
from freehold.config.document import Document
from freehold.config.load import load
from freehold.diagnostics import ConfigError, Diagnostic, FreeholdError, UsageError, has_errors
from freehold.engine.planner import Picture, Planner
from freehold.model import Infra
from freehold.operations.lab.egress.equip import equipped
from freehold.planning.plan import Plan
from freehold.providers.firewall.provider import PATIENCE
from freehold.views.ansible_task import carried_out, failure, in_words, predicted

_LOCK_SECONDS = 600.0  # a machine that another task makes of a large image takes minutes
_UNDER_WAY_SECONDS = 60.0
_PAUSE = 0.2

Document.model_rebuild()  # pydantic would otherwise do it in every process that reads infra.yml


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The task's parameters, as plugins/modules/estate.py of the collection explains them. `check`: foretell, do nothing."""

    directory: Path
    kinds: tuple[str, ...]
    limits: tuple[str, ...] = ()
    lab: bool = False
    socket: Path | None = None
    prune: bool = False
    confirm: tuple[str, ...] = ()
    undo_after: float = PATIENCE
    lock_timeout: float = _LOCK_SECONDS
    check: bool = False

    @property
    def options(self) -> Common:
        return Common(self.directory, self.lab)


def answer(request: Request, tell: Callable[[str], None] = lambda text: None) -> dict[str, Any]:
    """Do it; the task's result for Ansible, failed or not. `tell` gets what happens meanwhile, line by line.

    Raises KeyboardInterrupt when it was interrupted: Ansible is then about to end, and nobody reads a result.
    """
    if request.socket is not None:  # where `site.system_socket` looks
        os.environ["INCUS_SOCKET"] = str(request.socket)
    try:
        return _Task(request, tell).answer()
    except FreeholdError as error:
        return failure(error.diagnostics, command=request.options.command)


class _Task:
    """One request at work. `_warnings` go into its result."""

    def __init__(self, request: Request, tell: Callable[[str], None]) -> None:
        self._request = request
        self._options = request.options
        self._tell = tell
        self._warnings: list[Diagnostic] = []
        self._infra = self._loaded()
        self._selection = selection(self._infra, request.limits, request.kinds)

    def answer(self) -> dict[str, Any]:
        """A look without the lock says whether there is anything to do; most often there is nothing."""
        plan = asyncio.run(self._foreseen())
        if self._request.check or plan.is_empty:
            return self._with_warnings(predicted(plan))
        with locked(self._request.directory, self._request.lock_timeout) as notice:
            self._warnings += [notice] if notice else []
            try:
                return self._with_warnings(asyncio.run(self._carry_out()))
            except asyncio.CancelledError as error:
                raise KeyboardInterrupt from error

    def _loaded(self) -> Infra:
        result = load(self._request.directory)
        if result.infra is None or has_errors(result.diagnostics):
            raise ConfigError(*result.diagnostics)
        self._warnings += result.diagnostics
        return equipped(result.infra, in_lab=self._options.lab)

    def _with_warnings(self, result: dict[str, Any]) -> dict[str, Any]:
        texts = (in_words([each], command=self._options.command) for each in self._warnings)
        return result | {"warnings": list(dict.fromkeys(texts))}

    async def _foreseen(self) -> Plan:
        async with self._site() as site:
            picture = await self._planner(site).look()
            if self._request.check:
                picture = replace(picture, plan=as_if_begun(picture.plan))
            await self._accept(site, picture)
            return picture.plan

    def _site(self) -> contextlib.AbstractAsyncContextManager[Site]:
        return opened(self._options, self._request.undo_after, tree=False)

    def _planner(self, site: Site) -> Planner:
        return Planner(
            infra=self._infra,
            provider=site,
            selection=self._selection,
            prune=self._request.prune,
        )

    async def _accept(self, site: Site, picture: Picture) -> None:
        """Refuse what `apply` refuses; in check mode a missing agreement is only told."""
        plan = picture.plan
        if not plan.can_apply:
            raise FreeholdError(*map(in_ansible, plan.diagnostics))
        await estate.check_options(self._options, site, picture)
        self._warnings += plan.diagnostics
        try:
            agree(plan, self._infra.name, yes=True, confirmed=self._request.confirm)
        except UsageError as error:
            problems = [to_confirm(each, plan) for each in error.diagnostics]
            if not self._request.check:
                raise UsageError(*problems) from error
            self._warnings += problems

    async def _carry_out(self) -> dict[str, Any]:
        async with self._site() as site:
            planner = self._planner(site)
            await self._until_quiet(site)
            picture = await planner.look()
            plan = picture.plan
            await self._accept(site, picture)
            if plan.is_empty:  # somebody else has done it meanwhile
                return predicted(plan)
            started = time.monotonic()
            result = await watched_run(planner, plan, self._request.directory, self._tell)
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
