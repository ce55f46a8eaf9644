"""A server that a machine wants to reach, as requests to a proxy name it. Pure; used all over egress."""

from dataclasses import dataclass
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Target:
    """A host, by name (lower case) or address (without brackets), and a TCP port of it."""

    host: str
    port: int

    @classmethod
    def of_address(cls, address: str) -> "Target":
        """The server of an http or https address. Raises ValueError when the text is no such address."""
        parts = urlsplit(address)
        if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
            raise ValueError("not an http address")
        return cls(parts.hostname, parts.port or _DEFAULT_PORTS[parts.scheme])

    @classmethod
    def of_authority(cls, authority: str) -> "Target":
        """`host:port` as CONNECT names it (RFC 9110, 9.3.6). Raises ValueError when the text is nothing like it."""
        parts = urlsplit(f"//{authority}")
        if not parts.hostname or parts.port is None or parts.path or "@" in authority:
            raise ValueError("not host:port")
        return cls(parts.hostname, parts.port)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
