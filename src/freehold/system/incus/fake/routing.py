"""What a request to the in-memory Incus is, how it finds its handler, and how a handler refuses it.

Each module of the package brings `ROUTES`; `server.py` puts them together in one `Router`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from freehold.system.incus.api import Progress

OPERATION_FAILED = 400  # the status code of every failed operation, whatever the reason


class Refusal(Exception):
    """A request is refused; `status` and `message` are as the real server gives them."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def not_found(message: str) -> Refusal:
    """There is no such thing."""
    return Refusal(404, message)


def operation_failed(message: str) -> Refusal:
    """The request was accepted and its operation failed: the client sees only that, and the text."""
    return Refusal(OPERATION_FAILED, message)


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `path` is below `/1.0`."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    progress: Progress | None = None

    @property
    def project(self) -> str:
        return self.query.get("project", "default")

    @property
    def recursion(self) -> int:
        return int(self.query.get("recursion", "0"))

    @property
    def everywhere(self) -> bool:
        """Whether all projects are asked for. Raises Refusal when one project is named as well."""
        asked = self.query.get("all-projects", "") == "true"
        if asked and "project" in self.query:
            raise Refusal(400, "Cannot specify a project when requesting all projects")
        return asked


Handler = Callable[..., Any]
"""Takes the state, the request and the parts of the path that the pattern names; answers metadata."""
Routes = Mapping[tuple[str, str], Handler]
"""(method, pattern) to handler. `{name}` stands for one part of the path, a last `{name...}` for the rest."""


class Router:
    """Finds the handler of a request."""

    def __init__(self, tables: Iterable[Routes]) -> None:
        self._patterns: dict[str, dict[str, Handler]] = {}
        for table in tables:
            for (method, pattern), handler in table.items():
                self._patterns.setdefault(pattern, {})[method] = handler

    def find(self, method: str, path: str) -> tuple[Handler, tuple[str, ...]]:
        """The handler and the named parts. Raises Refusal: 404 for an unknown path, 501 for another method."""
        parts = path.split("/")
        for pattern, methods in self._patterns.items():
            found = _match(pattern.split("/"), parts)
            if found is None:
                continue
            if method not in methods:
                raise Refusal(501, "not implemented")
            return methods[method], found
        raise not_found("not found")


def _match(pattern: list[str], parts: list[str]) -> tuple[str, ...] | None:
    rest = pattern[-1].endswith("...}")
    if len(parts) < len(pattern) or (len(parts) > len(pattern) and not rest):
        return None
    named = []
    for index, expected in enumerate(pattern):
        if expected.endswith("...}"):
            named.append(unquote("/".join(parts[index:])))
        elif expected.startswith("{"):
            named.append(unquote(parts[index]))
        elif expected != parts[index]:
            return None
    return tuple(named)
