"""Services that people reach by a name: under which, from where, and behind which login. No I/O.

`config` makes one of `expose`; `wiring` turns them into routes, probes and what the login has to know.
"""

from dataclasses import dataclass
from enum import StrEnum

LOGIN_NEED = "login"
"""What a proxy calls its need for the service that asks visitors who they are."""


class Login(StrEnum):
    """What somebody must show before he gets through: nothing, a password, or that and a second thing."""

    NONE = "none"
    ONE_FACTOR = "one_factor"
    TWO_FACTOR = "two_factor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """`host` is the DNS name. `public`: also from the Internet, else only from inside. `reason` says why a public one has no login."""

    host: str
    public: bool = False
    login: Login = Login.NONE
    reason: str = ""
