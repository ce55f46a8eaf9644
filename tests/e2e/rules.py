"""The firewall's table as the kernel has it, to compare."""

import json
import subprocess
import time
from collections.abc import Callable
from typing import Any

from freehold.operations.lab import Lab
from freehold.operations.lab.record import read_holder
from freehold.system.namespaces import enter_argv

TABLE = "freehold-cottage"


def in_lab(lab: Lab, *argv: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program on the lab's host."""
    holder = read_holder(lab._place)
    assert holder is not None
    return subprocess.run(
        enter_argv(holder[0].pid, argv, "/"),
        input=given, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip


def rules(lab: Lab, table: str = TABLE) -> str:
    """The whole table, byte for byte but for handles and counts; empty when there is none."""
    done = in_lab(lab, "nft", "--json", "list", "table", "inet", table)
    if done.returncode != 0:
        assert "No such file" in done.stderr, done
        return ""
    return json.dumps(_plain(json.loads(done.stdout)["nftables"][1:]))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: _plain(each) for key, each in value.items() if key != "handle"}
        return {"counter": None} if "counter" in kept else kept
    return [_plain(each) for each in value] if isinstance(value, list) else value


def becomes_true(condition: Callable[[], bool], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not (met := condition()) and time.monotonic() < until:
        time.sleep(0.05)
    return met
