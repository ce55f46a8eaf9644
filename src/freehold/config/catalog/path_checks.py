"""That a container has one thing at each of its paths: what Docker itself says only when it is started. Called by `checks`."""

from collections.abc import Iterator

from freehold.config.catalog.document import DescriptorDocument
from freehold.config.codes import problem
from freehold.config.places import KeyPath, Tree
from freehold.diagnostics import Diagnostic
from freehold.model.descriptors import Descriptor


def path_problems(
    tree: Tree, document: DescriptorDocument, descriptor: Descriptor
) -> Iterator[Diagnostic]:
    """Of two things at one path the second is told."""
    first: dict[str, str] = {}
    for path, where in _things(document, descriptor):
        name = ".".join(map(str, where[:-1] if where[-1] == "path" else where))
        other = first.setdefault(path, name)
        if other != name:
            detail = f"`{name}` is at {path}, where `{other}` is."
            yield problem("path-taken", detail, tree.source(where, key=where[-1] == path))


def _things(document: DescriptorDocument, descriptor: Descriptor) -> Iterator[tuple[str, KeyPath]]:
    """Each with its place in the descriptor. Secrets without a path of their own have one that Freehold chooses."""
    if document.container is not None:
        for path in document.container.mounts:
            yield path, ("container", "mounts", path)
        for index, path in enumerate(document.container.tmpfs):
            yield path, ("container", "tmpfs", index)
    for name, data in document.data.items():
        yield data.path, ("data", name, "path")
    for path in document.files:
        yield path, ("files", path)
    for secret in descriptor.secrets:
        yield secret.path, ("secrets", secret.name, "path")
