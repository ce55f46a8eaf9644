"""`hosts` as it is written: computers that already exist and are reached by SSH. A part of `document`; `build` calls `host_of`."""

from typing import Annotated

from pydantic import Field

from freehold.config.formats import Line
from freehold.config.host_formats import HostAddress, KeyFile, User
from freehold.config.part import Part
from freehold.config.provision import Provision as ProvisionPart
from freehold.model.hosts import SSH_PORT, Architecture, Host, Ssh
from freehold.model.provision import Provision


class SshPart(Part):
    """A way into a computer."""

    user: User = Field(
        "root", description="Who logs in; root, or one who may `sudo` without a password. Default: `root`.", examples=["orion"]
    )  # fmt: skip
    port: int = Field(
        SSH_PORT, ge=1, le=65535, description="The port of its SSH. Default: `22`.", examples=[2222]
    )
    key: KeyFile | None = Field(
        None,
        description="File of the private key. Default: what OpenSSH chooses.",
        examples=["~/.ssh/id_ed25519"],
    )


class HostPart(Part):
    """A computer that already exists."""

    address: HostAddress = Field(
        description="Its IP address or DNS name.", examples=["203.0.113.20"]
    )
    ssh: SshPart = Field(default_factory=SshPart, description="How it is to be entered.")
    first: SshPart | None = Field(
        None,
        description="How it can be entered as it was delivered, while `ssh` does not answer yet.",
    )
    arch: Annotated[Architecture, Field(strict=False)] = Field(
        Architecture.AMD64, description="Its processor. Default: `amd64`.", examples=["arm64"]
    )
    description: Line = Field("", description="One line about it.", examples=["in the cellar"])
    provision: ProvisionPart = Field(default_factory=ProvisionPart, description="What goes inside.")


def host_of(name: str, part: HostPart, provision: Provision) -> Host:
    """The model of one; `provision` is all that goes inside."""
    return Host(
        name=name,
        address=part.address,
        ssh=_ssh(part.ssh),
        first=None if part.first is None else _ssh(part.first),
        architecture=part.arch,
        description=part.description,
        provision=provision,
    )


def _ssh(part: SshPart) -> Ssh:
    return Ssh(user=part.user, port=part.port, key=part.key)
