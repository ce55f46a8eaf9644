"""The order is safe at every moment: from the first packet that a machine can send, no domain hears another.

A program inside the lab sends between all machines all the while (`crossing/watch.py`).
"""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from freehold.operations.lab import Lab
from freehold.system.namespaces import enter_argv
from tests.e2e.estate import THREE_DOMAINS, Estate, pid_of

pytestmark = pytest.mark.lab
WATCH = Path(__file__).parent / "crossing" / "watch.py"
PAIRS = 6  # three domains of one machine each, both ways


@contextmanager
def watched(lab: Lab) -> Iterator[dict[str, Any]]:
    """What was sent and what arrived while the block ran; filled in at its end."""
    argv = enter_argv(pid_of(lab), ["python3", "-c", WATCH.read_text()], "/")
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "watching\n"
    seen: dict[str, Any] = {}
    try:
        yield seen
    finally:
        seen.update(json.loads(process.communicate(timeout=30)[0]))


def pairs(counts: dict[str, int]) -> set[str]:
    """Those between the estate's own machines; somebody else's container is there too."""
    return {pair for pair in counts if pair.count("10.100.") == 2}


def test_what_watches_would_see_a_crossing(estate: Estate) -> None:
    estate.write(THREE_DOMAINS)
    estate.ok("apply", "--yes")
    with watched(estate.lab) as seen:
        time.sleep(0.5)
        assert estate.lab.run(["nft", "delete", "table", "inet", "freehold-cottage"]) == 0
        time.sleep(2)
    assert len(pairs(seen["arrived"])) == PAIRS


@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(0.2, marks=pytest.mark.slow),
        pytest.param(0.6, marks=pytest.mark.slow),
        1.0,
        pytest.param(1.6, marks=pytest.mark.slow),
    ],
)
def test_a_first_apply_that_is_killed_leaves_no_moment(estate: Estate, seconds: float) -> None:
    estate.write(THREE_DOMAINS)
    with watched(estate.lab) as seen:
        process = estate.start_apply()
        time.sleep(seconds)
        process.kill()
        estate.end_of(process)
        time.sleep(1.5)  # what Incus was told to do goes on
        estate.ok("apply", "--yes")
        time.sleep(2)
    assert len(pairs(seen["sent"])) == PAIRS, "all of them tried"
    assert pairs(seen["arrived"]) == set()


@pytest.mark.slow
def test_changes_of_the_rules_leave_no_moment(estate: Estate) -> None:
    """Zones come and go, the whole table is replaced again and again, incusd restarts."""
    estate.write(THREE_DOMAINS)
    estate.ok("apply", "--yes")
    with watched(estate.lab) as seen:
        estate.edit("mill: {subnet_id: 13", "mill: {subnet_id: 13, internet: false")
        estate.ok("apply", "--yes")
        estate.edit(
            "  mill: {subnet_id: 13, internet: false, machines: {wheel: {ip: 10.100.13.10}}}\n", ""
        )
        estate.ok("apply", "--yes")
        estate.lab.restart_daemon()
        estate.ok("apply", "--yes", "--prune", "--confirm", "mill/wheel")
    assert len(pairs(seen["sent"])) == PAIRS
    assert pairs(seen["arrived"]) == set()
