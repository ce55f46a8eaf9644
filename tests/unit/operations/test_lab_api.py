"""What the lab makes of its Incus's answers."""

from pathlib import Path

import pytest

from freehold.diagnostics import BackendError, BackendInterrupted
from freehold.operations.lab import api
from tests.unit.operations.incus_server import incus_server

pytestmark = pytest.mark.allow("connection")
ALIAS = "/1.0/images/aliases/debian%2F13"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (500, "Failed to begin transaction: sql: database is closed"),
        (503, "Daemon setup in progress"),
    ],
)
def test_an_incus_that_goes_down_is_worth_another_try(
    tmp_path: Path, code: int, error: str
) -> None:
    socket = tmp_path / "unix.socket"
    with incus_server(socket, {}, (code, error)), pytest.raises(BackendInterrupted) as raised:
        api.find(socket, ALIAS)
    assert "The lab's Incus does not answer" in raised.value.diagnostics[0].summary


def test_a_refusal_is_one_and_what_is_not_there_is_none(tmp_path: Path) -> None:
    socket = tmp_path / "unix.socket"
    with incus_server(socket, {}, (500, "no such luck")), pytest.raises(BackendError) as raised:
        api.find(socket, ALIAS)
    assert not isinstance(raised.value, BackendInterrupted)
    assert "no such luck" in str(raised.value.diagnostics[0].detail)
    socket.unlink()
    with incus_server(socket, {}):
        assert api.find(socket, ALIAS) is None
