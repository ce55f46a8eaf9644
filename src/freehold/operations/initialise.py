"""Makes a new estate's folder from a blueprint. Called by `cli.init`; nothing that exists is ever written over."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from freehold.diagnostics import Diagnostic, FreeholdError, UsageError, did_you_mean
from freehold.model.names import is_dns_label
from freehold.operations.blueprints import (
    DEFAULT_BLUEPRINT,
    INFRA_FILE,
    blueprints,
    shared_files,
)
from freehold.system.files import write_atomically

SCHEMA_FILE = "infra.schema.json"
IGNORE_FILE = ".gitignore"
STATE_PATTERN = ".freehold/"
_NAME_LINE = re.compile(r"(?m)^name:[ \t]*[^\s#]+")


@dataclass(frozen=True, slots=True)
class Initialised:
    """`written`: the new files, relative to the folder. `state_ignored`: whether git will not see `.freehold/`."""

    folder: Path
    written: tuple[str, ...]
    state_ignored: bool


def initialise(
    folder: Path, blueprint: str = DEFAULT_BLUEPRINT, name: str | None = None
) -> Initialised:
    """Write the blueprint's files, the schema beside them, a Makefile and `.gitignore`.

    `name` replaces the blueprint's name of the estate. Raises UsageError for an unknown blueprint or an impossible
    name, FreeholdError when a file is there already or cannot be written; then nothing is left behind.
    """
    texts = _texts(blueprint, name)
    for name in (IGNORE_FILE, *shared_files()):
        if (folder / name).is_file():  # of a repository that the estate becomes part of: stays
            texts.pop(name)
    _refuse_existing(folder, texts)
    _write_all(folder, texts)
    return Initialised(folder, tuple(texts), _ignores_state(folder / IGNORE_FILE))


def _texts(blueprint: str, name: str | None) -> dict[str, str]:
    from freehold.config.schema import json_schema_text

    known = blueprints()
    if blueprint not in known:
        raise UsageError(_unknown_blueprint(blueprint, known))
    texts = dict(known[blueprint].files)
    if name is not None:
        if not is_dns_label(name):
            raise UsageError(_impossible_name(name))
        texts[INFRA_FILE] = _NAME_LINE.sub(f"name: {name}", texts[INFRA_FILE], count=1)
    infra = texts.pop(INFRA_FILE)
    ignored = {IGNORE_FILE: f"{STATE_PATTERN}\n"}
    # infra.yml last: where it stands, the rest does too.
    schema = {SCHEMA_FILE: json_schema_text()}
    return {**ignored, **schema, **shared_files(), **texts, INFRA_FILE: infra}


def _refuse_existing(folder: Path, texts: Mapping[str, str]) -> None:
    if folder.exists() and not folder.is_dir():
        raise FreeholdError(_not_a_folder(folder))
    existing = [
        name for name in sorted(texts) if (folder / name).exists() or (folder / name).is_symlink()
    ]
    if existing:
        raise FreeholdError(*(_exists(folder / name) for name in existing))


def _write_all(folder: Path, texts: Mapping[str, str]) -> None:
    """All files, or none: what was written before a failure is taken away again, folders that were made too."""
    made: list[Path] = []
    try:
        for name, text in texts.items():
            path = folder / name
            missing = [
                parent for parent in (path.parent, *path.parent.parents) if not parent.exists()
            ]
            made += reversed(missing)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, text)
            made.append(path)
    except OSError as failure:
        for path in reversed(made):
            with suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()
        raise FreeholdError(_unwritable(folder, failure)) from failure


def _ignores_state(ignore: Path) -> bool:
    try:
        lines = ignore.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    return any(line.strip().strip("/") == STATE_PATTERN.strip("/") for line in lines)


def _unknown_blueprint(name: str, known: Mapping[str, object]) -> Diagnostic:
    return Diagnostic(
        code="unknown-blueprint",
        summary="There is no such blueprint",
        detail=f"`{name}` does not come with Freehold.",
        hint=f"{did_you_mean(name, known)} To see all:\n    freehold init --list",
    )


def _impossible_name(name: str) -> Diagnostic:
    return Diagnostic(
        code="invalid-name",
        summary="Name cannot be used",
        detail=f"`{name}` cannot be an estate's name.",
        hint="Lower-case letters, digits and hyphens, a letter first, no hyphen last, at most 63 characters.",
    )


def _not_a_folder(folder: Path) -> Diagnostic:
    return Diagnostic(
        code="not-a-folder",
        summary="A file stands where the folder should be",
        detail=f"{folder} is not a folder. Nothing was written.",
        hint="Choose another name, or move the file away.",
    )


def _exists(path: Path) -> Diagnostic:
    return Diagnostic(
        code="file-exists",
        summary="A file is there already",
        detail=f"{path} exists and is not written over. Nothing was written.",
        hint="Choose an empty or a new folder, or move the file away.",
    )


def _unwritable(folder: Path, failure: OSError) -> Diagnostic:
    where = failure.filename or folder
    return Diagnostic(
        code="cannot-write",
        summary="A file cannot be written",
        detail=f"{where}: {failure.strerror or failure}. Nothing was left behind.",
        hint="Choose a folder that you may write to, with some space left.",
    )
