"""Debian's programs once for the run, and a stand-in for Telegram."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.monitoring import telegram as stand_in
from tests.monitoring.programs import unpacked


@pytest.fixture(scope="session")
def programs() -> Path:
    """The folder of the programs."""
    return unpacked()


@pytest.fixture
def telegram() -> Iterator[stand_in.Telegram]:
    with stand_in.telegram() as server:
        yield server
