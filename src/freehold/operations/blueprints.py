"""The blueprints: complete estates that come with Freehold as data. Called by `initialise` and by `cli.init`."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

INFRA_FILE = "infra.yml"
DEFAULT_BLUEPRINT = "workstation"
_EVERY = "_every"
"""The folder of what every estate's folder gets; no blueprint's name begins with `_`."""


@dataclass(frozen=True, slots=True)
class Blueprint:
    """`summary` is the first comment of its infra.yml; `files` maps paths inside the estate's folder to texts."""

    name: str
    summary: str
    files: dict[str, str]


@cache
def blueprints() -> dict[str, Blueprint]:
    """All blueprints by name, in the order of their names."""
    folders = (
        entry for entry in files("freehold").joinpath("blueprints").iterdir() if entry.is_dir()
    )
    found = {folder.name: _texts(folder) for folder in folders if not folder.name.startswith("_")}
    return {
        name: Blueprint(name, _summary(texts[INFRA_FILE]), texts)
        for name, texts in sorted(found.items())
        if INFRA_FILE in texts
    }


@cache
def shared_files() -> dict[str, str]:
    """What every blueprint has besides its own files, by path."""
    return _texts(files("freehold").joinpath("blueprints", _EVERY))


def _texts(folder: Traversable, prefix: str = "") -> dict[str, str]:
    result: dict[str, str] = {}
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            result |= _texts(entry, f"{prefix}{entry.name}/")
        else:
            result[prefix + entry.name] = entry.read_text(encoding="utf-8")
    return result


def _summary(text: str) -> str:
    """The first line of a comment that is meant for people."""
    for line in text.splitlines():
        said = line.removeprefix("#").strip()
        if not line.startswith("#"):
            return ""
        if said and not said.startswith("yaml-language-server:"):
            return said
    return ""
