"""What a task of an Ansible playbook asks about snapshots: that one is there, or is not, to go back, or which there are.

Called by the action plugin `freehold.estate.snapshot` (src/ansible_collections), as `ansible_task` by the other one. Planner and steps
are those of `freehold snapshot`.
"""

import asyncio
import io
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from freehold.cli.agreement import agree
from freehold.cli.ansible_work import Answer, Task, TaskRequest, answered
from freehold.cli.site import Site
from freehold.diagnostics import Diagnostic, FreeholdError, UsageError
from freehold.engine.planner import Picture
from freehold.operations.snapshots.asking import hooks_of, moment_after
from freehold.operations.snapshots.planner import Asked, Seen, SnapshotPlanner
from freehold.operations.snapshots.returning import Returning
from freehold.operations.snapshots.taking import named
from freehold.operations.snapshots.wanted import absent, present
from freehold.planning.plan import Plan
from freehold.views.snapshots import render_snapshots, snapshots_document


class State(StrEnum):
    """What is asked for."""

    PRESENT = "present"
    ABSENT = "absent"
    RESTORED = "restored"
    LIST = "list"


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotRequest(TaskRequest):
    """The task's parameters, as plugins/modules/snapshot.py of the collection explains them."""

    targets: tuple[str, ...]
    state: State = State.PRESENT
    name: str | None = None
    expires: str | None = None
    copy: bool = True
    agreed: bool = False


def answer(
    request: SnapshotRequest, tell: Callable[[str], None] = lambda text: None
) -> dict[str, Any]:
    """Do it; the task's result for Ansible, failed or not. `tell` gets what happens meanwhile, line by line.

    Raises KeyboardInterrupt when it was interrupted.
    """
    return answered(request, lambda: _SnapshotTask(request, tell).answer())


class _SnapshotTask(Task):
    """Snapshots of the machines that the task names."""

    _verb = "snapshot"  # `undo` and `log` know it by that from the command line too

    def __init__(self, request: SnapshotRequest, tell: Callable[[str], None]) -> None:
        super().__init__(request, tell)
        self._request = request
        self._asked = _asked(request)

    def answer(self) -> Answer:
        if self._request.state is State.LIST:
            return self._with_warnings(_listed(asyncio.run(self._seen())))
        return super().answer()

    def _planner(self, site: Site) -> SnapshotPlanner:
        hooks = hooks_of(self._infra)
        return site.snapshots.planner(self._infra, self._request.targets, self._asked, hooks)

    async def _seen(self) -> Seen:
        async with self._site() as site:
            planner = self._planner(site)
            planner.with_expiry = True
            await planner.look()
            assert planner.seen is not None
            return planner.seen

    async def _accept(self, site: Site, picture: Picture) -> None:
        if not picture.plan.can_apply:
            raise FreeholdError(*picture.plan.diagnostics)
        self._warnings += picture.plan.diagnostics
        problems = self._not_agreed(picture.plan)
        if problems and not self._request.check:
            raise UsageError(*problems)
        self._warnings += problems

    def _not_agreed(self, plan: Plan) -> list[Diagnostic]:
        if self._request.state is not State.RESTORED or plan.is_empty:
            return []
        if not self._request.agreed:
            return [_nobody_agreed(plan)]
        try:
            agree(plan, self._infra.name, yes=True, confirmed=self._request.confirm)
        except UsageError:
            return [_not_confirmed(plan)]
        return []


def _asked(request: SnapshotRequest) -> Asked:
    expires = moment_after(request.expires) if request.expires else None
    match request.state:
        case State.PRESENT:
            return present(named(_name(request)), expires)
        case State.ABSENT:
            return absent(_name(request))
        case State.RESTORED:
            return Returning(request.name, keeps=request.copy)
        case State.LIST:
            return lambda seen: ((), ())


def _name(request: SnapshotRequest) -> str:
    if request.name:
        return request.name
    raise UsageError(
        Diagnostic(
            code="no-snapshot-name",
            summary="Which snapshot?",
            detail=f"A name is missing for the state `{request.state}`.",
            hint="Give one (the task's parameter is `name`):\n"
            "    ansible-playbook snapshot.yml -e snapshot_name=before",
        )
    )


def _listed(seen: Seen) -> Answer:
    text = io.StringIO()
    render_snapshots(seen, text)
    snapshots = snapshots_document(seen)["snapshots"]
    return {"changed": False, "snapshots": snapshots, "table": text.getvalue().splitlines()}


def _nobody_agreed(plan: Plan) -> Diagnostic:
    return Diagnostic(
        code="not-agreed",
        summary="Nobody agreed to this",
        detail=f"{_machines(plan)} would go back to a snapshot, and a playbook can ask nobody. Nothing was changed.",
        hint="If that is meant, say so (the task's parameter is `agreed`):\n"
        "    ansible-playbook snapshot.yml -e snapshot_state=restored -e snapshot_confirm=true",
    )


def _not_confirmed(plan: Plan) -> Diagnostic:
    names = ",".join(change.address.path for change in plan.destructive)
    return Diagnostic(
        code="not-confirmed",
        summary="This would lose data, which needs an agreement of its own",
        detail=f"{_machines(plan)} would go back, and what is there now would not be kept. Nothing was changed.",
        hint="If that is meant, add to the command (the task's parameter is `confirm`):\n"
        f"    -e freehold_confirm={names}",
    )


def _machines(plan: Plan) -> str:
    return ", ".join(change.address.path for change in plan.changes)
