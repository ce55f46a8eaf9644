"""A Python program from standard input, run in a copy of this process instead of in a Python started for it.

What costs most of a module's time is spent once: starting Python, loading its library, and compiling Ansible's own
modules, which come as source in a zip file each time. The copy is made to look like a fresh Python that reads the
program from its standard input, as `python3 < program` does (compared in tests/warm).
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import marshal
import os
import sys
import types
import zipimport
from typing import Any, NamedTuple, NoReturn

from freehold.system.warm.target.leaving import exit_code, leave
from freehold.system.warm.target.library import Compiled, Library

_LIBRARY = os.path.dirname(os.__file__)
_OTHERS = ("site-packages", "dist-packages")
_NO_CACHED = (3, 15)  # from this version on __main__ has no __cached__


class Task(NamedTuple):
    """A program for who was forked for it. `notes`: a file in memory for what it had to compile and load."""

    source: bytes
    environment: dict[str, str]
    notes: int


class Known:
    """What payloads have needed so far: compiled sources, and modules of Python's library."""

    def __init__(self) -> None:
        self._compiled: Compiled = {}
        self._library = Library()

    def learn(self, notes: int) -> None:
        """Take over what a payload noted; load now what it had to load of the library. Closes `notes`."""
        content = os.pread(notes, os.fstat(notes).st_size, 0)
        os.close(notes)
        try:
            compiled, names = marshal.loads(content)  # noqa: S302 - of our own copy
        except (EOFError, ValueError, TypeError):
            return  # it was killed before its notes were complete
        self._compiled.update(compiled)
        for name in names:
            _load(name)
        self._library.carry_out(self._compiled)
        gc.collect()
        gc.freeze()  # copies leave alone what they share with this process

    def run(self, task: Task, main: dict[str, Any]) -> NoReturn:
        """In the copy: be a Python that was started for this program, to its end.

        `main`: the names in `__main__` of a Python that has just been started.
        """
        compiled = self._ask_here_first()
        self._library.lend()
        own, before = os.getpid(), set(sys.modules)
        _become_fresh(task, main)
        code = _execute(task.source)
        if os.getpid() == own:  # not in what the program has forked
            _note(task.notes, compiled, before)
        leave(code, before)

    def _ask_here_first(self) -> Compiled:
        """Have zipimport look here before it compiles. What it compiles nevertheless comes into the result."""
        compile_source = getattr(zipimport, "_compile_source", None)
        move_code = getattr(sys.modules["_imp"], "_fix_co_filename", None)
        new: Compiled = {}
        if compile_source is None or move_code is None:
            return new

        def look(path: str, source: bytes, *more: Any) -> types.CodeType:
            key = path.partition(".zip" + os.sep)[2] or path, source
            code = self._compiled.get(key)
            if code is None:
                code = new[key] = compile_source(path, source, *more)
            else:
                move_code(code, path)  # the folder of the zip file is another each time
            return code

        setattr(zipimport, "_compile_source", look)  # noqa: B010 - its types do not know it
        return new


def _become_fresh(task: Task, main: dict[str, Any]) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "freehold"]:
        del sys.modules[name]
    os.environ.update(task.environment)
    os.environ["PWD"] = os.getcwd()  # as the shell does that would have started it
    sys.argv = [""]
    if hasattr(sys, "orig_argv"):
        sys.orig_argv = [sys.executable]
    importlib.invalidate_caches()
    module = types.ModuleType("__main__")
    module.__dict__.update(main, __file__="<stdin>")
    if sys.version_info < _NO_CACHED:
        module.__dict__["__cached__"] = None
    sys.modules["__main__"] = module


def _execute(source: bytes) -> int:
    """Like Python's own top level: an exception is shown without what lies above the program, and the code is 1."""
    try:
        code = compile(source, "<stdin>", "exec", dont_inherit=True)
        exec(code, sys.modules["__main__"].__dict__)  # noqa: S102 - this is what was asked for
    except SystemExit as error:
        return exit_code(error)
    except BaseException as error:  # noqa: BLE001 - whatever it is, here is where Python would show it
        trace = error.__traceback__
        shown = error.with_traceback(trace and trace.tb_next)
        sys.excepthook(type(shown), shown, shown.__traceback__)
        return 1
    return 0


def _note(notes: int, compiled: Compiled, before: set[str]) -> None:
    names = [name for name in list(sys.modules) if name not in before and _of_library(name)]
    if compiled or names:
        os.pwrite(notes, marshal.dumps((compiled, names)), 0)


def _of_library(name: str) -> bool:
    origin = getattr(getattr(sys.modules[name], "__spec__", None), "origin", None) or ""
    if origin in ("built-in", "frozen"):
        return True
    return origin.startswith(_LIBRARY + os.sep) and not any(folder in origin for folder in _OTHERS)


def _load(name: str) -> None:
    with contextlib.suppress(Exception):  # whoever needs it will see why
        importlib.import_module(name)
