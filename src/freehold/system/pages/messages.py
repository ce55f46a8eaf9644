"""What a page is asked for with, and what is given for it: plain values, so that who makes pages needs no web framework."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class Refusal(StrEnum):
    """Why nothing is shown."""

    STRANGER = "stranger"
    WRONG_KEY = "wrong-key"
    WRONG_HOST = "wrong-host"
    READ_ONLY = "read-only"
    NOT_FOUND = "not-found"
    BROKEN = "broken"

    @property
    def status(self) -> int:
        """As HTTP says it (RFC 9110, section 15)."""
        return _STATUS[self]


_STATUS = {
    Refusal.STRANGER: 401,
    Refusal.WRONG_KEY: 403,
    Refusal.WRONG_HOST: 403,
    Refusal.READ_ONLY: 405,
    Refusal.NOT_FOUND: 404,
    Refusal.BROKEN: 500,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request. `path` is below `root`, under which the reader has his pages; who does not know that asks below `/`.

    `languages` is the header Accept-Language; the token is no part of `query`.
    `from_elsewhere`: another site led here, so the browser holds back a cookie that it has (SameSite=Strict).
    """

    path: str
    root: str = "/"
    query: Mapping[str, str] = field(default_factory=dict)
    languages: str = ""
    cookies: Mapping[str, str] = field(default_factory=dict)
    from_elsewhere: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """An answer. `tag` stands for content that browsers may keep: who has it already is told so. Without one they keep nothing.

    `keeps` are cookies, `leads_to` the path of another page of the site instead.
    """

    body: str = ""
    kind: str = "text/html"
    status: int = 200
    tag: str = ""
    keeps: Mapping[str, str] = field(default_factory=dict)
    leads_to: str = ""


class Site(Protocol):
    """Who makes the pages."""

    @property
    def open(self) -> Collection[str]:
        """Paths that need no token: what every page, also that of a refusal, is drawn with."""

    async def answer(self, asked: Asked) -> Given | None:
        """The page; None when there is none at that path."""

    def refused(self, asked: Asked, why: Refusal) -> Given:
        """What is shown instead."""

    def failed(self, error: Exception) -> None:
        """Write down what nobody expected; the reader sees a page that tells no particulars."""
