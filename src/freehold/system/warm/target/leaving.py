"""The end of a payload's Python: all that a program can notice of it, without tearing down what it never used.

Python's own end takes longer in a copy than most programs run, for it touches every object of the library. Here the
same happens in the same order (Py_FinalizeEx), but only the program's own modules are torn down.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
import threading
from typing import NoReturn

_FLUSH_FAILED = 120  # what Python exits with then
# Waits for the program's threads, then runs what it has registered for its end. CPython names them only to itself.
_STEPS = (threading, "_shutdown"), (atexit, "_run_exitfuncs")


def is_known() -> bool:
    """Whether this Python ends as here is assumed; if not, no payload may run in a copy of it."""
    return all(hasattr(module, name) for module, name in _STEPS)


def exit_code(error: SystemExit) -> int:
    """The code that this exit asks for; a message is shown, as Python does."""
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code & 0xFF
    print(error.code, file=sys.stderr)  # noqa: T201 - as Python does, to whatever that is now
    return 1


def leave(code: int, before: set[str]) -> NoReturn:
    """End the process. `before`: the modules that were loaded before the program began."""
    for module, name in _STEPS:
        getattr(module, name)()
    flushed = _flush()
    _tear_down(before)
    flushed = _flush() and flushed
    os._exit(code if flushed else _FLUSH_FAILED)


def _tear_down(before: set[str]) -> None:
    """Drop the program's names, so that objects that do something when they go do it."""
    own = [sys.modules["__main__"]]
    own += [module for name, module in list(sys.modules.items()) if name not in before]
    gc.collect()
    for module in own:
        names = getattr(module, "__dict__", {})
        for name in [name for name in names if name != "__builtins__"]:
            names[name] = None
    gc.collect()


def _flush() -> bool:
    flushed = True
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None and not stream.closed:
                stream.flush()
        except Exception:  # noqa: BLE001 - whatever the program put there, Python would go on too
            flushed = False
    return flushed
