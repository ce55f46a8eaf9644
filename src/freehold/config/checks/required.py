"""Keys that must be written, and the version of the language."""

from collections.abc import Iterator

from freehold.config.checks.context import Context
from freehold.config.checks.subnets import lowest_free
from freehold.config.document import VERSION
from freehold.config.schema_errors import missing_key
from freehold.diagnostics import Diagnostic


def required_keys(context: Context) -> Iterator[Diagnostic]:
    """`freehold` and `name` at the top, `subnet_id` in each domain."""
    for key in ("freehold", "name"):
        if key not in context.tree.root:
            yield missing_key(context.tree, (key,))
    if (version := context.document.freehold) not in (None, VERSION):
        detail = f"The file asks for version {version}; this program knows version {VERSION}."
        yield context.at(("freehold",), "newer-version", detail)
    for path, _, _ in context.domains():
        if "subnet_id" not in context.tree.names(path):
            free = lowest_free(context)
            hint = None if free is None else f"Add `subnet_id: {free}`, the lowest that is free."
            yield missing_key(context.tree, (*path, "subnet_id"), hint)
