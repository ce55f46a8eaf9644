"""Which process holds the lab's namespaces, and which one is its egress. A record each, for a process and no later one.

Written by `holder.py` and `egress/proxy.py`, read by `lab.py`, `status.py` and whoever enters the lab.
"""

import json
import signal
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from freehold.operations.lab.layout import Layout
from freehold.system.files import write_atomically
from freehold.system.processes import ProcessIdentity, identify

_PF_EXITING = 0x4


def write_holder(place: Layout, pid: int) -> None:
    """Remember the process, which must be alive, as the lab's holder from now on. Raises OSError."""
    write_process(place.holder, pid)


def read_holder(place: Layout) -> tuple[ProcessIdentity, datetime] | None:
    """The living holder and since when it holds the lab; None when the lab is not running."""
    return read_process(place.holder)


def is_dying(process: ProcessIdentity) -> bool:
    """Whether a living process was killed already: SIGKILL waits for it, or it is on its way out.

    Facts are from proc_pid_status(5) (SigPnd, ShdPnd) and proc_pid_stat(5) (flags: PF_EXITING).
    """
    with suppress(OSError):
        folder = Path(f"/proc/{process.pid}")
        flags = int((folder / "stat").read_text().rpartition(")")[2].split()[6])
        words = dict(line.split(":\t", 1) for line in (folder / "status").read_text().splitlines())
        pending = int(words["SigPnd"], 16) | int(words["ShdPnd"], 16)
        return bool(flags & _PF_EXITING or pending >> (signal.SIGKILL - 1) & 1)
    return True


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
