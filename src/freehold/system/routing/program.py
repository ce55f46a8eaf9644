"""The real routing: a file that says what to keep, and the program `keeper.py` that keeps it so.

Made by `cli` for this computer or for the lab (then `prefix` is the command that enters it). Where systemd runs the
computer a unit of ours runs the keeper; elsewhere it is a process of its own that outlives Freehold.
"""

import asyncio
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from freehold.diagnostics import BackendError
from freehold.system.files import write_atomically
from freehold.system.processes import Finished, require, run
from freehold.system.routing.api import RoutingError, Way

STATE = Path("/var/lib/freehold/router")
_SYSTEMD = Path("/run/systemd/system")  # sd_booted(3)
_KEEPER = Path(__file__).with_name("keeper.py")
_COPY = "keeper.py"
_SUFFIX = ".way"
_PATIENCE = 30.0  # seconds for any of it
_UNIT = "freehold-router@.service"
_UNIT_TEXT = """\
[Unit]
Description=Freehold's way to the firewall machine, %i
RequiresMountsFor={folder}
After=incus.service network.target

[Service]
ExecStart={python} -I {folder}/{copy} watch {folder}/%i{suffix}
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target
"""


class RoutingProgram:
    """Ways in one folder; `socket` is Incus's. `units` is where unit files go, None where no systemd reads them."""

    def __init__(
        self, folder: Path, units: Path | None, socket: Path, prefix: Sequence[str] = ()
    ) -> None:
        self._folder = folder
        self._units = units
        self._socket = socket
        self._prefix = tuple(prefix)

    @classmethod
    def of_this_computer(cls, socket: Path) -> "RoutingProgram":
        """With units, if systemd started this computer."""
        return cls(STATE, Path("/etc/systemd/system") if _SYSTEMD.is_dir() else None, socket)

    async def way(self, name: str) -> Way | None:
        try:
            document = json.loads(self._path(name).read_text(encoding="utf-8"))
            return Way.of(document)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise RoutingError("reading what to keep", f"{self._path(name)}: {error}") from error

    async def faults(self, name: str) -> list[str]:
        if not self._is_current():
            return ["another version of Freehold keeps it"]
        found: list[str] = json.loads(await self._keeper("check", name, "reading the routing"))
        return found

    async def keep(self, name: str, way: Way) -> None:
        document = {**way.as_document(), "socket": str(self._socket)}
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            anew = not self._is_current()
            shutil.copyfile(_KEEPER, self._folder / _COPY)
            write_atomically(self._path(name), json.dumps(document) + "\n", mode=0o600)
        except OSError as error:
            raise RoutingError(
                "keeping the routing", f"{error.filename}: {error.strerror}."
            ) from error
        await self._keeper("once", name, "handing packets over")
        if anew and self._units is None:
            await self._keeper("release", name, "watching over the routing")
        await asyncio.to_thread(self._watch, name, anew)

    async def forget(self, name: str) -> None:
        await asyncio.to_thread(self._unwatch, name)
        if self._path(name).exists():
            shutil.copyfile(_KEEPER, self._folder / _COPY)
            await self._keeper("clear", name, "taking the routing away")
        if self._folder.is_dir() and not any(self._folder.glob(f"*{_SUFFIX}")):
            (self._folder / _COPY).unlink(missing_ok=True)
            if not any(self._folder.iterdir()):
                self._folder.rmdir()

    def _is_current(self) -> bool:
        copy = self._folder / _COPY
        return copy.is_file() and copy.read_bytes() == _KEEPER.read_bytes()

    async def _keeper(self, word: str, name: str, doing: str) -> str:
        argv = self._argv(word, name)
        done = await asyncio.to_thread(run, argv, timeout=_PATIENCE)
        return _require(done, doing)

    def _argv(self, word: str, name: str) -> list[str]:
        copy = self._folder / _COPY
        program = copy if copy.is_file() else _KEEPER
        return [*self._prefix, *_alone(), str(program), word, str(self._path(name))]

    def _watch(self, name: str, anew: bool) -> None:
        """Have it watched from now on; an older keeper gives way."""
        if self._units is None:
            *before, word, path = self._argv("watch", name)
            start = len(self._prefix)
            detached = [*before[:start], "setsid", "--fork", *before[start:], word, path]
            _quietly(detached)
            return
        text = _UNIT_TEXT.format(
            folder=self._folder, copy=_COPY, suffix=_SUFFIX, python=_alone()[0]
        )
        write_atomically(self._units / _UNIT, text)
        _systemctl("daemon-reload")
        _systemctl("enable", "--quiet", _instance(name))
        _systemctl("restart" if anew else "start", _instance(name))

    def _unwatch(self, name: str) -> None:
        if self._units is None or not (self._units / _UNIT).exists():
            return
        _systemctl("disable", "--quiet", "--now", _instance(name))
        others = [path for path in self._folder.glob(f"*{_SUFFIX}") if path != self._path(name)]
        if not others:
            (self._units / _UNIT).unlink()
            _systemctl("daemon-reload")

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{_SUFFIX}"


def _alone() -> list[str]:
    """A Python that does not go with Freehold's own environment, if the computer has one."""
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin:/bin") or sys.executable
    return [python, "-I"]


def _require(done: Finished, doing: str) -> str:
    if done.code == 0:
        return done.output
    said = done.errors.strip().splitlines() or [f"exit code {done.code}"]
    if "Operation not permitted" in done.errors:
        raise RoutingError(doing, "only root may.", "Run the same command with sudo.")
    raise RoutingError(doing, said[-1])


def _quietly(argv: Sequence[str]) -> None:
    """Start what goes on by itself: it holds on to nothing of ours."""
    shell = 'exec "$@" </dev/null >/dev/null 2>&1'
    _require(run(["sh", "-c", shell, "sh", *argv], timeout=_PATIENCE), "watching over the routing")


def _instance(name: str) -> str:
    return _UNIT.replace("@", f"@{name}")


def _systemctl(*words: str) -> None:
    try:
        require(["systemctl", *words], timeout=_PATIENCE)
    except BackendError as error:
        raise RoutingError("watching over the routing", error.diagnostics[0].detail) from error
