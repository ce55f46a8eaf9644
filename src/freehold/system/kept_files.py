"""Files of the user's that a program changes in places: read and written byte for byte, whole or not at all.

What the file was stays: permissions, owner, the link that leads to it. Called by `providers.ansible`.
"""

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from threading import Lock

LARGEST = 8 * 1024 * 1024  # bytes
_NEW_MODE = 0o644
_NEW_FOLDER_MODE = 0o755
_making = Lock()  # of folders; files of one are written by several threads


class Unusable(Exception):
    """The file cannot be worked with; the message is the end of a sentence that begins with its name."""


def read(folder: Path, name: str) -> bytes | None:
    """The content of a file below `folder`; None when there is none. Raises Unusable."""
    path = folder / name
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a device, pipe or socket"
            raise Unusable(f"is {kind}, not a file")
        _stays_inside(folder, path)
        if status.st_size > LARGEST:
            raise Unusable(f"is larger than {LARGEST // 1024 // 1024} MiB")
        return path.read_bytes()
    except FileNotFoundError:
        if path.is_symlink():
            raise Unusable("is a link that leads nowhere") from None
        _stays_inside(folder, path)
        return None
    except NotADirectoryError as error:
        raise Unusable(f"cannot be made: `{path.parent}` is not a folder") from error
    except OSError as error:
        raise Unusable(f"cannot be read: {error.strerror or error}") from error


def refuses_writing(folder: Path, name: str) -> str | None:
    """Why the file could not be written, None when nothing is known to be in the way."""
    path = folder / name
    if path.exists() and not path.stat().st_mode & 0o222:  # root could; somebody has said not to
        return f"`{path}` is read-only"
    real = path.resolve().parent
    while not real.exists():
        real = real.parent
    if not os.access(real, os.W_OK | os.X_OK):
        return f"`{real}` may not be written to"
    return None


def write(folder: Path, name: str, content: bytes, *, mode: int | None = None) -> None:
    """Replace the content in one step. Folders that are missing are made. Raises OSError, Unusable.

    `mode` are the permissions from then on; without it those of a file that is there stay.
    """
    path = folder / name
    _make_folders(path)
    _stays_inside(folder, path)
    real = path.resolve()
    handle, temporary = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        exists = real.exists()
        kept = stat.S_IMODE(real.stat().st_mode) if exists else _NEW_MODE
        os.chmod(temporary, kept if mode is None else mode)
        _give(Path(temporary), real if exists else real.parent)
        os.replace(temporary, real)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def delete(folder: Path, name: str) -> None:
    """Take the file away; a link to it too, and not what it leads to outside of the folder. Raises OSError."""
    (folder / name).unlink(missing_ok=True)


def _stays_inside(folder: Path, path: Path) -> None:
    if not path.resolve().is_relative_to(folder.resolve()):
        raise Unusable("is a link that leads out of the estate's folder")


def _make_folders(path: Path) -> None:
    """Those above the file that are missing. One after another: whoever finds one there takes the owner from it."""
    with _making:
        for missing in reversed([each for each in path.parents if not each.exists()]):
            missing.mkdir(mode=_NEW_FOLDER_MODE)
            _give(missing, missing.parent)


def _give(path: Path, like: Path) -> None:
    """The same owner as another one's: who runs this as root goes on editing as somebody else."""
    owner = like.stat()
    with suppress(PermissionError):
        os.chown(path, owner.st_uid, owner.st_gid)
