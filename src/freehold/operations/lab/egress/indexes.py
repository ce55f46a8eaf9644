"""Where pip's packages are: its index, and the server on which that keeps the files. Called by `surroundings.py`.

Settings name only the index, so this computer's own pip is asked, once a day at most: which index it has when none is set, and
from where it would fetch a package that every index has, itself. No address of an index is written down in Freehold.
"""

import hashlib
import importlib.util
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from freehold.diagnostics import BackendError
from freehold.system.files import write_atomically
from freehold.system.processes import run

KEPT_SECONDS = 86400.0
PATIENCE = 20.0  # seconds; a second or two where the index answers

# pip's own constant, then what it would install: pip's documentation, "Installation Report".
_PROGRAM = """\
import sys
from pip._internal.cli.main import main
from pip._internal.models.index import PyPI
print(PyPI.simple_url, flush=True)
sys.exit(main([
    "install", "--quiet", "--dry-run", "--ignore-installed", "--no-deps", "--only-binary", ":all:", "--report", "-", "pip",
]))
"""
# Empty ones count as not set. Packages in a folder of this computer are no answer.
_ENVIRONMENT = {"PIP_FIND_LINKS": "", "PIP_NO_INDEX": "", "PIP_NO_INPUT": "1", "PIP_RETRIES": "1"}


def package_servers(settings: Mapping[str, str], cache: Path) -> tuple[str, ...]:
    """Addresses on the servers that pip gets packages from; `settings` are pip's here (`pip_settings.py`).

    The answer is kept in the folder `cache`. Only the set indexes where pip is missing or finds nothing now.
    """
    indexes = [
        word for name in ("index-url", "extra-index-url") for word in settings.get(name, "").split()
    ]
    known = cache / "package-servers.json"
    key = hashlib.sha256(json.dumps([*indexes, sys.prefix]).encode()).hexdigest()
    if (found := _remembered(known, key)) is None:
        found, whole = _asked(by_default="index-url" not in settings)
        if whole:
            cache.mkdir(parents=True, exist_ok=True)
            write_atomically(known, json.dumps({"key": key, "at": time.time(), "found": found}))
    return (*indexes, *found)


def _remembered(known: Path, key: str) -> list[str] | None:
    try:
        kept = json.loads(known.read_text())
        if kept["key"] == key and 0 <= time.time() - kept["at"] < KEPT_SECONDS:
            return [str(address) for address in kept["found"]]
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None


def _asked(*, by_default: bool) -> tuple[list[str], bool]:
    """What pip says, and whether that is all of it."""
    if (library := _pip()) is None:
        return [], False
    python = [sys.executable, "-c", _PROGRAM]
    try:
        said = run(python, environment={**_ENVIRONMENT, **library}, timeout=PATIENCE)
    except BackendError:  # it took too long
        return [], False
    first, _, report = said.output.partition("\n")
    found = [first] if by_default and first else []
    try:
        files = [each["download_info"]["url"] for each in json.loads(report)["install"]]
    except (ValueError, KeyError, TypeError):
        return found, False
    return [*found, *map(_server, files)], True


def _server(address: str) -> str:
    """The address without its path, which may name a folder of this computer or hold a token."""
    scheme, separator, rest = address.partition("://")
    return f"{scheme}{separator}{rest.partition('/')[0].rpartition('@')[2]}/"


def _pip() -> dict[str, str] | None:
    """The variables with which this Python finds pip: installed, or the one that Python brings along."""
    if importlib.util.find_spec("pip"):
        return {}
    if (bundled := importlib.util.find_spec("ensurepip")) and bundled.origin:
        for wheel in sorted((Path(bundled.origin).parent / "_bundled").glob("pip-*.whl")):
            return {"PYTHONPATH": str(wheel)}
    return None
