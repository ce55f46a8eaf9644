"""The age identity: the private key that opens the secrets. Found where it may be, made on first use. Called by `store`.

`FREEHOLD_AGE_IDENTITY` names its file, else `SOPS_AGE_KEY_FILE` (the variable of SOPS), else it is `freehold/age.txt` in the
user's configuration folder. The file is as `age-keygen` makes it and may hold several; an SSH key does too.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyrage

from freehold.system.secrets import problems

_VARIABLES = ("FREEHOLD_AGE_IDENTITY", "SOPS_AGE_KEY_FILE")
_SSH = b"-----BEGIN "


@dataclass(frozen=True, slots=True)
class Identities:
    """The private keys of a file, and the first one's public key (None for SSH's)."""

    path: Path
    keys: tuple[Any, ...] = field(repr=False)
    public: str | None


def identity_path() -> Path:
    """Where the identity is, or would be made."""
    for variable in _VARIABLES:
        if path := os.environ.get(variable):
            return Path(path).expanduser()
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base, "freehold", "age.txt")


def is_named() -> bool:
    """Whether the user says where the identity is: then none is made for him."""
    return any(os.environ.get(variable) for variable in _VARIABLES)


def read_identities() -> Identities | None:
    """The identities; None where there is no file. Raises BackendError."""
    path = identity_path()
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise problems.fail(problems.bad_identity(path, error.strerror or str(error))) from error
    keys = tuple(_keys(path, content))
    if not keys:
        raise problems.fail(problems.bad_identity(path, "no AGE-SECRET-KEY is in it"))
    first = keys[0]
    public = str(first.to_public()) if hasattr(first, "to_public") else None
    return Identities(path, keys, public)


def make_identity() -> Identities:
    """A new one in its file, readable by its owner alone. Raises BackendError, also where one is there."""
    path = identity_path()
    key = pyrage.x25519.Identity.generate()
    public = str(key.to_public())
    made = f"# created: {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}\n# public key: {public}\n"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_new(path, f"{made}{key}\n".encode("ascii"))
    except OSError as error:
        raise problems.fail(problems.cannot_write(path, error)) from error
    return Identities(path, (key,), public)


def _write_new(path: Path, content: bytes) -> None:
    """Whole, or not at all; never over one that is there: it may be the only one that opens something."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _keys(path: Path, content: bytes) -> Iterator[Any]:
    if content.lstrip().startswith(_SSH):
        try:
            yield pyrage.ssh.Identity.from_buffer(content)
        except Exception as error:
            why = "it is no SSH key that can be used (ed25519 or RSA, without a passphrase)"
            raise problems.fail(problems.bad_identity(path, why)) from error
        return
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
        word = line.strip()
        if not word or word.startswith("#"):
            continue
        try:
            yield pyrage.x25519.Identity.from_str(word)
        except pyrage.IdentityError:
            why = f"line {number} is no AGE-SECRET-KEY"
            raise problems.fail(problems.bad_identity(path, why)) from None
