"""A database that is written to all the time, snapshotted and brought back: it opens, and no committed row is missing.

PostgreSQL from Debian, once with its data on the root disk and once in a volume; storage that snapshots at once (btrfs) and storage
that copies file by file (dir). What was committed is noted here, outside of the machine, at the moment the server says so.
"""

import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from freehold.operations.lab import Lab
from freehold.operations.lab.images import ensure_image
from freehold.system.namespaces import enter_argv
from tests.e2e.estate import Done, pid_of
from tests.e2e.lived_in import LivedIn, soon
from tests.throwaway import IMAGE

pytestmark = [pytest.mark.lab, pytest.mark.slow]

DATABASES = """
    freehold: 1
    name: cottage
    defaults: {provision: {apt: [postgresql]}}
    domains:
      home:
        subnet_id: 11
        machines:
          disk: {ip: 10.100.11.10}
          volume: {ip: 10.100.11.11, volumes: {data: {path: /var/lib/postgresql}}}
    """
INSTALLING = 600.0  # seconds
ROWS_BEFORE = 300  # that are committed before the first snapshot, and between two
PREPARE = """
set -e
version=$(ls /etc/postgresql)
pg_ctlcluster $version main stop
su postgres -c "/usr/lib/postgresql/$version/bin/pg_checksums --enable --pgdata /var/lib/postgresql/$version/main" >&2
pg_ctlcluster $version main start
cd /
su postgres -c "createdb bench"
su postgres -c "psql --quiet bench --command 'create table noted (n serial primary key)'"
su postgres -c "pgbench --quiet --initialize --scale 5 bench" >&2
"""
CLIENTS = "cd / && su postgres -c 'pgbench --client 3 --time 3600 bench' >/dev/null 2>&1"
NOTES = (
    "cd / && while echo 'insert into noted default values returning n;'; do sleep 0.002; done"
    " | su postgres -c 'psql --quiet --no-align --tuples-only bench'"
)
BALANCES = """
select (select sum(abalance) from pgbench_accounts), (select sum(tbalance) from pgbench_tellers),
       (select sum(bbalance) from pgbench_branches), (select coalesce(sum(delta), 0) from pgbench_history)
"""


class Databases(LivedIn):
    """Two machines with a database each."""

    def patient(self, *words: str) -> Done:
        """As `ok`, for what takes minutes where other things run."""
        process = self.start(*words)
        out, err = process.communicate(timeout=INSTALLING)
        assert process.returncode == 0, (out, err)
        return Done(process.returncode, out, err)

    def begin(self, machine: str, command: str) -> "subprocess.Popen[str]":
        """Run it inside, its output read here."""
        argv = ["incus", "exec", "--project", "home", machine.replace("/", "-"), "-T"]
        process = subprocess.Popen(
            enter_argv(pid_of(self.lab), [*argv, "--", "sh", "-c", command], "/"),
            env=self.lab.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.started.append(process)
        return process

    def sql(self, machine: str, query: str) -> str:
        command = "cd / && su postgres -c 'psql --no-align --tuples-only --no-psqlrc bench'"
        return self.shell(machine, f'echo "{query}" | ({command})')

    def opens(self, machine: str) -> bool:
        done = self.shell(machine, "pg_isready >&2; echo $?")
        return done == "0"


class Writers:
    """pgbench with three clients, and one that writes numbered rows; `seen` are those that the server said it has committed."""

    def __init__(self, databases: Databases, machine: str) -> None:
        self.seen: list[int] = []
        self._clients = databases.begin(machine, CLIENTS)
        self._noting = databases.begin(machine, NOTES)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._noting.stdout is not None
        for line in self._noting.stdout:
            if line.strip().isdigit():
                self.seen.append(int(line))

    def more(self, rows: int) -> int:
        """The last number that was committed, once there are so many more."""
        wanted = len(self.seen) + rows
        soon(lambda: len(self.seen) >= wanted, 120.0)
        return self.seen[-1]

    def ended(self) -> None:
        """The machine they ran in was stopped."""
        for process in (self._clients, self._noting):
            process.wait(30)
        self._reader.join(30)


@contextmanager
def databases_on(storage: str, folder: Path) -> Iterator[Databases]:
    with tempfile.TemporaryDirectory(prefix="fh-", dir="/tmp") as place:
        Path(place).chmod(0o711)  # machines run as other users and have to pass through
        lab = Lab(Path(place, "lab"))
        lab.start(storage=storage, egress=True)
        databases = Databases(folder, lab)
        try:
            ensure_image(lab, IMAGE, lambda text: None)
            databases.write(DATABASES)
            databases.patient("apply", "--yes")
            yield databases
        finally:
            databases.end_all()
            lab.reset()


@pytest.fixture(scope="module", params=["btrfs", "dir"])
def databases(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Databases]:
    with databases_on(request.param, tmp_path_factory.mktemp("estate")) as databases:
        yield databases


def is_whole(databases: Databases, machine: str) -> None:
    """Every page and every index is read; what pgbench keeps equal is equal."""
    read = (
        "cd / && su postgres -c 'pg_dumpall > /dev/null'"
        " && su postgres -c '/usr/lib/postgresql/*/bin/pg_amcheck --all --install-missing --heapallindexed' >&2; echo $?"
    )
    assert databases.shell(machine, read) == "0"
    assert len(set(databases.sql(machine, BALANCES).split("|"))) == 1
    assert int(databases.sql(machine, "select count(*) from pgbench_history")) > 0


@pytest.mark.parametrize("machine", ["home/disk", "home/volume"])
def test_a_database_in_use_comes_back_with_every_committed_row(
    databases: Databases, machine: str
) -> None:
    databases.shell(machine, PREPARE)
    writers = Writers(databases, machine)
    committed = {}
    for name in ("first", "second"):
        committed[name] = writers.more(ROWS_BEFORE)
        databases.patient("snapshot", "create", machine, "--name", name)
    last = writers.more(ROWS_BEFORE)
    assert committed["first"] < committed["second"] < last

    for name in ("second", "first"):
        databases.patient("snapshot", "restore", machine, "--name", name, "--yes")
        writers.ended()
        soon(lambda: databases.opens(machine), 60.0)
        assert "automatic recovery in progress" in databases.shell(
            machine, "cat /var/log/postgresql/*.log"
        ), "it was snapshotted while it ran"
        rows, lowest, highest = map(
            int, databases.sql(machine, "select count(*), min(n), max(n) from noted").split("|")
        )
        assert (lowest, rows) == (1, highest), "one after the other, none is missing"
        assert committed[name] <= highest < last
        is_whole(databases, machine)
    databases.settled()


def test_the_snapshot_of_a_volume_is_of_the_same_moment_as_the_disk(databases: Databases) -> None:
    """A counter is written by turns to the disk and to the volume: they differ by one at most."""
    machine = "home/volume"
    by_turns = (  # in place: a file that is first emptied would be seen so
        "n=0; while n=$((n+1)); do"
        " printf '%09d\\n' $n 1<> /root/turn; printf '%09d\\n' $n 1<> /var/lib/postgresql/turn; done"
    )
    writing = databases.begin(machine, by_turns)
    time.sleep(2)
    for name in ("turn-1", "turn-2"):
        databases.patient("snapshot", "create", machine, "--name", name)
        time.sleep(1)
    for name in ("turn-1", "turn-2"):
        databases.patient("snapshot", "restore", machine, "--name", name, "--yes")
        writing.wait(30)
        on_disk, in_volume = databases.shell(
            machine, "cat /root/turn /var/lib/postgresql/turn"
        ).split()
        assert 0 <= int(on_disk) - int(in_volume) <= 1
