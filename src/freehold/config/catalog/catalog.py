"""The descriptors that there are: those that come with Freehold, and those of `catalog/` beside infra.yml, which go before.

Asked by `services.resolve` for the ones that infra.yml names, and by `cli.catalog` for all. A descriptor is read when it is
first asked for, and then kept.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import freehold
from freehold.config.catalog.build import build
from freehold.config.catalog.document import DESCRIPTOR, DescriptorDocument
from freehold.config.catalog.sources import with_sources
from freehold.config.files import read_text
from freehold.config.places import Tree
from freehold.config.validation import validate
from freehold.config.yaml_reader import read_yaml
from freehold.diagnostics import Diagnostic, has_errors
from freehold.model.descriptors import Descriptor
from freehold.model.names import is_dns_label

FOLDER = "catalog"
"""Beside infra.yml, and in the package."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of one file. `descriptor` is None when it has errors; `own`: it is the user's."""

    name: str
    own: bool
    descriptor: Descriptor | None
    problems: tuple[Diagnostic, ...]


class Catalog:
    """The descriptors for one estate; `folder` is that of infra.yml, None for those only that come with Freehold."""

    def __init__(self, folder: Path | None) -> None:
        self._own = folder / FOLDER if folder else None
        self._entries: dict[str, Entry | None] = {}
        self._files: dict[str, _Read | None] = {}

    def names(self) -> list[str]:
        """All there are, in order."""
        own = _names(self._own) if self._own else set()
        return sorted(own | _names(built_in_folder()))

    def entry(self, name: str) -> Entry | None:
        """The one of that name, read; None when there is none."""
        if name not in self._entries:
            self._entries[name] = self._checked(name)
        return self._entries[name]

    def problems(self) -> Iterable[Diagnostic]:
        """What is wrong with the descriptors that were asked for."""
        for entry in self._entries.values():
            if entry is not None:
                yield from entry.problems

    def _checked(self, name: str) -> Entry | None:
        """With what no key of it can say alone. It is looked at with those that it needs as they are written."""
        read = self._read(name)
        if read is None:
            return None
        problems = list(read.problems)
        if read.own and read.document and read.descriptor:  # those of Freehold the tests look at
            from freehold.config.catalog.checks import descriptor_problems  # brings Jinja

            needed = {need.name: self._read(need.service) for need in read.descriptor.needs}
            described = {key: each.descriptor for key, each in needed.items() if each}
            problems += descriptor_problems(read.tree, read.document, read.descriptor, described)
        descriptor = None if has_errors(problems) else read.descriptor
        return Entry(name, read.own, descriptor, tuple(problems))

    def _read(self, name: str) -> "_Read | None":
        if name not in self._files:
            self._files[name] = self._file(name)
        return self._files[name]

    def _file(self, name: str) -> "_Read | None":
        if not is_dns_label(name):  # it becomes a file's name
            return None
        for folder, own in ((self._own, True), (built_in_folder(), False)):
            if folder is not None and name in _names(folder):
                document, tree, problems = read_descriptor(folder / f"{name}.yml")
                descriptor = build(name, document) if document else None
                return _Read(own, document, descriptor, tree, tuple(problems))
        return None


@dataclass(frozen=True, slots=True)
class _Read:
    """A file by itself."""

    own: bool
    document: DescriptorDocument | None
    descriptor: Descriptor | None
    tree: Tree
    problems: tuple[Diagnostic, ...]


def built_in_folder() -> Path:
    """Where the descriptors lie that come with Freehold."""
    return Path(freehold.__file__).parent / FOLDER


def read_descriptor(path: Path) -> tuple[DescriptorDocument | None, Tree, list[Diagnostic]]:
    """One file as it is written: None with errors, which are all that single keys and values can have."""
    text = read_text(path)
    tree = Tree(files=[text.file], language=DESCRIPTOR)
    problems = list(text.problems)
    if text.text is None:
        return None, tree, problems
    root, found = read_yaml(text.text, text.file, 0, lambda path: False)
    problems += found
    if root is None:
        return None, tree, problems
    tree.root = root
    validated = validate(tree, DescriptorDocument)
    problems += validated.problems
    if validated.document is None or has_errors(problems):
        return None, tree, problems
    document, found = with_sources(validated.document, tree, path.parent)
    problems += found
    return None if has_errors(problems) else document, tree, problems


def _names(folder: Path) -> set[str]:
    try:
        return {path.stem for path in folder.iterdir() if path.suffix == ".yml"}
    except OSError:
        return set()
