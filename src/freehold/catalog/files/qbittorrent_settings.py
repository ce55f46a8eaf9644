"""qBittorrent's settings and folders, made before it is started: bound to the tunnel, its password, where it writes. Called by the catalog's
qbittorrent.

It waits for the tunnel first: without one there is nothing that qBittorrent could do, and nothing it should try. What else is in the file,
which is qBittorrent's own, stays. Keys and the form of the password are those of qBittorrent 5 (src/base/preferences.cpp,
src/base/utils/password.cpp); categories stand in a file beside (src/base/bittorrent/sessionimpl.cpp).
"""

import base64
import configparser
import hashlib
import json
import logging
import os
import time
from pathlib import Path

LOG = logging.getLogger("freehold")
WANTED = Path("/run/freehold/qbittorrent.json")
FOLDER = Path("/config/qBittorrent")
DEVICES = Path("/proc/net/dev")
CATEGORIES = ("films", "series", "music")
ROUNDS = 100_000


def main() -> None:
    """Wait, then write both files and make the folders, which may be on a new disk that is root's."""
    wanted = json.loads(WANTED.read_text(encoding="utf-8"))
    wait_for(wanted["interface"])
    FOLDER.mkdir(parents=True, exist_ok=True)
    write(FOLDER / "qBittorrent.conf", settings(FOLDER / "qBittorrent.conf", wanted))
    write(FOLDER / "categories.json", categories(FOLDER / "categories.json", wanted["downloads"]))
    folders(Path(wanted["downloads"]))


def wait_for(interface: str) -> None:
    """Until there is such an interface in this network."""
    told = False
    while f" {interface}:" not in f" {DEVICES.read_text(encoding='ascii')}".replace("\n", " "):
        if not told:
            LOG.warning("waiting for the tunnel %s", interface)
            told = True
        time.sleep(0.5)


def settings(path: Path, wanted: dict[str, object]) -> str:
    """The file with what is wanted in it."""
    found = configparser.RawConfigParser(delimiters=("=",), strict=False)
    found.optionxform = str  # type: ignore[assignment,method-assign] # keys keep their capitals
    found.read(path, encoding="utf-8")
    for section, pairs in sections(wanted).items():
        if not found.has_section(section):
            found.add_section(section)
        for key, value in pairs.items():
            found.set(section, key, str(value))
    lines: list[str] = []
    for section in found.sections():
        lines += [f"[{section}]", *(f"{key}={value}" for key, value in found.items(section)), ""]
    return "\n".join(lines)


def sections(wanted: dict[str, object]) -> dict[str, dict[str, object]]:
    """By section: what stands in its file whatever somebody chose on its pages."""
    downloads = wanted["downloads"]
    password = Path(str(wanted["password_file"])).read_text(encoding="utf-8").strip()
    return {
        "LegalNotice": {"Accepted": "true"},
        "BitTorrent": {
            r"Session\Interface": wanted["interface"],
            r"Session\InterfaceName": wanted["interface"],
            r"Session\Port": wanted["port"],
            r"Session\DefaultSavePath": downloads,
            r"Session\TempPath": f"{downloads}/unfinished",
            r"Session\TempPathEnabled": "true",
            r"Session\Preallocation": "true",  # one that does not fit fails before it has filled the disk
            r"Session\DisableAutoTMMByDefault": "false",
        },
        "Network": {r"PortForwardingEnabled": "false"},
        "Preferences": {
            r"WebUI\Port": wanted["web_port"],
            r"WebUI\Username": wanted["user"],
            r"WebUI\Password_PBKDF2": hashed(password, str(wanted["user"])),
            r"WebUI\LocalHostAuth": "true",
            r"WebUI\ServerDomains": "*",
            r"WebUI\UseUPnP": "false",
        },
    }


def hashed(password: str, user: str) -> str:
    """As it keeps one; the salt follows from the password, so that the same one gives the same file."""
    salt = hashlib.sha256(f"{user}/{password}".encode()).digest()[:16]
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ROUNDS)
    shown = ":".join(base64.b64encode(each).decode() for each in (salt, key))
    return f'"@ByteArray({shown})"'


def categories(path: Path, downloads: object) -> str:
    """A folder for each kind of file; what Radarr and Sonarr hand over is told apart by that."""
    found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for name in CATEGORIES:
        found[name] = {**found.get(name, {}), "save_path": f"{downloads}/{name}"}
    return json.dumps(found, indent=4)


def folders(downloads: Path) -> None:
    """Where it writes, and the library of music, which has no program of its own; the other libraries are made by Radarr and Sonarr."""
    library = downloads.parent / "music"
    made = [] if library.exists() else [library]
    for each in (
        downloads,
        downloads / "unfinished",
        *(downloads / name for name in CATEGORIES),
        *made,
    ):
        try:
            each.mkdir(parents=True, exist_ok=True)
            owned(each)
            each.chmod(0o2775)  # as Radarr and Sonarr make theirs: what lies in them is the group's
        except OSError as error:  # such as a disk of another computer, which has owners of its own
            LOG.warning("%s is not ready to be written to: %s", each, error)


def write(path: Path, text: str) -> None:
    """Replace a file at once, for the program's user."""
    new = path.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    new.chmod(0o600)
    owned(path.parent)
    owned(new)
    new.replace(path)


def owned(path: Path) -> None:
    """It belongs to the program's user."""
    os.chown(path, int(os.environ.get("PUID", "-1")), int(os.environ.get("PGID", "-1")))


if __name__ == "__main__":
    main()
