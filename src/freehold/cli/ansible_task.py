"""What a task of an Ansible playbook asks of Freehold: the front door beside the command line's verbs.

Called by the action plugin `freehold.estate.estate` (src/ansible_collections), in a process that Ansible makes for one task on one
host. How such a task is carried out is in `ansible_work`.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from freehold.cli import estate
from freehold.cli.agreement import agree
from freehold.cli.ansible_problems import as_if_begun, in_ansible, selection, to_confirm
from freehold.cli.ansible_work import Task, TaskRequest, answered
from freehold.cli.site import Site, opened
from freehold.diagnostics import FreeholdError, UsageError
from freehold.engine.planner import Picture, Planner
from freehold.providers.firewall.provider import PATIENCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(TaskRequest):
    """The task's parameters, as plugins/modules/estate.py of the collection explains them."""

    kinds: tuple[str, ...]
    limits: tuple[str, ...] = ()
    prune: bool = False
    undo_after: float = PATIENCE


def answer(request: Request, tell: Callable[[str], None] = lambda text: None) -> dict[str, Any]:
    """Do it; the task's result for Ansible, failed or not. `tell` gets what happens meanwhile, line by line.

    Raises KeyboardInterrupt when it was interrupted.
    """
    return answered(request, lambda: _EstateTask(request, tell).answer())


class _EstateTask(Task):
    """A part of the estate is to be as infra.yml says."""

    def __init__(self, request: Request, tell: Callable[[str], None]) -> None:
        super().__init__(request, tell)
        self._request = request
        self._selection = selection(self._infra, request.limits, request.kinds)

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
        if self._request.check:
            picture = replace(picture, plan=as_if_begun(picture.plan))
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
