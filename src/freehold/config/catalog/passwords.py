"""Passwords as hashes, for services that keep their users in a file: the filter `pbkdf2_sha512` of templates. Pure.

Used by `templates`; `providers.compose.content` has stand-ins go through it while a file is only compared and not delivered.
"""

import hashlib
from base64 import b64encode

ITERATIONS = 310_000
"""What Authelia takes itself (authelia.com/configuration/first-factor/file/, `pbkdf2`): a quarter of a second."""

_SALT_BYTES = 16


class StandIn(str):
    """What stands for a secret where two files are only compared: hashing it would take time and tell nothing more."""

    __slots__ = ()


def pbkdf2_sha512(password: str, place: str) -> str:
    """A password in the modular crypt format: `$pbkdf2-sha512$ITERATIONS$SALT$KEY`, both in base64 with `.` for `+` and unpadded.

    `place` is whose password it is, and where. The salt is made of it: the same password gives the same text each time, so a file that did
    not change is the same file; and two users, or two estates, with one password have different hashes.
    """
    if isinstance(password, StandIn):
        return password
    salt = hashlib.sha256(place.encode()).digest()[:_SALT_BYTES]
    secret = password.encode("utf-8", "surrogateescape")
    key = hashlib.pbkdf2_hmac("sha512", secret, salt, ITERATIONS)
    return f"$pbkdf2-sha512${ITERATIONS}${_adapted(salt)}${_adapted(key)}"


def _adapted(value: bytes) -> str:
    return b64encode(value, altchars=b"./").decode().rstrip("=")
