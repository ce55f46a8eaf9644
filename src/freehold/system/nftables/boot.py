"""Rules that are loaded when the computer starts, before Incus does.

One file a table, in the form nft reads. Where systemd runs the computer, a unit loads it: Incus requires that unit, so
that without rules no machine starts (systemd.unit(5)). In the lab its first process loads the files (`operations.lab`).
Called by `program.py`.
"""

import json
import os
import shutil
from pathlib import Path

from freehold.diagnostics import BackendError
from freehold.system.files import write_atomically
from freehold.system.nftables.api import Commands, NftablesError
from freehold.system.nftables.listing import document
from freehold.system.processes import SYSTEM_FOLDERS, require

STATE = Path("/var/lib/freehold/firewall")
_SYSTEMD = Path("/run/systemd/system")  # sd_booted(3)
_UNIT = "freehold-firewall@.service"
_UNIT_TEXT = """\
[Unit]
Description=Freehold's firewall rules, table %i
DefaultDependencies=no
RequiresMountsFor={folder}
After=local-fs.target nftables.service ufw.service
Wants=network-pre.target
Before=network-pre.target incus.service incus.socket shutdown.target
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart={nft} --json --file {folder}/%i.json

[Install]
WantedBy=sysinit.target
RequiredBy=incus.service
"""
_ENABLED = ("sysinit.target.wants", "incus.service.requires")


class BootRules:
    """The files in one folder; `units` is where unit files go, None where no systemd reads them."""

    def __init__(self, folder: Path, units: Path | None) -> None:
        self._folder = folder
        self._units = units

    @classmethod
    def of_this_computer(cls) -> "BootRules":
        """With units, if systemd started this computer."""
        return cls(STATE, Path("/etc/systemd/system") if _SYSTEMD.is_dir() else None)

    def read(self, name: str) -> Commands | None:
        """What is loaded for a table; None for nothing, or for nothing that could be loaded."""
        if self._units is not None and not self._is_loaded(self._units, name):
            return None
        try:
            commands: Commands = json.loads(self._path(name).read_text(encoding="utf-8"))[
                "nftables"
            ]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return commands

    def write(self, name: str, commands: Commands | None) -> None:
        """Load these from now on, or nothing. Raises NftablesError."""
        try:
            if commands is None:
                self._forget(name)
            else:
                self._keep(name, commands)
        except OSError as error:
            reason = f"{error.filename}: {error.strerror}."
            raise NftablesError("keeping the rules for the next start", reason) from error

    def _keep(self, name: str, commands: Commands) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self._path(name), document(commands) + "\n", mode=0o600)
        if self._units is not None and not self._is_loaded(self._units, name):
            write_atomically(self._units / _UNIT, self._unit())
            _systemctl("daemon-reload")
            _systemctl("reenable", "--quiet", _instance(name))

    def _is_loaded(self, units: Path, name: str) -> bool:
        """Whether systemd loads this table's file, and Incus waits for it."""
        if not all((units / folder / _instance(name)).is_symlink() for folder in _ENABLED):
            return False
        try:
            return (units / _UNIT).read_text(encoding="utf-8") == self._unit()
        except (OSError, ValueError):
            return False

    def _unit(self) -> str:
        nft = shutil.which("nft", path=os.pathsep.join(SYSTEM_FOLDERS)) or "/usr/sbin/nft"
        return _UNIT_TEXT.format(nft=nft, folder=self._folder)

    def _forget(self, name: str) -> None:
        for path in (self._path(name), *self._folder.glob(f".{name}.json.*")):  # a write cut off
            path.unlink(missing_ok=True)
        if self._units is not None:
            self._disable(self._units, name)
        if self._folder.is_dir() and not any(self._folder.iterdir()):
            self._folder.rmdir()
        if self._folder == STATE and STATE.parent.is_dir() and not any(STATE.parent.iterdir()):
            STATE.parent.rmdir()

    def _disable(self, units: Path, name: str) -> None:
        """The unit itself goes with the last table that it loads."""
        if not (units / _UNIT).exists():
            return
        _systemctl("disable", "--quiet", _instance(name))
        if not any(self._folder.glob("*.json")):
            (units / _UNIT).unlink()
        _systemctl("daemon-reload")

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"


def _instance(name: str) -> str:
    return _UNIT.replace("@", f"@{name}")


def _systemctl(*words: str) -> None:
    try:
        require(["systemctl", *words], timeout=30.0)
    except BackendError as error:
        raise NftablesError(
            "keeping the rules for the next start", error.diagnostics[0].detail
        ) from error
