"""Holds a machine still while its snapshot is taken: the command before, freezing, and whatever happens the command after.

A machine with volumes is frozen, so that its disk and its volumes are of one moment. What a vm has written lies in its own
kernel for a while, where no snapshot of its disk finds it, so it is asked to write that out. Called by `making.py` and
`returning.py`.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from freehold.diagnostics import BackendError, BackendInterrupted, Diagnostic
from freehold.providers.incus.snapshots.reading import Target
from freehold.system.incus.api import ExecResult, Incus, IncusCommandTimeout, IncusError
from freehold.system.incus.thaw import Thaw

PATIENCE = 300.0  # seconds for a command before or after
_LAST_LINES = 5
_SYNC = 60.0  # seconds for a vm to write out what it has


@dataclass(frozen=True, slots=True)
class Hooks:
    """Shell command lines that run in the machine, as root, before and after; empty for none."""

    pre: str = ""
    post: str = ""


@contextlib.asynccontextmanager
async def held_still(
    incus: Incus, thaw: Thaw, target: Target, hooks: Hooks, *, may_freeze: bool = True
) -> AsyncIterator[None]:
    """The machine is quiet inside of this. Raises BackendError when it cannot be made so, or its command after fails."""
    hooks = hooks if target.status == "Running" else Hooks()
    freezes = may_freeze and target.status == "Running" and bool(target.volumes)
    if not freezes and not (hooks.pre or hooks.post):
        await _write_out(incus, target)
        yield
        return
    thaw.hold(target.domain, target.instance, frozen=freezes, after=hooks.post)
    try:
        async with _then(lambda: _after(incus, target, hooks)):
            await _before(incus, target, hooks)
            await _write_out(incus, target)
            async with _frozen(incus, target) if freezes else contextlib.nullcontext():
                yield
    except (BackendInterrupted, asyncio.CancelledError):
        raise  # nobody knows how it is now: the guard sees to it
    except BaseException:
        thaw.free(target.domain, target.instance)
        raise
    thaw.free(target.domain, target.instance)


@contextlib.asynccontextmanager
async def _frozen(incus: Incus, target: Target) -> AsyncIterator[None]:
    async with _then(lambda: _set_state(incus, target, "unfreeze")):
        await _set_state(incus, target, "freeze")
        yield


@contextlib.asynccontextmanager
async def _then(last: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """`last` is done at the end, after an error too; not when the run is ended at once, which waits for nothing."""
    try:
        yield
    except asyncio.CancelledError:
        raise
    except BaseException:
        await last()
        raise
    await last()


async def _before(incus: Incus, target: Target, hooks: Hooks) -> None:
    if hooks.pre:
        await _run(incus, target, "pre", hooks.pre)


async def _write_out(incus: Incus, target: Target) -> None:
    """Of a vm whose agent does not answer, the snapshot is what its disk holds when somebody pulls the plug."""
    if target.is_vm and target.status == "Running":
        with contextlib.suppress(IncusError, IncusCommandTimeout):
            await incus.execute(target.domain, target.instance, ["sync"], timeout=_SYNC)


async def _after(incus: Incus, target: Target, hooks: Hooks) -> None:
    if hooks.post:
        await _run(incus, target, "post", hooks.post)


async def _set_state(incus: Incus, target: Target, action: str) -> None:
    body = {"action": action, "timeout": -1}
    await incus.send("PUT", f"/instances/{target.instance}/state", body, project=target.domain)


async def _run(incus: Incus, target: Target, which: str, command: str) -> None:
    words = ["sh", "-c", command]
    result = await incus.execute(target.domain, target.instance, words, timeout=PATIENCE)
    if result.exit_code != 0:
        raise BackendError(_failed(target, which, result))


def _failed(target: Target, which: str, result: ExecResult) -> Diagnostic:
    """With the command's last words, and not the command: that may hold a secret."""
    said = (result.stderr.strip() or result.stdout.strip()).splitlines()[-_LAST_LINES:]
    when = "before" if which == "pre" else "after"
    return Diagnostic(
        code="snapshot-command-failed",
        summary=f"The command {when} a snapshot failed",
        detail=f"`snapshots.{which}` of {target.key} ended with exit code {result.exit_code}"
        + (f": {' '.join(said)}" if said else "."),
        hint="Try it in the machine:\n"
        f"    incus exec --project {target.domain} {target.instance} -- sh -c …",
    )
