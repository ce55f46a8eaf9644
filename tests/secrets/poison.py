"""The search for a secret that must be nowhere: in files, in texts, and in what every process that we start is called with.

A test plants a value that nothing else looks like, lets Freehold work with it, and gathers all that is left; `found` names the
places. tests/secrets/test_poison.py shows for each kind of place that a leak is found.
"""

import base64
import json
import os
import secrets
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_PAUSE = 0.02  # seconds between two looks at the processes


def poison() -> str:
    """A secret like no other; each run has its own."""
    return f"p01s0n-{secrets.token_hex(12)}"


@dataclass(slots=True)
class Search:
    """Where a poison is. Everything is looked at in the forms in which a value is carried: as it is, in base64, hexadecimal, in URLs."""

    value: str
    found: list[str] = field(default_factory=list)
    looked_at: int = 0

    def text(self, place: str, content: str | bytes) -> None:
        """Look at something printed, or kept anywhere."""
        self.looked_at += 1
        data = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
        self.found += [f"{place} ({how})" for how, form in _forms(self.value) if form in data]

    def folder(self, folder: Path, *, besides: frozenset[Path] = frozenset()) -> None:
        """Look at names and contents of all that is below a folder, but at some files where the value belongs."""
        for path in sorted(folder.rglob("*")):
            self.text(f"the name {path}", os.fsencode(path))
            if path.is_symlink() or not path.is_file() or path in besides:
                continue
            self.text(str(path), path.read_bytes())

    @contextmanager
    def processes(self) -> Iterator[None]:
        """Look at the arguments and the environment of all that descends from this process, again and again, and at the end."""
        stop = threading.Event()
        seen: set[tuple[str, bytes]] = set()
        watcher = threading.Thread(target=_watch, args=(stop, seen))
        watcher.start()
        try:
            yield
        finally:
            stop.set()
            watcher.join()
            for what, content in sorted(seen):
                self.text(what, content)


def _watch(stop: threading.Event, seen: set[tuple[str, bytes]]) -> None:
    last = False
    while not last:
        last = stop.wait(_PAUSE)
        for pid in _descendants(os.getpid()):
            for what in ("cmdline", "environ"):
                try:
                    content = Path(f"/proc/{pid}/{what}").read_bytes()
                except OSError:
                    continue  # it has ended
                seen.add((f"{what} of {_name(pid)}", content))


def _descendants(root: int) -> set[int]:
    """By who started whom (proc_pid_stat(5), field 4). One whose parent has ended belongs to nobody any more and is not seen."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                text = (entry / "stat").read_text()
            except OSError:
                continue
            parents[int(entry.name)] = int(text.rpartition(")")[2].split()[1])
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {root}


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return "a process"


def _forms(value: str) -> Iterator[tuple[str, bytes]]:
    data = value.encode()
    yield "as it is", data
    yield "hexadecimal", data.hex().encode()
    if (url := urllib.parse.quote(value, safe="")) != value:
        yield "in a URL", url.encode()
    if (escaped := json.dumps(value)[1:-1]) != value:
        yield "in JSON", escaped.encode()
    for shift in range(
        3
    ):  # base64 takes three bytes at a time: where a value begins in a text decides how it looks
        coded = base64.b64encode(b"\0" * shift + data)
        yield "base64", coded[-(-8 * shift // 6) : len(coded) - 4]
