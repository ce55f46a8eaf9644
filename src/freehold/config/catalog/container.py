"""`container` of a descriptor as it is written. A part of `document`; what it says is Docker Compose's, in plain words."""

from pydantic import Field

from freehold.config.catalog.formats import Digest, Image, Name, TargetPath, Version, When
from freehold.config.formats import AbsolutePath, DurationText, Word
from freehold.config.part import Part


class MountPart(Part):
    """A folder or file of the target that the container sees."""

    source: TargetPath = Field(
        description="Its path on the target; a template.", examples=["/srv/media"]
    )
    read_only: bool = Field(
        default=True, description="Whether it cannot change it. Default: `true`.", examples=[False]
    )
    follow: bool = Field(
        default=False,
        description="Whether it sees what is mounted below it later. Default: `false`.",
        examples=[True],
    )


class ContainerPart(Part):
    """The service as a container. Words of commands and values of `environment` are templates."""

    image: Image = Field(
        description="Its image with the registry, without a tag.",
        examples=["docker.io/library/postgres"],
    )
    images: dict[When, Image] = Field(
        default_factory=dict,
        description="Another one, with the same tags, where a setting asks for it, by `when` as secrets have it; of several the first.",
        examples=[{"storage=s3": "docker.io/example/store-s3"}],
    )
    tag: Word = Field(
        "{{ version }}",
        description="The image's tag, made of the version. Default: `{{ version }}`.",
        examples=["v{{ version }}"],
    )
    digests: dict[Version, Digest] = Field(
        default_factory=dict, description="Pins of versions: the digest of the image."
    )
    command: list[str] = Field(
        default_factory=list,
        description="In place of the image's own command.",
        examples=[["redis-server", "/etc/redis.conf"]],
    )
    entrypoint: list[str] = Field(
        default_factory=list,
        description="In place of the image's own entry point.",
        examples=[["/bin/sh", "-c"]],
    )
    user: Word | None = Field(
        None, description="Who runs it. Default: the image's own user.", examples=["999:999"]
    )
    environment: dict[Word, str] = Field(
        default_factory=dict,
        description="Its environment. Secrets have no place in it.",
        examples=[{"TZ": "UTC"}],
    )
    mounts: dict[AbsolutePath, MountPart] = Field(
        default_factory=dict,
        description="What of the target it sees, by the path in the container.",
    )
    capabilities: list[Word] = Field(
        default_factory=list,
        description="Capabilities of Linux beyond Docker's own.",
        examples=[["NET_ADMIN"]],
    )
    devices: list[Word] = Field(
        default_factory=list, description="Devices of the target.", examples=[["/dev/dri"]]
    )
    read_only: bool = Field(
        default=False,
        description="Whether its own file system cannot be changed. Default: `false`.",
        examples=[True],
    )
    tmpfs: list[AbsolutePath] = Field(
        default_factory=list, description="Folders kept in memory.", examples=[["/run/app"]]
    )
    host_network: bool = Field(
        default=False,
        description="Whether it has the target's own network in place of one of its own. Default: `false`.",
        examples=[True],
    )
    network_of: Name | None = Field(
        None,
        description="A need on the same target: it has the network of that service in place of one of its own, and reaches nothing but by it.",
        examples=["vpn"],
    )
    privileged: bool = Field(
        default=False,
        description="Whether it may do to the target whatever root may, devices included. Default: `false`.",
        examples=[True],
    )
    stop: DurationText = Field(
        30, description="How long it may take to stop. Default: `30s`.", examples=["2m"]
    )
