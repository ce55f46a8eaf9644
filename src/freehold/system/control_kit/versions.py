"""The versions of what Freehold needs, as they are here: the ones that it is known to work with. Called by `__main__`."""

import re
from collections.abc import Iterator
from importlib import metadata

_NAME = re.compile(r"[A-Za-z0-9._-]+")
_OF_AN_EXTRA = re.compile(r"\bextra\s*==")


def constraints(name: str) -> str:
    """A file for `pip --constraint`, with a line for everything that the package needs, by whatever way."""
    found: dict[str, str] = {}
    waiting = [*_needs(name)]
    while waiting:
        need = waiting.pop()
        if need in found:
            continue
        try:
            found[need] = metadata.version(need)
        except metadata.PackageNotFoundError:  # for another system or another Python
            continue
        waiting += _needs(need)
    return "".join(f"{need}=={version}\n" for need, version in sorted(found.items()))


def _needs(name: str) -> Iterator[str]:
    for requirement in metadata.requires(name) or ():
        if not _OF_AN_EXTRA.search(requirement) and (found := _NAME.match(requirement)):
            yield re.sub(r"[-_.]+", "-", found[0]).lower()
