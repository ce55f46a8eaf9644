"""The machine's two kernel limits that a lab full of containers meets: raised while labs run, then put back.

Called by `lab.py` at start and stop. They belong to the whole kernel, so all labs share one record of the old values,
in /run: it vanishes at a reboot, as the raised values do. The last lab to stop puts them back.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from freehold.system.files import locked, write_atomically
from freehold.system.processes import ProcessIdentity, identify

RECORD = Path("/run/freehold/limits.json")
SETTINGS = Path("/proc/sys")


@dataclass(frozen=True, slots=True)
class Limit:
    """A kernel setting (sysctl name), the least that a lab of some dozens of machines needs, and for what."""

    name: str
    least: int
    reason: str


LIMITS = (
    Limit("fs.inotify.max_user_instances", 1024, "every machine's systemd takes several"),
    Limit("kernel.keys.maxkeys", 2000, "all machines of the lab share one user's quota of keys"),
)


@dataclass(frozen=True, slots=True)
class Registry:
    """Where the settings and the record of them are; other places in tests."""

    record: Path = RECORD
    settings: Path = SETTINGS

    def raise_for(self, user: str, starter: int) -> tuple[str, ...]:
        """Raise what is too low for the lab named `user`, being started by process `starter`; what was done."""
        with locked(self.record.with_suffix(".lock")):
            known = self._read()
            notices = [self._raise(limit, known["old"]) for limit in LIMITS]
            process = identify(starter)
            known["users"][user] = asdict(process) if process else None
            write_atomically(self.record, json.dumps(known) + "\n")
        return tuple(notice for notice in notices if notice)

    def release(self, user: str, running: Callable[[str], bool]) -> None:
        """The lab `user` needs nothing any more; the last living lab puts the old values back.

        `running` says whether another lab that is on record still runs.
        """
        if not self.record.exists():
            return
        with locked(self.record.with_suffix(".lock")):
            known = self._read()
            known["users"].pop(user, None)
            for other, starter in list(known["users"].items()):
                if not running(other) and not (starter and ProcessIdentity(**starter).alive):
                    del known["users"][other]
            if known["users"]:
                write_atomically(self.record, json.dumps(known) + "\n")
                return
            for name, (old, ours) in known["old"].items():
                self._put_back(name, old, ours)
            self.record.unlink(missing_ok=True)

    def _read(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(self.record.read_text())
        except (FileNotFoundError, ValueError):
            return {"old": {}, "users": {}}
        return found

    def _raise(self, limit: Limit, old: dict[str, list[int]]) -> str | None:
        place = self._setting(limit.name)
        if not place.exists() or (value := int(place.read_text())) >= limit.least:
            return None
        place.write_text(f"{limit.least}\n")
        old.setdefault(limit.name, [value, limit.least])
        return (
            f"raised {limit.name} from {value} to {limit.least} until the lab stops: {limit.reason}"
        )

    def _put_back(self, name: str, old: int, ours: int) -> None:
        """Only if the value is still the one that was set here: somebody else's choice stays."""
        place = self._setting(name)
        if int(place.read_text()) == ours:
            place.write_text(f"{old}\n")

    def _setting(self, name: str) -> Path:
        return self.settings / name.replace(".", "/")
