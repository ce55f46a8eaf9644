"""Keys that must be written, and the version of the language."""

from collections.abc import Iterator

from freehold.config.checks.context import Context
from freehold.config.checks.subnets import lowest_free
from freehold.config.codes import problem
from freehold.config.document import VERSION
from freehold.config.places import Tree
from freehold.config.schema_errors import missing_key
from freehold.diagnostics import Diagnostic


def other_version(tree: Tree) -> Iterator[Diagnostic]:
    """The only problem of a file for another version of the language."""
    detail = f"The file asks for version {tree.get(('freehold',))}; this program knows version {VERSION}."
    yield problem("newer-version", detail, tree.source(("freehold",)))


def required_keys(context: Context) -> Iterator[Diagnostic]:
    """`freehold` and `name` at the top, `subnet_id` in each domain."""
    for key in ("freehold", "name"):
        if key not in context.tree.root:
            yield missing_key(context.tree, (key,))
    free = lowest_free(context)
    hint = None if free is None else f"Add `subnet_id: {free}`, the lowest that is free."
    for path, _, _ in context.domains():
        if not context.tree.has((*path, "subnet_id")):
            yield missing_key(context.tree, (*path, "subnet_id"), hint)
