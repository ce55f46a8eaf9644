"""What every Ansible module imports before it begins, carried out once and lent to the payloads.

Even compiled, carrying out these some fifty modules takes longer than most Ansible modules do. Here they are imported
once and put aside. A payload's `import` finds each as in a fresh Python, in the payload's own zip file; if that holds
the same source of it, and of all that it imports in turn, the module that was put aside is taken instead of a new one.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types
import zipimport
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

# Ansible's wrapper imports this one first of all in every payload (ansible/_internal/_ansiballz/_wrapper.py).
FIRST = "ansible.module_utils._internal._ansiballz._loader"
# These look along the search path when they are carried out, so each payload has to do it.
_PLACES = ("ansible", "ansible.module_utils")
_PLACE_NAMES = {"__file__", "__path__", "__spec__", "__loader__"}
_NOWHERE = "/nowhere/__init__.py"
_OLDEST = (3, 10)  # before it, imports from zip files went another way

Compiled = dict[tuple[str, bytes], types.CodeType]  # by path inside the zip file and source


class Kept:
    """A module that has been carried out."""

    def __init__(self, path: str, source: bytes, module: types.ModuleType) -> None:
        self.path = path
        self.print = len(source), zlib.crc32(source)  # as a zip file's directory tells them
        self.module = module
        self.imported: list[str] = []  # Ansible's modules that it imported, in this order


class Library:
    """The modules put aside, by name."""

    def __init__(self) -> None:
        self._kept: dict[str, Kept] = {}
        self._needs: dict[str, set[str]] = {}  # itself, and all that it imports, directly or not

    def carry_out(self, compiled: Compiled) -> None:
        """Import what every payload imports first, if it is among these and not yet done."""
        sources = {_name(path): (path, source, code) for (path, source), code in compiled.items()}
        if self._kept or FIRST not in sources or sys.version_info < _OLDEST:
            return
        self._kept, homely = _Workshop(sources).carry_out()
        for name in self._kept:
            needs = _closure(name, self._kept)
            if not needs & homely:
                self._needs[name] = needs

    def lend(self) -> None:
        """In a payload's process: have every import look here once it has found the module's place."""
        if self._needs:
            sys.meta_path.insert(0, _Lender(self._kept, self._needs))


class _Workshop(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports from sources in memory, and writes down who imports what."""

    def __init__(self, sources: dict[str, tuple[str, bytes, types.CodeType]]) -> None:
        self._sources = sources
        self._kept: dict[str, Kept] = {}
        self._import = builtins.__import__

    def carry_out(self) -> tuple[dict[str, Kept], set[str]]:
        """The modules that came of it, and which of them only serve where they were carried out.

        Nothing of them stays in sys.modules.
        """
        sys.meta_path.insert(0, self)
        builtins.__import__ = self._noting_import
        try:
            importlib.import_module(FIRST)
            return self._kept, self._homely()
        except Exception:  # noqa: BLE001 - then each payload carries them out, and shows what is wrong
            return {}, set()
        finally:
            builtins.__import__ = self._import
            sys.meta_path.remove(self)
            self._put_aside()

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Packages that look along the search path are empty here, the rest is as the payload had it."""
        if name in _PLACES:
            spec = importlib.machinery.ModuleSpec(name, self, origin=_NOWHERE, is_package=True)
            spec.has_location = True
            return spec
        if name not in self._sources:
            return None
        is_package = self._sources[name][0].endswith("__init__.py")
        return importlib.machinery.ModuleSpec(name, self, is_package=is_package)

    def exec_module(self, module: types.ModuleType) -> None:
        """Carry it out."""
        name = module.__name__
        if name not in _PLACES:
            path, source, code = self._sources[name]
            self._kept[name] = Kept(path, source, module)
            exec(code, module.__dict__)  # noqa: S102 - as an import does

    def _noting_import(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,  # noqa: A002 - so are they called
        locals: Mapping[str, object] | None = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> types.ModuleType:
        """As the import statement, which does not tell anybody when a module is there already."""
        result = self._import(name, globals, locals, fromlist, level)
        importer = self._kept.get(str((globals or {}).get("__name__")))
        if importer is not None:
            full = (
                name
                if level == 0
                else importlib.util.resolve_name("." * level + name, _package(globals))
            )
            modules = [full, *(f"{full}.{item}" for item in fromlist or ())]
            importer.imported += [
                each for each in modules if each in sys.modules and _is_ansible(each)
            ]
        return result

    def _homely(self) -> set[str]:
        """Who may have looked where it lies, or has hold of a package that each payload has anew."""
        places = [sys.modules[name] for name in _PLACES]
        found = {name for name in self._kept if _asks_for_place(self._sources[name][2])}
        for name, kept in self._kept.items():
            values = vars(kept.module).values()
            found |= {name for value in values for place in places if value is place}
        return found

    def _put_aside(self) -> None:
        """Take them out of sys.modules and out of their packages, as if nobody had imported them."""
        for name in [name for name in sys.modules if _is_ansible(name)]:
            module = sys.modules.pop(name)
            package, _, tail = name.rpartition(".")
            holder = self._kept.get(package)
            if holder is not None and vars(holder.module).get(tail) is module:
                delattr(holder.module, tail)


class _Lender(importlib.abc.MetaPathFinder):
    """In a payload's process: answers with modules that were put aside."""

    def __init__(self, kept: dict[str, Kept], needs: dict[str, set[str]]) -> None:
        self._kept = kept
        self._needs = needs
        self._same: dict[str, set[str]] = {}  # by zip file: what has the same source there

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Where a fresh Python would find it, with a loader that brings the module that is there."""
        if name not in self._needs:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        loader = spec.loader if spec is not None else None
        if spec is None or not isinstance(loader, zipimport.zipimporter):
            return None
        if not self._needs[name] <= self._same_in(loader):
            return None
        spec.loader = _Lent(loader, self._kept[name])
        return spec

    def _same_in(self, loader: zipimport.zipimporter) -> set[str]:
        found = self._same.get(loader.archive)
        if found is None:
            directory = _directory(loader)
            found = self._same[loader.archive] = {
                name
                for name, kept in self._kept.items()
                if kept.path in directory
                and (directory[kept.path][3], directory[kept.path][7]) == kept.print
            }
        return found


class _Lent(importlib.abc.Loader):
    """Stands in for the zip file's loader while one module is imported."""

    def __init__(self, loader: Any, kept: Kept) -> None:
        self._loader = loader  # a zipimporter, which the types do not count as a loader
        self._kept = kept

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        """The module, without what only belongs to where it was carried out."""
        for name in ("__spec__", "__loader__", "__file__", "__path__"):
            self._kept.module.__dict__.pop(name, None)
        return self._kept.module

    def exec_module(self, module: types.ModuleType) -> None:
        """Import what it has imported when it was carried out; after that nothing of this loader is left."""
        spec = module.__spec__
        assert spec is not None
        spec.loader = module.__loader__ = self._loader
        for name in self._kept.imported:
            importlib.import_module(name)


def _asks_for_place(code: types.CodeType) -> bool:
    inner = [each for each in code.co_consts if isinstance(each, types.CodeType)]
    return bool(_PLACE_NAMES & set(code.co_names)) or any(map(_asks_for_place, inner))


def _directory(loader: zipimport.zipimporter) -> dict[str, tuple[Any, ...]]:
    """The zip file's directory, which zipimport has read: among others size (3) and CRC (7) by path."""
    read = getattr(loader, "_get_files", None)  # from Python 3.13 on
    found: dict[str, tuple[Any, ...]] = read() if read else getattr(loader, "_files", {})
    return found


def _closure(name: str, kept: dict[str, Kept]) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        one = waiting.pop()
        if one not in found and one in kept:
            found.add(one)
            waiting += kept[one].imported
    return found


def _name(path: str) -> str:
    """The module of this path inside the zip file."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _is_ansible(name: str) -> bool:
    return name.partition(".")[0] == "ansible"


def _package(names: Mapping[str, object] | None) -> str:
    return str((names or {}).get("__package__"))
