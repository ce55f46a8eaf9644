"""The keeper's sessions by machine: one is opened when it is asked for first, and again once it has ended.

Used by `keeper.py` and, for each request, by `client.py`.
"""

import asyncio
import contextlib
from collections import defaultdict

from freehold.diagnostics import FreeholdError
from freehold.system.incus.api import STARTING_OR_STOPPING
from freehold.system.incus.connection import BASE, TRANSPORT_ERRORS, Connection
from freehold.system.warm.session import Session, open_session

_SOME_PYTHON = "python3"  # for commands that are not Python; looked for on the machine's PATH
_ASKED = f"{BASE}/1.0/instances"
_ANSWER = 5.0  # seconds for the daemon to answer

_Machine = tuple[str, str]  # project and name


class Sessions:
    """All sessions into the machines of one Incus."""

    def __init__(self, incus: Connection) -> None:
        self._incus = incus
        self._open: defaultdict[_Machine, list[Session]] = defaultdict(list)
        self._opening: defaultdict[_Machine, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def get(self, project: str, name: str, python: str | None) -> Session:
        """A session whose program runs in this Python; None: in any. Raises what `open_session` does."""
        machine = project, name
        async with self._opening[machine]:
            self._open[machine] = [each for each in self._open[machine] if not each.ended.done()]
            for session in self._open[machine]:
                if session.usable and (python is None or python in session.pythons):
                    return session
            session = await open_session(self._incus, project, name, python or _SOME_PYTHON)
            self._open[machine].append(session)
            return session

    async def let_incus_stop(self) -> None:
        """When the daemon is about to stop, end the programs that are idle: it waits for every exec, for minutes.

        It says so to nobody, but refuses by then whatever is not a GET, before it looks what that is; HEAD on this
        address has never an effect (Incus, cmd/incusd/api.go and daemon.go).
        """
        sessions = self._all()
        if not sessions:
            return
        with contextlib.suppress(TimeoutError, *TRANSPORT_ERRORS):
            async with asyncio.timeout(_ANSWER), self._incus.session.head(_ASKED) as answer:
                if answer.status == STARTING_OR_STOPPING:
                    await asyncio.gather(*(session.retire() for session in sessions))

    async def leave_frozen(self) -> None:
        """End the sessions into machines that are frozen: who waits there would wait until somebody resumes them."""
        for machine, sessions in list(self._open.items()):
            silent = [each for each in sessions if not each.ended.done() and each.is_silent]
            if silent and await self._is_frozen(*machine):
                await asyncio.gather(*(session.close() for session in silent))

    async def _is_frozen(self, project: str, name: str) -> bool:
        try:
            async with asyncio.timeout(_ANSWER):
                answer = await self._incus.request(
                    "GET", f"/instances/{name}", None, {"project": project}
                )
        except (TimeoutError, FreeholdError):
            return False  # not known; if it is gone, so will be its session
        return bool(answer["metadata"]["status"] == "Frozen")

    async def close(self) -> None:
        """End all programs."""
        await asyncio.gather(*(session.close() for session in self._all()))

    def _all(self) -> list[Session]:
        return [
            session for each in self._open.values() for session in each if not session.ended.done()
        ]
