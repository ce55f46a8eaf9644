"""What Freehold may ask of the secrets of an estate: the protocol of the encrypted file and of the fake.

Called by `providers.secrets` and by providers that deliver them; `cli.secret` changes them. Values never leave by anything
but `value`, and whoever asks for one hands it over as a file or on standard input only.
"""

from collections.abc import Collection, Mapping
from typing import Protocol

NOT_YET = "to be generated"
"""The fingerprint of a secret that does not exist yet. A plan shows it; a step that keeps fields runs after the secret was made
and asks for the fingerprint again (`settled`), so that the next look finds what was kept."""


class Secrets(Protocol):
    """The secrets in one folder. Every method raises BackendError when the file cannot be read or deciphered."""

    def names(self) -> Collection[str]:
        """Which there are; none where there is no file."""

    def value(self, name: str) -> bytes:
        """The secret itself. Raises BackendError where there is none of that name."""

    def fingerprint(self, name: str) -> str:
        """Tells two values of a secret apart and nothing about either: keyed with what only the file's readers know.

        NOT_YET where there is none of that name.
        """

    def put(self, name: str, value: bytes) -> None:
        """Keep a secret under this name, in place of the one that was there."""

    def add(self, name: str, value: bytes) -> bool:
        """Keep a secret unless there is one of that name already; whether it was kept."""

    def remove(self, name: str) -> None:
        """Forget it. Raises BackendError where there is none of that name."""


def settled(fingerprints: Mapping[str, str], secrets: Secrets) -> dict[str, str]:
    """The same, by names of secrets, with the fingerprints of those that have been made meanwhile."""
    return {
        name: secrets.fingerprint(name) if known == NOT_YET else known
        for name, known in fingerprints.items()
    }
