"""Finds and reads the user's files as text: the first step of `load`, the only one that touches the disk."""

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from freehold.config.codes import problem
from freehold.config.places import SourceFile
from freehold.diagnostics import Diagnostic, Source

LARGEST_FILE = 8 * 1024 * 1024  # bytes
MAIN_FILE = "infra.yml"
EXTRA_FOLDER = "infra.d"

_LINE_END = re.compile(r"\r\n|\r|\n")
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # C0 and C1 without tab, line feed, carriage return
    "\u2028\u2029"  # line ends to YAML 1.1, not to 1.2
    "\u202a-\u202e\u2066-\u2069"  # change the direction of writing: what is shown is not what is read
    "\ufeff\ufffe\uffff]"
)


@dataclass(frozen=True, slots=True)
class Text:
    """A file as read. `text` is None when it could not be."""

    path: Path
    file: SourceFile
    text: str | None
    problems: tuple[Diagnostic, ...] = ()


def read_estate(path: Path) -> tuple[list[Text], list[Diagnostic]]:
    """The main file and those of `infra.d/` beside it, in the order in which they count."""
    main = path / MAIN_FILE if is_folder(path) else path
    texts = [read_text(main)]
    problems: list[Diagnostic] = []
    if main.name == MAIN_FILE:
        folder = main.parent / EXTRA_FOLDER
        extra, problems = _extra_files(folder)
        texts += [read_text(file) for file in extra]
    return texts, problems


def lines_of(text: str) -> list[str]:
    """The lines of a text, whatever ends them."""
    return _LINE_END.split(text)


def is_folder(path: Path) -> bool:
    """Whether it is one, as far as can be seen."""
    try:
        return path.is_dir()
    except OSError:  # not allowed to look: reading will say so
        return False


def shown(path: Path) -> str:
    """A path as text that every terminal and JSON can hold, whatever bytes its name has."""
    return os.fsencode(path).decode("utf-8", "replace")


def read_text(path: Path) -> Text:
    """One file; whatever is wrong with it becomes a Diagnostic."""
    name = shown(path)
    try:
        content = _content(path)
    except OSError as error:
        return _failed(path, *_os_problem(path, error))
    except ValueError as error:  # a NUL in the name
        return _failed(path, "file-not-found", f"{name!r} cannot be a file: {error}.")
    if isinstance(content, tuple):
        return _failed(path, *content)
    return _decoded(path, name, content)


def _extra_files(folder: Path) -> tuple[list[Path], list[Diagnostic]]:
    try:
        entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except FileNotFoundError:
        return [], []
    except NotADirectoryError:
        if not folder.exists():  # what should hold infra.yml is a file: reading that says so
            return [], []
        detail = f"`{shown(folder)}` is a file."
        return [], [problem("not-a-folder", detail, Source(shown(folder), 1, 1))]
    except OSError as error:
        code, detail, hint = _os_problem(folder, error)
        return [], [problem(code, detail, Source(shown(folder), 1, 1), hint)]
    files = [entry for entry in entries if entry.name.endswith(".yml")]
    return files, list(_ignored(entries))


def _ignored(entries: list[Path]) -> Iterator[Diagnostic]:
    for entry in entries:
        if entry.suffix in {".yaml", ".YML", ".YAML", ".json"}:
            detail = f"`{shown(entry)}` does not end in `.yml`."
            yield problem("file-ignored", detail, Source(shown(entry), 1, 1))


def _content(path: Path) -> bytes | tuple[str, str]:
    """The bytes, or the code and detail of what is wrong. Asks for the kind before opening: a pipe would block."""
    name = shown(path)
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a device, pipe or socket"
        return "not-a-file", f"`{name}` is {kind}."
    with path.open("rb") as file:
        content = file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        size = max(status.st_size, len(content)) / 1024 / 1024
        return "file-too-large", f"`{name}` has {size:.1f} MiB; the limit is 8 MiB."
    return content


def _os_problem(path: Path, error: OSError) -> tuple[str, str, str | None]:
    """Code, detail and hint of what the operating system says."""
    name = shown(path)
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        return "file-not-readable", f"`{name}`: {error.strerror or error}.", None
    other = path.with_suffix(".yaml")
    if path.name == MAIN_FILE and os.path.lexists(other):
        hint = f"Rename it: `mv {shown(other)} {name}`."
        return "file-not-found", f"There is no `{name}`, but `{shown(other)}`.", hint
    link = " It is a link that leads nowhere." if os.path.islink(path) else ""  # noqa: PTH114
    return "file-not-found", f"There is no `{name}`.{link}", None


def _failed(path: Path, code: str, detail: str, hint: str | None = None) -> Text:
    file = SourceFile(shown(path))
    return Text(path, file, None, (problem(code, detail, Source(file.name, 1, 1), hint),))


def _decoded(path: Path, name: str, content: bytes) -> Text:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _failed(path, "not-utf-8", f"`{name}` is UTF-16 or UTF-32.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", "replace")
        line, column = _line_and_column(before)
        detail = f"The byte 0x{content[error.start]:02x} is not UTF-8."
        return Text(
            path,
            SourceFile(name),
            None,
            (problem("not-utf-8", detail, Source(name, line, column)),),
        )
    file = SourceFile(name, tuple(lines_of(text)))
    if forbidden := _FORBIDDEN.search(text):
        line, column = _line_and_column(text[: forbidden.start()])
        detail = f"The character U+{ord(forbidden[0]):04X} stands here."
        return Text(
            path, file, None, (problem("control-character", detail, file.source(line, column)),)
        )
    return Text(path, file, text)


def _line_and_column(before: str) -> tuple[int, int]:
    lines = _LINE_END.split(before.removeprefix("\ufeff"))
    return len(lines), len(lines[-1]) + 1
