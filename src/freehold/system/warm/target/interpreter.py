"""What the Python of this program is, and whether a fresh one started now would be the same.

A package that a task has just installed can bring another Python, other modules or another search path.
"""

from __future__ import annotations

import os
import site
import sys
from typing import Any

from freehold.system.warm.target.leaving import is_known

OLDEST = (3, 9)
_ZONE = "/etc/localtime"  # the C library reads it once
# Python reads these, or the C library below it, when it starts; who sets them gets a fresh one.
_AT_START = ("PYTHON", "LD_", "LC_", "LANG", "GLIBC_", "MALLOC_", "TZ", "HOME")


def description() -> dict[str, Any]:
    """What the keeper should know: the path of the interpreter, and its version."""
    return {"executable": sys.executable, "version": list(sys.version_info[:3])}


def fingerprint() -> tuple[object, ...]:
    """Changes with the interpreter's file, its library, what its search path is made from, and the time zone."""
    folders = [*site.getsitepackages(), site.getusersitepackages()]
    files = [sys.executable, os.__file__, _ZONE, *folders, *_customizations()]
    for folder in folders:
        files += _path_files(folder)
    return tuple(_look(path) for path in files)


def would_serve(python: str, environment: dict[str, str]) -> bool:
    """Whether a child of this process is what starting `python` with these variables would give."""
    if python != sys.executable or not is_known():
        return False
    return not any(name.startswith(_AT_START) for name in environment)


def _customizations() -> list[str]:
    """The files that Python carries out when it starts, where there are such."""
    modules = [sys.modules.get(name) for name in ("sitecustomize", "usercustomize")]
    return [module.__file__ for module in modules if module is not None and module.__file__]


def _path_files(folder: str) -> list[str]:
    try:
        return [os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".pth")]
    except OSError:
        return []


def _look(path: str) -> object:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
