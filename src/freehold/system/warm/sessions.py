"""The keeper's sessions by machine: one is opened when it is asked for first, and again once it has ended.

Used by `keeper.py` and, for each request, by `client.py`.
"""

import asyncio
from collections import defaultdict

from freehold.system.incus.connection import Connection
from freehold.system.warm.session import Session, open_session

_SOME_PYTHON = "python3"  # for commands that are not Python; looked for on the machine's PATH

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
            self._open[machine] = [each for each in self._open[machine] if each.usable]
            for session in self._open[machine]:
                if python is None or python in session.pythons:
                    return session
            session = await open_session(self._incus, project, name, python or _SOME_PYTHON)
            self._open[machine].append(session)
            return session

    async def close(self) -> None:
        """End all programs."""
        sessions = [session for each in self._open.values() for session in each]
        await asyncio.gather(*(session.close() for session in sessions))
