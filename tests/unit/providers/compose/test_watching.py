"""How containers are, for all who wait on a target: one command, that stands still there until something happens."""

import asyncio
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from freehold.diagnostics import BackendError
from freehold.providers.compose.watching import WATCH, State, Watch
from freehold.system.targets import Ended
from freehold.system.targets.fake import FakeTarget

LINES = """\
1795326102.092449047
db running 0 0 starting
site exited 2 3 unhealthy
site running 0 0 none
 running 0 0 healthy
"""


def watched(*answers: Ended) -> tuple[Watch, list[str]]:
    """A watch, and from when on it asked for events each time."""
    left, since = list(answers), list[str]()

    def answer(command: Sequence[str], given: bytes) -> Ended:
        since.append(command[-1])
        return left.pop(0)

    return Watch(FakeTarget("cortex", answers=answer), "maison"), since


def test_all_who_wait_have_one_answer() -> None:
    async def work() -> None:
        watch, since = watched(Ended(0, LINES, ""))
        db, site, gone = await asyncio.gather(
            *(watch.state(name, at_once=True) for name in ("db", "site", "gone"))
        )
        assert db == State("running", 0, 0, "starting")
        assert site == State("running", 0, 0, "none"), "of two the one that runs"
        assert gone is None
        assert since == ["0"]

    asyncio.run(work())


def test_what_happened_since_the_last_look_counts_but_a_newcomer_waits_for_nothing() -> None:
    async def work() -> None:
        later = LINES.replace("1795326102", "1795326109")
        watch, since = watched(*(Ended(0, text, "") for text in (LINES, later, later, later)))
        for at_once in (True, False, False, True):
            await watch.state("db", at_once=at_once)
        assert since == ["0", "1795326102.092449047", "1795326109.092449047", "0"]

    asyncio.run(work())


def test_of_a_docker_that_is_silent_nobody_says_that_a_container_is_gone() -> None:
    async def work() -> None:
        watch, _ = watched(Ended(1, "1795326102.0\n", "Cannot connect"), Ended(0, LINES, ""))
        with pytest.raises(BackendError, match="Cannot connect"):
            await watch.state("db", at_once=True)
        assert await watch.state("db", at_once=False) is not None

    asyncio.run(work())


DYING = """#!/bin/sh
case "$1 $2" in
    "ps --all") echo abc ;;
    "version "*) exec cat "$PLACE/version" ;;
    *) echo "db running 0 0 healthy"; echo "Error: No such container: abd" >&2; exit 1 ;;
esac
"""


@pytest.mark.allow("process")
def test_a_container_that_is_deleted_meanwhile_is_not_a_docker_that_ends(tmp_path: Path) -> None:
    (tmp_path / "docker").write_text(DYING)
    (tmp_path / "docker").chmod(0o755)
    (tmp_path / "sleep").symlink_to("/bin/true")
    words = ["sh", "-c", WATCH, "watch", "maison", "0"]
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "PLACE": str(tmp_path)}
    silent = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert (silent.returncode, silent.stdout.count("\n")) == (1, 1), "the time alone"
    (tmp_path / "version").write_text("26.1\n")
    ended = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout.splitlines()[1:]) == (0, ["db running 0 0 healthy"])
