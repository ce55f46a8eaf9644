"""The process behind `process.py`: runs the command of one job whenever the clock comes to a full interval.

`python -m freehold.system.timers.loop FILE [PID]`: FILE is the job; with PID it ends when that process does. One run at a
time: an interval that a long run takes up is left out. Whatever a run does, the next one comes.
"""

import asyncio
import os
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from freehold.system.listening import owners_socket
from freehold.system.processes import search_path
from freehold.system.timers.job import Job, note_run, read_job, socket_of

_GRACE = 6.0  # seconds for a command to end when it is told, and when it is killed
_SHOWN = 4096  # bytes of output
_CANNOT_START = 127  # as shells say it


def main() -> None:
    """Serve the job that the command line names, until told to end. Exits with 1 when there is none."""
    path = Path(sys.argv[1])
    job = read_job(path)
    if job is None:
        sys.exit(1)
    asyncio.run(serve(job, path, int(sys.argv[2]) if len(sys.argv) > 2 else None))


async def serve(job: Job, path: Path, life: int | None) -> None:
    """Until SIGTERM or SIGINT, or the end of the process `life`. Who listens at the job's socket is this process."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    if life is not None:
        _end_with(life, ended)
    server = await asyncio.start_unix_server(_hang_up, sock=owners_socket(socket_of(path)))
    while not await _ended_within(ended, job.every - time.time() % job.every):
        code, output = await _run(job, ended)
        with suppress(OSError):  # a full disk
            note_run(path, code, output)
    server.close()


def _end_with(life: int, ended: asyncio.Event) -> None:
    """Raises ProcessLookupError when it has ended already."""
    loop, handle = asyncio.get_running_loop(), os.pidfd_open(life)

    def gone() -> None:
        loop.remove_reader(handle)
        ended.set()

    loop.add_reader(handle, gone)


async def _hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Whoever connects only wants to know which process this is."""
    writer.close()


async def _ended_within(ended: asyncio.Event, seconds: float) -> bool:
    with suppress(TimeoutError):
        await asyncio.wait_for(ended.wait(), max(seconds, 0.01))
    return ended.is_set()


async def _run(job: Job, ended: asyncio.Event) -> tuple[int, str]:
    """Exit code and last words of the command, which is told to end when this process is."""
    with tempfile.TemporaryFile() as said:
        try:
            process = await _started(job, said)
        except OSError as error:
            return _CANNOT_START, f"{error.filename or job.argv[0]}: {error.strerror or error}"
        waiting = asyncio.create_task(process.wait())
        ending = asyncio.create_task(ended.wait())
        await asyncio.wait({waiting, ending}, return_when=asyncio.FIRST_COMPLETED)
        ending.cancel()
        for number in (signal.SIGTERM, signal.SIGKILL):
            if not waiting.done():
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, number)
                await asyncio.wait({waiting}, timeout=_GRACE)
        return process.returncode or 0, _end_of(said)


async def _started(job: Job, said: IO[bytes]) -> asyncio.subprocess.Process:
    surroundings = {"PATH": search_path(), "LANG": "C.UTF-8", **job.variables}
    return await asyncio.create_subprocess_exec(
        *job.argv, env=surroundings, cwd="/", start_new_session=True,
        stdin=asyncio.subprocess.DEVNULL, stdout=said, stderr=said,
    )  # fmt: skip


def _end_of(said: IO[bytes]) -> str:
    said.seek(max(said.seek(0, os.SEEK_END) - _SHOWN, 0))
    return said.read().decode(errors="replace").strip()


if __name__ == "__main__":
    main()
