"""Who may see the pages: whoever has the token, under a name that is this computer's own. Used by `server`.

The token comes once, in the address; from then on a cookie stands for it, which no script can read and no other site can have sent
along. Browsers send a cookie to every port of a computer (RFC 6265, section 8.5), so this one is bound to a path that nobody else knows.
A page of another site that has its name resolve to this computer (DNS rebinding) is refused by the name it asks under.
"""

import hmac
import secrets
import socket
from dataclasses import dataclass, field
from ipaddress import ip_address


def new_token() -> str:
    """256 bits, as they may stand in an address."""
    return secrets.token_urlsafe(32)


def _new_root() -> str:
    return f"/{secrets.token_urlsafe(16)}/"


@dataclass(frozen=True, slots=True)
class Guard:
    """Of one server, listening at `port`; `session` is what its cookie holds, `root` the path that its pages are beneath."""

    token: str
    port: int
    session: str = field(default_factory=new_token)
    root: str = field(default_factory=_new_root)

    @property
    def cookie(self) -> str:
        """Its name."""
        return f"freehold-ui-{self.port}"

    def is_token(self, given: str) -> bool:
        return _same(given, self.token)

    def is_session(self, given: str) -> bool:
        return _same(given, self.session)

    def knows_host(self, header: str) -> bool:
        """Whether the header Host is an address, `localhost` or this computer's name: nothing that somebody else's DNS decides.

        The port may be another than ours: that of the end of a tunnel that leads here.
        """
        host = _name_in(header)
        return _is_address(host) or host.lower().rstrip(".") in _own_names()


def _same(given: str, kept: str) -> bool:
    """Compared in a time that does not tell how much of it is right."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), kept.encode())


def _name_in(header: str) -> str:
    """`127.0.0.1:8765`, `localhost:8765` and `[::1]:8765` without the port."""
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.partition(":")[0]


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _own_names() -> set[str]:
    return {"localhost", socket.gethostname().lower()} - {""}
