"""Files that `provision` names: they are there, and in the folder of infra.yml."""

from collections.abc import Iterator
from pathlib import Path

from freehold.config.checks.context import Context, suggestion
from freehold.config.files import shown
from freehold.config.places import KeyPath
from freehold.diagnostics import Diagnostic

_NEIGHBOURS = 500
"""Files of a folder that are looked at for a "did you mean"."""


def provision_files(context: Context) -> Iterator[Diagnostic]:
    """Every `src` is a file that can be read. Each is looked at once, however many machines name it."""
    wrong: dict[str, tuple[str, str, str | None] | None] = {}
    for path, part in context.provisions():
        for kind in ("script", "files", "templates"):
            for index, item in enumerate(getattr(part, kind)):
                if item.src not in wrong:
                    wrong[item.src] = _problem(context.folder, item.src)
                if problem := wrong[item.src]:
                    yield _at(context, (*path, kind, index, "src"), problem)


def _at(context: Context, path: KeyPath, problem: tuple[str, str, str | None]) -> Diagnostic:
    code, detail, hint = problem
    return context.at(path, code, detail, hint)


def _problem(folder: Path, name: str) -> tuple[str, str, str | None] | None:
    """Code, detail and hint of what is wrong with the file."""
    path = folder / name
    try:
        if not path.exists():
            return "source-not-found", f"There is no file `{shown(path)}`.", _near(path, name)
        if not path.is_file():
            return "source-not-found", f"`{shown(path)}` is not a regular file.", None
        if not path.resolve().is_relative_to(folder.resolve()):
            return "outside-the-folder", f"The link `{shown(path)}` leads out of it.", None
        with path.open("rb"):
            return None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        return "source-not-found", f"`{shown(path)}` cannot be read: {error}.", None


def _near(path: Path, name: str) -> str | None:
    """The file that may have been meant: one beside it, else none."""
    try:
        beside = [entry.name for entry, _ in zip(path.parent.iterdir(), range(_NEIGHBOURS), strict=False)]  # fmt: skip
    except OSError:
        return None
    folder = name.rpartition("/")[0]
    names = [f"{folder}/{entry}" if folder else entry for entry in beside]
    hint = suggestion(name, names)
    return hint if hint and hint.startswith("Did you mean") else None
