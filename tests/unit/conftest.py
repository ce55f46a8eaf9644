"""Unit tests may not start processes or open connections.

An audit hook hears of both, however the code goes about it. It cannot be taken out again, so it is
put in once and asks who is running. A test that needs one says so: `@pytest.mark.allow("process")`.
"""

import sys
from collections.abc import Iterator

import pytest

_FORBIDDEN = {
    "os.exec": "process",
    "os.fork": "process",
    "os.forkpty": "process",
    "os.posix_spawn": "process",
    "os.system": "process",
    "pty.spawn": "process",
    "subprocess.Popen": "process",
    "socket.bind": "connection",
    "socket.connect": "connection",
    "socket.getaddrinfo": "connection",
    "socket.sendto": "connection",
}


class _Guard:
    """Which of "process" and "connection" the running unit test must do without."""

    def __init__(self) -> None:
        self.forbidden: frozenset[str] = frozenset()
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[object, ...]) -> None:
        what = _FORBIDDEN.get(event)
        if what in self.forbidden:
            # Not an Exception: code that turns every error into a diagnostic cannot swallow it.
            pytest.fail(f"a unit test may not use a {what} ({event}{arguments!r})")


@pytest.fixture(scope="session")
def _guard() -> _Guard:
    return _Guard()


@pytest.fixture(autouse=True)
def _no_outside_world(request: pytest.FixtureRequest, _guard: _Guard) -> Iterator[None]:
    allowed = {what for mark in request.node.iter_markers("allow") for what in mark.args}
    _guard.forbidden = frozenset(_FORBIDDEN.values()) - allowed
    yield
    _guard.forbidden = frozenset()
