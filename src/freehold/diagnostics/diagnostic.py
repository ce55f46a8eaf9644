"""The one shape in which a problem reaches a user.

Every layer makes Diagnostics; `views` renders them for people and as JSON. A diagnostic says what is wrong
(`summary`, fixed words; `detail`, the particulars), where (`source`), and what to do about it (`hint`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad it is: an error stops the verb, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Source:
    """A place in a user's file. `line` and `column` count from 1; `text` is that line, for display."""

    file: str
    line: int
    column: int
    path: str = ""
    text: str | None = None

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One problem.

    `code` is a stable, documented word (`unknown-key`); `summary` holds no user-chosen names; `detail` is in full
    sentences; `hint` is what to do next, with any command to copy.
    """

    severity: Severity = Severity.ERROR
    code: str
    summary: str
    detail: str = ""
    source: Source | None = None
    hint: str | None = None

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR

    def as_json(self) -> dict[str, object]:
        """The diagnostic as in the `validate --json` contract."""
        source = self.source
        return {
            "severity": self.severity.value,
            "code": self.code,
            "summary": self.summary,
            "detail": self.detail,
            "file": source.file if source else None,
            "line": source.line if source else None,
            "column": source.column if source else None,
            "path": source.path if source else None,
            "hint": self.hint,
        }


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether any of them stops the verb."""
    return any(diagnostic.is_error for diagnostic in diagnostics)
