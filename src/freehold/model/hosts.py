"""Computers that already exist and are reached by SSH, as typed values: what `config` makes of `hosts`. No I/O."""

from dataclasses import dataclass
from enum import StrEnum

from freehold.model.provision import NOTHING, Provision

SSH_PORT = 22  # RFC 4253, section 4


class Architecture(StrEnum):
    """What a computer's processor is, in Debian's and Docker's words."""

    AMD64 = "amd64"
    ARM64 = "arm64"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ssh:
    """How a computer is entered. `key` is the path of the private key, None where OpenSSH is to choose."""

    user: str = "root"
    port: int = SSH_PORT
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A computer. `address` is an IP address or a DNS name.

    `ssh` is the way in that is to be; `first` the one that the computer was delivered with, where that is another:
    it is tried when `ssh` does not answer. `provision` is all that goes inside; its variables are its own.
    """

    name: str
    address: str
    ssh: Ssh = Ssh()
    first: Ssh | None = None
    architecture: Architecture = Architecture.AMD64
    description: str = ""
    provision: Provision = NOTHING

    @property
    def key(self) -> str:
        """How the user names it everywhere; machines have a domain in front."""
        return self.name
