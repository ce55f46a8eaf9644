"""Where the keepers' sockets lie."""

import os
import tempfile
from pathlib import Path

import pytest

from freehold.system.warm.finding import own_folder

USUAL = Path(f"/tmp/freehold-{os.geteuid()}")


def test_a_folder_in_which_no_socket_can_be_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(prefix="fh-", dir="/tmp") as short:
        long = Path(short, "long-" * 20)
        long.mkdir()
        expected = {short: Path(short, "freehold"), long: USUAL, Path(short, "none"): USUAL}
        for runtime, folder in expected.items():
            monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
            assert own_folder() == folder
