"""New values of secrets. Called by `providers.secrets` for those that are absent, and by `freehold secret rotate`."""

import secrets
import string

ALPHABET = string.ascii_letters + string.digits
"""Nothing that a URL, a shell or a configuration file reads as anything but itself."""

SHORTEST = 16  # characters: 95 bits


def generated(length: int) -> bytes:
    """A value of `length` characters, from the operating system's source of random numbers."""
    return "".join(secrets.choice(ALPHABET) for _ in range(max(length, SHORTEST))).encode("ascii")
