"""Which process holds the lab's namespaces. Written by `holder.py`, read by `lab.py` and `limits.py`."""

import json
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime

from freehold.operations.lab.layout import Layout
from freehold.system.files import write_atomically
from freehold.system.processes import ProcessIdentity, identify


def write_holder(place: Layout, pid: int) -> None:
    """Remember the process, which must be alive, as the lab's holder from now on. Raises OSError."""
    if (process := identify(pid)) is None:
        raise ProcessLookupError(f"process {pid} has ended")
    document = {"process": asdict(process), "since": datetime.now(UTC).isoformat()}
    write_atomically(place.holder, json.dumps(document) + "\n")


def read_holder(place: Layout) -> tuple[ProcessIdentity, datetime] | None:
    """The living holder and since when it holds the lab; None when the lab is not running.

    A record left by a crash names a process that is gone or another one, which counts as not running.
    """
    with suppress(FileNotFoundError, ValueError, KeyError, TypeError):
        found = json.loads(place.holder.read_text())
        process = ProcessIdentity(**found["process"])
        if process.alive:
            return process, datetime.fromisoformat(found["since"])
    return None
