"""The encrypted file, opened at the first question: most plans ask none, and what opens it takes 30 ms to import. Made by `cli`."""

import functools
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from freehold.system.secrets.store import SecretsFile


class LateSecrets:
    """The secrets in one folder, as `SecretsFile` has them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @functools.cached_property
    def file(self) -> "SecretsFile":
        """The store itself, for what only it can do."""
        from freehold.system.secrets.store import SecretsFile

        return SecretsFile(self._folder)

    def names(self) -> Collection[str]:
        return self.file.names()

    def value(self, name: str) -> bytes:
        return self.file.value(name)

    def fingerprint(self, name: str) -> str:
        return self.file.fingerprint(name)

    def put(self, name: str, value: bytes) -> None:
        self.file.put(name, value)

    def add(self, name: str, value: bytes) -> bool:
        return self.file.add(name, value)

    def remove(self, name: str) -> None:
        self.file.remove(name)
