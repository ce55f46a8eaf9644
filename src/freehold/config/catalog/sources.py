"""Files that a descriptor names with `source`: programs and dashboards, which are read beside it as they are. Called by `catalog`."""

from pathlib import Path

from freehold.config.catalog.document import DescriptorDocument, FilePart
from freehold.config.codes import problem
from freehold.config.files import read_text
from freehold.config.places import KeyPath, Tree
from freehold.diagnostics import Diagnostic


def with_sources(
    document: DescriptorDocument, tree: Tree, folder: Path
) -> tuple[DescriptorDocument, list[Diagnostic]]:
    """The document with the content of those files, and what is wrong with them. `folder` is the descriptor's own."""
    problems: list[Diagnostic] = []
    files: dict[str, FilePart] = {}
    for path, part in document.files.items():
        files[path] = part
        place: KeyPath = ("files", path)
        if (part.content is None) == (part.source is None):
            there = "both" if part.source else "neither"
            detail = f"`{path}` has {there} of `content` and `source`."
            problems.append(problem("file-without-content", detail, tree.source(place, key=True)))
        elif part.source is not None:
            content, found = _read(folder / part.source, tree, (*place, "source"))
            problems += found
            files[path] = part.model_copy(update={"content": content})
    return document.model_copy(update={"files": files}), problems


def _read(path: Path, tree: Tree, place: KeyPath) -> tuple[str, list[Diagnostic]]:
    read = read_text(path)
    if read.text is not None:
        return read.text, list(read.problems)
    details = [f"`{path.name}`: {each.detail or each.summary}" for each in read.problems]
    return "", [problem("unreadable-source", detail, tree.source(place)) for detail in details]
