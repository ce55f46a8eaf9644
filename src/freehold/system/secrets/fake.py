"""Secrets in memory: what tests use in place of the encrypted file. It passes the same contract tests."""

import hashlib
import hmac
import secrets
from collections.abc import Collection, Mapping

from freehold.diagnostics import BackendError
from freehold.system.secrets import problems
from freehold.system.secrets.api import NOT_YET


class FakeSecrets:
    """The secrets of an estate that is not on any disk."""

    def __init__(self, values: Mapping[str, bytes] | None = None) -> None:
        self._values = dict(values or {})
        self._key = secrets.token_bytes(32)

    def names(self) -> Collection[str]:
        return tuple(sorted(self._values))

    def value(self, name: str) -> bytes:
        if name not in self._values:
            raise BackendError(problems.unknown(name, self._values))
        return self._values[name]

    def fingerprint(self, name: str) -> str:
        if name not in self._values:
            return NOT_YET
        message = name.encode() + b"\0" + self._values[name]
        return hmac.new(self._key, message, hashlib.sha256).hexdigest()[:16]

    def put(self, name: str, value: bytes) -> None:
        problems.refuse_unusable(name, value)
        self._values[name] = value

    def add(self, name: str, value: bytes) -> bool:
        if name in self._values:
            return False
        self.put(name, value)
        return True

    def remove(self, name: str) -> None:
        self.value(name)
        del self._values[name]
