"""`services` as it is written: what runs, and where. A part of `document`; the catalog says what each service is."""

from typing import Annotated

from pydantic import Field

from freehold.config.formats import Line, Word
from freehold.config.host_formats import DnsName
from freehold.config.part import Part
from freehold.model.exposure import Exposure, Login


class ExposePart(Part):
    """Under which name people reach a service, from where, and behind which login. A proxy of the catalog serves it."""

    host: DnsName = Field(description="The DNS name.", examples=["media.example.org"])
    public: bool = Field(
        default=False,
        description="Whether it is reached from the Internet too, not only from inside. Default: `false`.",
        examples=[True],
    )
    auth: Annotated[Login, Field(strict=False)] | None = Field(
        None,
        description="The login in front of it. Default: `two_factor` where it is public, else `none`.",
        examples=["one_factor"],
    )
    reason: Line = Field(
        "",
        description="Why a public one has no login; must be given for `auth: none`.",
        examples=["a page for everybody"],
    )


def exposure_of(part: ExposePart) -> Exposure:
    """The model of one."""
    usual = Login.TWO_FACTOR if part.public else Login.NONE
    login = usual if part.auth is None else part.auth
    return Exposure(host=part.host, public=part.public, login=login, reason=part.reason)


class ServicePart(Part):
    """A service of the catalog on a target."""

    on: Word = Field(description="Where it runs: a host, or DOMAIN/MACHINE.", examples=["cortex"])
    service: Word | None = Field(
        None,
        description="Which entry of the catalog it is. Default: the one that is called like it.",
        examples=["postgresql"],
    )
    description: Line = Field("", description="One line about it.", examples=["films and music"])
    version: Word | None = Field(
        None, description="Its version. Default: the catalog's.", examples=["17.2"]
    )
    image: Word | None = Field(
        None,
        description="Its image, with registry and tag, in place of the catalog's.",
        examples=["registry.example.org/db:17"],
    )
    settings: dict[str, str | int | bool] = Field(
        default_factory=dict,
        description="What the catalog lets one choose.",
        examples=[{"database": "shop"}],
    )
    ports: dict[str, int] = Field(
        default_factory=dict,
        description="Ports opened on the target's own address, by the catalog's names.",
        examples=[{"http": 8080}],
    )
    from_: dict[str, list[Word]] = Field(
        alias="from",
        default_factory=dict,
        description="On a host: who may reach a port, besides the hosts whose services need it: addresses, networks, hosts, `all`. "
        "Default: `all` where the catalog publishes the port, else nobody.",
        examples=[{"http": ["192.168.1.0/24"]}],
    )
    needs: dict[str, Word] = Field(
        default_factory=dict,
        description="Which service meets which need. Default: the only one of that kind.",
        examples=[{"database": "db"}],
    )
    secrets: dict[str, Word] = Field(
        default_factory=dict,
        description="Which secret serves as which. Default: one of its own, called SERVICE_NAME.",
        examples=[{"password": "db_password"}],
    )
    expose: ExposePart | None = Field(
        None, description="The name under which people reach it. Default: it has none."
    )
