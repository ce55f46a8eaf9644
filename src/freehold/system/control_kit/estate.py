"""The estate's folder as one archive. Called by `__main__`.

All of it but what is hidden: what Git keeps, what Freehold notes, an environment with passwords.
"""

import tarfile
from pathlib import Path

LARGEST = 64 * 1024 * 1024  # bytes
_OWN_BITS = 0o700


class TooLarge(Exception):
    """The folder holds more than belongs to an estate."""


def make_archive(estate: Path, path: Path) -> Path:
    """Write it to `path`; everything in it belongs to root alone. Raises OSError, TooLarge."""
    size = 0

    def taken(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
        nonlocal size
        name = Path(entry.name).name
        if (name.startswith(".") and entry.name != ".") or name == "__pycache__":
            return None
        size += entry.size
        if size > LARGEST:
            raise TooLarge(f"{estate} holds more than {LARGEST // 1024 // 1024} MiB")
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        entry.mode &= _OWN_BITS
        return entry

    with tarfile.open(path, "w:gz") as archive:
        archive.add(estate, ".", filter=taken)
    return path
