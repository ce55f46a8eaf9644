"""`services` as it is written: what runs, and where. A part of `document`; the catalog says what each service is."""

from pydantic import Field

from freehold.config.formats import Line, Word
from freehold.config.part import Part


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
