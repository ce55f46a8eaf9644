"""The proxy that this computer itself must use, and so egress. Used by `process.py`, `way.py` and `exchange.py`."""

import base64
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from freehold.operations.lab.egress.targets import Target

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Upstream:
    """This computer's own proxy. `login` is what its Proxy-Authorization header says, empty for none."""

    target: Target
    tls: bool
    login: bytes

    @classmethod
    def of_address(cls, address: str) -> "Upstream":
        """`http://name:password@host:port`, as http_proxy holds it. Raises ValueError for another kind of proxy."""
        parts = urlsplit(address if "://" in address else f"http://{address}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(parts.scheme)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        login = b""
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            login = b"Basic " + base64.b64encode(pair.encode())
        return cls(Target(parts.hostname, port), parts.scheme == "https", login)

    @property
    def headers(self) -> Headers:
        return [(b"Proxy-Authorization", self.login)] if self.login else []
