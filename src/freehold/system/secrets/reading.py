"""A file of secrets, opened: told by its first bytes, deciphered with the user's identity. Called by `store`."""

from dataclasses import dataclass
from pathlib import Path

import pyrage

from freehold.system.secrets import identities as keys
from freehold.system.secrets import problems, sops
from freehold.system.secrets.document import Entries, Unreadable, read_entries
from freehold.system.secrets.identities import Identities

_ARMOUR = b"-----BEGIN AGE ENCRYPTED FILE-----"
_BINARY_AGE = b"age-encryption.org/v1"
_NO_KEY_MATCHES = "No matching keys found"  # of pyrage, whose errors are all of one class


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as it was read; `stamp` tells whether it is another one now."""

    stamp: tuple[int, ...]
    entries: Entries
    of_sops: bool


def stamp_of(path: Path) -> tuple[int, ...] | None:
    """Another one for another content; None where there is no file. Raises BackendError."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise problems.fail(problems.unreadable(path, error.strerror or str(error))) from error
    return status.st_ino, status.st_size, status.st_mtime_ns


def read(path: Path, stamp: tuple[int, ...]) -> Seen:
    """The secrets in a file of age or of SOPS. Raises BackendError."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise problems.fail(problems.unreadable(path, error.strerror or str(error))) from error
    of_age = content.lstrip().startswith((_ARMOUR, _BINARY_AGE))
    text = content.decode("utf-8", "replace")
    if not of_age and not sops.is_sops(text):
        raise problems.fail(problems.not_encrypted(path))
    identities = keys.read_identities()
    if identities is None:
        raise problems.fail(problems.no_identity([keys.identity_path()], path))
    try:
        if of_age:
            entries = read_entries(_opened(path, content.lstrip(), identities))
        else:
            entries = sops.read_sops(text, identities.keys)
    except sops.NoMatchingKey:
        raise problems.fail(problems.not_a_recipient(path, identities.path)) from None
    except Unreadable as problem:
        raise problems.fail(problems.unreadable(path, str(problem).rstrip("."))) from None
    return Seen(stamp, entries, not of_age)


def _opened(path: Path, content: bytes, identities: Identities) -> str:
    try:
        plain: bytes = pyrage.decrypt(content, list(identities.keys))
        return plain.decode("utf-8")
    except pyrage.DecryptError as error:
        if _NO_KEY_MATCHES in str(error):
            raise sops.NoMatchingKey from None
        raise problems.fail(problems.unreadable(path, "it is damaged or was cut off")) from None
    except UnicodeDecodeError:
        raise problems.fail(problems.unreadable(path, "what is in it is not text")) from None
