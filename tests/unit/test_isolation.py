"""The rule of tests/unit/conftest.py holds, for every road to a process or a connection."""

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

refused = pytest.raises(pytest.fail.Exception, match="a unit test may not use")


def test_subprocess_is_refused() -> None:
    with refused:
        subprocess.run([sys.executable, "--version"], check=True)


def test_a_shell_is_refused() -> None:
    with refused:
        os.system("true")


def test_an_asynchronous_process_is_refused() -> None:
    async def start() -> None:
        await asyncio.create_subprocess_exec(sys.executable, "--version")

    with refused:
        asyncio.run(start())


def test_a_connection_is_refused(tmp_path: Path) -> None:
    with refused, socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / "socket"))


def test_a_catch_all_does_not_swallow_the_refusal() -> None:
    with refused:
        try:
            os.system("true")
        except Exception:  # noqa: BLE001 - what a careless caller would write
            pytest.fail("swallowed")


@given(st.integers())
def test_hypothesis_runs_under_the_rule(number: int) -> None:
    assert isinstance(number, int)


@pytest.mark.allow("process")
def test_what_a_test_asks_for_is_allowed() -> None:
    done = subprocess.run([sys.executable, "-c", "print(1)"], check=True, capture_output=True)
    assert done.stdout == b"1\n"
