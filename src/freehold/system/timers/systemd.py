"""A timer as units of systemd, where it runs the computer: a service that runs the command, and the timer that starts it.

An hour that the computer slept through is made up for at its next start. What the command says is in the journal; how it
ended is written down beside the job. Made by `place.py`.
"""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from freehold.system.files import write_atomically
from freehold.system.processes import require, run
from freehold.system.timers.api import TimerState
from freehold.system.timers.job import (
    JOB,
    Job,
    path_of,
    ran_of,
    read_job,
    read_run,
    write_job,
)
from freehold.system.timers.problems import explained

_SERVICE = """\
[Unit]
Description=Freehold's snapshots that are due, estate {estate}
RequiresMountsFor={folder}
After=incus.service incus.socket

[Service]
Type=oneshot
ExecStart={command}
{environment}ExecStopPost=/bin/sh -c {note}
"""
_TIMER = """\
[Unit]
Description=Freehold's snapshots, every hour, estate {estate}

[Timer]
OnCalendar=hourly
Persistent=true
RandomizedDelaySec=60

[Install]
WantedBy=timers.target
"""
_NOTE = """printf '{"at": %%s, "code": "%%s"}' $$(date +%%s) "$$EXIT_STATUS" > "$$0.new" && mv "$$0.new" "$$0\""""
_WANTED = "timers.target.wants"
_STAMPS = Path("/var/lib/systemd/timers")  # of Persistent=, systemd.timer(5)
_PATIENCE = 30.0  # seconds for systemctl


class SystemdTimers:
    """The jobs are in `folder`, `units` is where unit files go."""

    def __init__(
        self, folder: Path, units: Path, program: Sequence[str], variables: Mapping[str, str]
    ) -> None:
        self._folder = folder
        self._units = units
        self._program = tuple(program)
        self._variables = dict(variables)

    def job(self, estate: str, folder: Path) -> Job:
        return Job(
            estate=estate, folder=str(folder), program=self._program, variables=self._variables
        )

    async def read(self, estate: str) -> TimerState | None:
        return await asyncio.to_thread(self._read, estate)

    async def keep(self, job: Job) -> None:
        await asyncio.to_thread(self._keep, job)

    async def forget(self, estate: str) -> None:
        await asyncio.to_thread(self._forget, estate)

    def _read(self, estate: str) -> TimerState | None:
        path = path_of(self._folder, estate)
        with explained("reading the timer"):
            job = read_job(path)
            return None if job is None else TimerState(job, self._runs(job), read_run(path))

    def _runs(self, job: Job) -> bool:
        """Whether the units are as they were written, and go off."""
        timer = _unit(job.estate, "timer")
        if not (self._units / _WANTED / timer).is_symlink():
            return False
        try:
            texts = {name: (self._units / name).read_text() for name in self._texts(job)}
        except (FileNotFoundError, ValueError):
            return False
        is_active = run(["systemctl", "is-active", "--quiet", timer], timeout=_PATIENCE).code == 0
        return is_active and texts == self._texts(job)

    def _keep(self, job: Job) -> None:
        with explained("starting the timer"):
            write_job(path_of(self._folder, job.estate), job)
            for name, text in self._texts(job).items():
                write_atomically(self._units / name, text)
            timer = _unit(job.estate, "timer")
            for words in (("daemon-reload",), ("reenable", "--quiet", timer), ("restart", timer)):
                require(["systemctl", *words], timeout=_PATIENCE)

    def _forget(self, estate: str) -> None:
        path, timer, service = path_of(self._folder, estate), _unit(estate, "timer"), _unit(estate)
        with explained("ending the timer"):
            if (self._units / timer).exists():
                require(["systemctl", "disable", "--quiet", "--now", timer], timeout=_PATIENCE)
            run(["systemctl", "reset-failed", service], timeout=_PATIENCE)  # else it stays listed
            left = (self._units / timer, self._units / service, _STAMPS / f"stamp-{timer}")
            for each in (*left, ran_of(path), path):
                each.unlink(missing_ok=True)
            require(["systemctl", "daemon-reload"], timeout=_PATIENCE)
            if self._folder.is_dir() and not any(self._folder.glob(f"*{JOB}")):
                self._folder.rmdir()

    def _texts(self, job: Job) -> dict[str, str]:
        """The unit files by their names."""
        path = ran_of(path_of(self._folder, job.estate))
        variables = (f"Environment={_quoted(f'{k}={v}')}\n" for k, v in job.variables.items())
        service = _SERVICE.format(
            estate=job.estate,
            folder=_quoted(job.folder),
            command=" ".join(_quoted(word).replace("$", "$$") for word in job.argv),
            environment="".join(variables),
            note=f"{_quoted(_NOTE, raw=True)} {_quoted(str(path)).replace('$', '$$')}",
        )
        return {
            _unit(job.estate): service,
            _unit(job.estate, "timer"): _TIMER.format(estate=job.estate),
        }


def _unit(estate: str, kind: str = "service") -> str:
    return f"freehold-snapshots@{estate}.{kind}"


def _quoted(word: str, *, raw: bool = False) -> str:
    """A word as unit files take it: quoted, `%` doubled (systemd.syntax(7)); `raw` has its `%` doubled already."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped if raw else escaped.replace("%", "%%")}"'
