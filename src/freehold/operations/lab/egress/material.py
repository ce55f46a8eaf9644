"""The files that machines with egress read, in a folder of the lab: certificates, settings of apt and pip.

Written by `process.py` when egress starts; machines see the folder read-only (`machines.py`). It holds no secrets: every
machine reads it.
"""

import json
import re
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from freehold.operations.lab.egress.machines import APT, CERTIFICATES, INSIDE, PIP, PLACES
from freehold.operations.lab.egress.surroundings import Surroundings
from freehold.system.files import write_atomically

_ADDRESS = re.compile(r"\S+")


def write(folder: Path, socket: Path, found: Surroundings) -> tuple[str, ...]:
    """Bring the folder of the proxy at `socket` up to date; what of this computer's settings machines are not given, in sentences.

    The folder itself stays the same one: running machines have it mounted. Raises OSError.
    """
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    pip, notices = _for_machines(found.pip)
    texts = {
        CERTIFICATES: found.bundle.read_text("utf-8", "replace") if found.bundle else "",
        APT: _apt_text(found),
        PIP: _pip_text(pip),
        PLACES: json.dumps({"socket": str(socket), "folder": str(folder)}) + "\n",
    }
    for name, text in texts.items():
        if text:
            write_atomically(folder / name, text)
        else:
            (folder / name).unlink(missing_ok=True)
    return tuple(notices)


def _apt_text(found: Surroundings) -> str:
    settings = dict(found.apt)
    if found.bundle:
        settings["Acquire::https::CaInfo"] = str(INSIDE / CERTIFICATES)
    return "".join(f'{name} "{value}";\n' for name, value in settings.items())


def _pip_text(settings: Mapping[str, str]) -> str:
    lines = [f"{name} = {' '.join(value.split())}\n" for name, value in settings.items()]
    return "".join(["[global]\n", *lines]) if lines else ""


def _for_machines(settings: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The settings without passwords, and without what only this computer can reach."""
    kept: dict[str, str] = {}
    notices: list[str] = []
    for name, value in settings.items():
        words = [word for word in _ADDRESS.findall(value) if not _is_local(word)]
        bare = [_without_login(word) for word in words]
        if bare != words:
            notices.append(f"machines get pip's {name} without its password")
        if len(words) < len(value.split()):
            notices.append(f"machines get no {name} of pip that is on this computer itself")
        if bare:
            kept[name] = " ".join(bare)
    return kept, notices


def _is_local(address: str) -> bool:
    """Whether an index is a folder, or on a server that only this computer calls so."""
    if "://" not in address:
        return "/" in address
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return True
    try:
        return ip_address(parts.hostname).is_loopback
    except ValueError:
        return parts.hostname == "localhost"


def _without_login(address: str) -> str:
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
