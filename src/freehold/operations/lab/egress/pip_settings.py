"""This computer's settings of pip that say where packages are: read here, since pip itself need not be installed.

Called by `surroundings.py`. Places and precedence are those of pip's documentation, under "Configuration".
"""

import configparser
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

NAMES = ("index-url", "extra-index-url", "trusted-host")
_SECTIONS = ("global", "install")  # the later counts


def pip_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Those of NAMES that are set, as pip would have them here."""
    found: dict[str, str] = {}
    for path in _files(environment):
        found |= _settings_in(path)
    for name in NAMES:
        if value := environment.get(f"PIP_{name.upper().replace('-', '_')}"):
            found[name] = value
    return found


def _files(environment: Mapping[str, str]) -> Iterator[Path]:
    """pip's configuration files, the later counting more; none when PIP_CONFIG_FILE is os.devnull."""
    named = environment.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return
    home = Path(environment.get("HOME") or "/root")
    folders = environment.get("XDG_CONFIG_DIRS") or "/etc/xdg"
    yield from (Path(folder, "pip", "pip.conf") for folder in reversed(folders.split(os.pathsep)))
    yield Path("/etc/pip.conf")
    yield home / ".pip" / "pip.conf"
    yield Path(environment.get("XDG_CONFIG_HOME") or home / ".config", "pip", "pip.conf")
    yield Path(sys.prefix, "pip.conf")
    if named:
        yield Path(named)


def _settings_in(path: Path) -> dict[str, str]:
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, configparser.Error):
        return {}  # pip itself will complain where the user sees it
    found: dict[str, str] = {}
    for section in _SECTIONS:
        for name in NAMES:
            # pip takes both spellings
            for spelling in (name, name.replace("-", "_")):
                if value := parser.get(section, spelling, fallback=""):
                    found[name] = value
    return found
