"""An agent as a unit of systemd, run from a copy of Freehold's code. Called by `program.py`.

A copy, because the folder that Freehold was started from may be anybody's to write to, and root runs this at every start. It
needs nothing but Python, so that of the computer will do. It is started again as often as it ends: a control machine cannot
do that.
"""

import shutil
import sys
from pathlib import Path

import freehold
from freehold.diagnostics import BackendError
from freehold.system.files import write_atomically
from freehold.system.host_agent.agents import own_code
from freehold.system.host_agent.charge import SUFFIX, code_digest
from freehold.system.host_agent.problems import failed
from freehold.system.host_agent.process import MODULE
from freehold.system.processes import require, run

UNIT = "freehold-agent@.service"
_CODE = "code"
_OLDEST_PYTHON = (3, 11)
_LEFT_OUT = shutil.ignore_patterns("__pycache__")
_TEXT = """\
[Unit]
Description=Freehold's agent for control machines, estate %i
RequiresMountsFor={folder}
StartLimitIntervalSec=0

[Service]
ExecStart={python} -P -s -m {module} {folder}/%i{suffix}
Environment=PYTHONPATH={folder}/{code} PYTHONDONTWRITEBYTECODE=1
RuntimeDirectory=freehold/%i
RuntimeDirectoryMode=0700
NoNewPrivileges=yes
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target
"""


class UnitRunner:
    """The copy is in `folder`, `units` is where unit files go."""

    def __init__(self, folder: Path, units: Path) -> None:
        self._folder = folder
        self._units = units

    def start(self, charge: Path, socket: Path) -> None:
        self._copy_code()
        write_atomically(self._units / UNIT, self._text())
        _systemctl("daemon-reload")
        _systemctl("enable", "--quiet", _instance(charge))
        _systemctl("restart", _instance(charge))

    def stop(self, charge: Path, socket: Path) -> None:
        if (self._units / UNIT).exists():
            _systemctl("disable", "--quiet", "--now", _instance(charge))

    def stays(self, charge: Path) -> bool:
        wanted = self._units / "multi-user.target.wants" / _instance(charge)
        try:
            text = (self._units / UNIT).read_text(encoding="utf-8")
        except (OSError, ValueError):
            return False
        code = code_digest(self._folder / _CODE / "freehold")
        return wanted.is_symlink() and text == self._text() and code == own_code()

    def clean(self) -> None:
        for name in (_CODE, f"{_CODE}.new", f"{_CODE}.old"):
            shutil.rmtree(self._folder / name, ignore_errors=True)
        if (self._units / UNIT).exists():
            (self._units / UNIT).unlink()
            _systemctl("daemon-reload")

    def _copy_code(self) -> None:
        """Made beside the old one and then put in its place."""
        code, new, old = (self._folder / f"{_CODE}{end}" for end in ("", ".new", ".old"))
        for left in (new, old):
            shutil.rmtree(left, ignore_errors=True)
        shutil.copytree(Path(freehold.__file__).parent, new / "freehold", ignore=_LEFT_OUT)
        if code.exists():
            code.rename(old)
        new.rename(code)
        shutil.rmtree(old, ignore_errors=True)

    def _text(self) -> str:
        return _TEXT.format(
            python=_python(), module=MODULE, folder=self._folder, code=_CODE, suffix=SUFFIX
        )


def _python() -> str:
    """The computer's own where it is new enough; else the one that runs this."""
    found = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    if found is not None:
        is_old = f"import sys; sys.exit(sys.version_info < {_OLDEST_PYTHON})"
        if run([found, "-I", "-c", is_old], timeout=10.0).code == 0:
            return found
    return sys.executable


def _instance(charge: Path) -> str:
    return UNIT.replace("@", f"@{charge.stem}")


def _systemctl(*words: str) -> None:
    try:
        require(["systemctl", *words], timeout=30.0)
    except BackendError as error:
        raise BackendError(failed("the agent's unit", error.diagnostics[0].detail)) from error
