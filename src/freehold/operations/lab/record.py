"""Which process holds the lab's namespaces, and which one is its egress. A record each, for a process and no later one.

Written by `holder.py` and `egress/proxy.py`, read by `lab.py`, `status.py` and whoever enters the lab.
"""

import json
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from freehold.operations.lab.layout import Layout
from freehold.system.files import write_atomically
from freehold.system.processes import ProcessIdentity, identify


def write_holder(place: Layout, pid: int) -> None:
    """Remember the process, which must be alive, as the lab's holder from now on. Raises OSError."""
    write_process(place.holder, pid)


def read_holder(place: Layout) -> tuple[ProcessIdentity, datetime] | None:
    """The living holder and since when it holds the lab; None when the lab is not running."""
    return read_process(place.holder)


def write_process(record: Path, pid: int) -> None:
    """Remember the process, which must be alive, in the file. Raises OSError."""
    if (process := identify(pid)) is None:
        raise ProcessLookupError(f"process {pid} has ended")
    document = {"process": asdict(process), "since": datetime.now(UTC).isoformat()}
    write_atomically(record, json.dumps(document) + "\n")


def read_process(record: Path) -> tuple[ProcessIdentity, datetime] | None:
    """The living process of the record and since when it is what it is; None when there is none.

    A record left by a crash names a process that is gone or another one, which counts as not running.
    """
    with suppress(FileNotFoundError, ValueError, KeyError, TypeError):
        found = json.loads(record.read_text())
        process = ProcessIdentity(**found["process"])
        if process.alive:
            return process, datetime.fromisoformat(found["since"])
    return None
