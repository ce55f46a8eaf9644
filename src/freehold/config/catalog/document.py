"""A descriptor as it is written: the one description from which validation, the JSON Schema and the reference page come.

`catalog` validates `catalog/NAME.yml` against `DescriptorDocument`; `build` turns it into `model.descriptors.Descriptor`.
"""

from typing import Annotated

from pydantic import AfterValidator, Field

from freehold.config.catalog.container import ContainerPart
from freehold.config.catalog.formats import (
    Day,
    GivenBy,
    Name,
    Owner,
    SharedSecret,
    SourceFile,
    Version,
    When,
)
from freehold.config.formats import AbsolutePath, DurationText, Line, SizeText, Word, refuse
from freehold.config.inside_formats import FileMode, RoleName
from freehold.config.language import Language
from freehold.config.part import Part
from freehold.model.descriptors import AlertSeverity, Reach, SettingKind
from freehold.model.hosts import Architecture
from freehold.model.protocols import Protocol

Plain = str | int | bool


def _with_ports(protocol: Protocol) -> Protocol:
    if protocol is Protocol.ICMP:
        refuse("invalid-value", "ICMP has no ports.", "Write `protocol: tcp` or `protocol: udp`.")
    return protocol


class ChartPart(Part):
    """The service as a Helm chart of its makers, for clusters."""

    repository: Word = Field(
        description="Where the chart is kept.", examples=["https://charts.example.org"]
    )
    name: Word = Field(description="The chart's name.", examples=["grafana"])
    version: Version = Field(description="The chart's version.", examples=["8.5.1"])


class SettingPart(Part):
    """Something that the user of the service may choose, as `settings.NAME` in templates."""

    description: Line = Field(description="One line about it.", examples=["Name of the database"])
    kind: Annotated[SettingKind, Field(strict=False)] | None = Field(
        None, description="What its value is. Default: what `default` is, else text.", examples=["number"]
    )  # fmt: skip
    default: Plain | None = Field(
        None, description="Its value unless said otherwise. Without one it must be given.", examples=["app"]
    )  # fmt: skip
    choices: list[Plain] = Field(
        default_factory=list,
        description="The only values that it may have. Default: any.",
        examples=[["debug", "info"]],
    )


class PortPart(Part):
    """A port on which the service listens, as `ports.NAME` in templates."""

    number: int = Field(ge=1, le=65535, description="Its number.", examples=[5432])
    protocol: Annotated[Protocol, Field(strict=False), AfterValidator(_with_ports)] = Field(
        Protocol.TCP, description="`tcp` or `udp`. Default: `tcp`.", examples=["udp"]
    )
    network: Name = Field(
        "internal",
        description="Purpose of the network on which it is reached: services of one target meet where they share one. "
        "Default: `internal`.",
        examples=["database"],
    )
    scheme: Word | None = Field(
        None, description="What is spoken on it, as in a URL.", examples=["http"]
    )
    published: bool = Field(
        default=False,
        description="Whether it is open on the target's own address to everybody, also when no service elsewhere needs it. Default: `false`.",
        examples=[True],
    )
    ipv4_only: bool = Field(
        default=False,
        description="Whether it is never open on the target's IPv6 addresses: Docker hides who comes over those. For services to which it matters whence "
        "a client comes. Default: `false`.",
        examples=[True],
    )


class DataPart(Part):
    """A folder whose content outlives the container: a volume of its own."""

    path: AbsolutePath = Field(description="Where the container has it.", examples=["/data"])
    description: Line = Field("", description="One line about it.", examples=["The database"])
    backup: bool = Field(
        default=True, description="Whether it is backed up. Default: `true`.", examples=[False]
    )
    pre: list[str] = Field(
        default_factory=list,
        description="A command that runs in the container before a backup, to make the content consistent. Its words are templates.",
        examples=[["redis-cli", "save"]],
    )
    post: list[str] = Field(
        default_factory=list,
        description="A command that runs after a backup, whether it succeeded or not.",
        examples=[["rm", "-f", "/data/export.sql"]],
    )


class FilePart(Part):
    """A configuration file, read-only in the container."""

    content: str | None = Field(
        None, description="What it holds; a template.", examples=["port 6379\n"]
    )
    source: SourceFile | None = Field(
        None,
        description="In place of `content`: a file below the descriptor's own folder, taken as it is. It is no template.",
        examples=["files/app.py"],
    )
    mode: FileMode = Field(
        "0644", description='Its permissions. Default: `"0644"`.', examples=["0640"]
    )
    owner: Owner = Field("0:0", description="UID:GID. Default: `0:0`.", examples=["999:999"])
    secret: bool = Field(
        default=False,
        description='Whether it holds secrets, `secret("NAME")` in its template. Default: `false`.',
        examples=[True],
    )


class SecretPart(Part):
    """A secret that the service reads from a file; `secrets.NAME` in templates is the file's path."""

    description: Line = Field(description="One line about it.", examples=["Password of the owner"])
    path: AbsolutePath | None = Field(
        None,
        description="Where the container has it. Default: `/run/secrets/NAME`.",
        examples=["/run/secrets/password"],
    )
    owner: Owner = Field("0:0", description="UID:GID. Default: `0:0`.", examples=["999:999"])
    mode: FileMode = Field(
        "0400", description='Its permissions. Default: `"0400"`.', examples=["0440"]
    )
    length: int = Field(
        32,
        ge=8,
        le=256,
        description="How many characters a generated one has. Default: `32`.",
        examples=[64],
    )
    shared_with: SharedSecret | None = Field(
        None,
        description="NEED.SECRET: it is the secret of the service that meets this need; without such a service there is none. Default: one of its own.",
        examples=["database.password"],
    )
    generated: bool = Field(
        default=True,
        description="Whether one that is absent may be generated. `false` for what somebody else gives, such as a token. Default: `true`.",
        examples=[False],
    )
    from_: GivenBy | None = Field(
        None,
        alias="from",
        description="The place in infra.yml that names the secret: `alerts.telegram.token`. Where infra.yml has no such place, the service does without it.",
        examples=["alerts.telegram.token"],
    )
    when: When | None = Field(
        None,
        description="The setting with which it is there at all, SETTING=VALUE, or SETTING for anything but nothing and `false`. Else `secrets.NAME` is none "
        "in templates. Default: always.",
        examples=["storage=postgresql"],
    )
    takeover: list[str] = Field(
        default_factory=list,
        description="For a service that reads the file at its very first start alone: a command that has it keep what the file says. It runs "
        "in the container whenever that was made anew and is healthy, until it ends with 0. It takes the value from the file, never as an "
        "argument, and may run any number of times. Its words are templates. Default: another value takes no more than a restart.",
        examples=[["app-admin", "set-password", "--from-file", "{{ secrets.password }}"]],
    )


class HealthPart(Part):
    """How to see that the service serves: a command in the container that ends with 0."""

    command: list[str] = Field(
        min_length=1, description="The command; its words are templates.", examples=[["pg_isready"]]
    )
    interval: DurationText = Field(
        10, description="Time between two looks. Default: `10s`.", examples=["30s"]
    )
    timeout: DurationText = Field(
        5, description="How long one may take. Default: `5s`.", examples=["10s"]
    )
    retries: int = Field(
        3, ge=1, le=100, description="How many failures make it unhealthy. Default: `3`.", examples=[5]
    )  # fmt: skip
    start: DurationText = Field(
        60, description="How long it may take until it serves. Default: `60s`.", examples=["3m"]
    )


class MetricsPart(Part):
    """Where the service tells what it measures, in Prometheus's format."""

    port: Name = Field(description="One of its ports.", examples=["http"])
    path: AbsolutePath = Field(
        "/metrics", description="Default: `/metrics`.", examples=["/api/metrics"]
    )


class AlertPart(Part):
    """When somebody must be told. The service's metrics carry the label `service`."""

    expression: str = Field(
        description="PromQL that yields something when it is time; a template.",
        examples=['up{service="{{ service.name }}"} == 0'],
    )
    for_: DurationText = Field(
        300,
        alias="for",
        description="How long it must hold before. Default: `5m`.",
        examples=["10m"],
    )
    severity: Annotated[AlertSeverity, Field(strict=False)] = Field(
        AlertSeverity.WARNING,
        description="How bad it is. Default: `warning`.",
        examples=["critical"],
    )
    summary: Line = Field(
        description="One line that says what is the case; a template.",
        examples=["{{ service.name }} does not answer"],
    )


class NeedPart(Part):
    """Another service without which this one does not work; it is started before, and must be healthy."""

    service: Word = Field(description="Its name in the catalog.", examples=["postgresql"])
    ports: list[Name] = Field(
        default_factory=list,
        description="Which of its ports are used, `needs.NAME.ports.PORT` in templates. Default: its first.",
        examples=[["postgresql"]],
    )
    calls_back: list[Name] = Field(
        default_factory=list,
        description="Ports of this service that the other one connects to in turn, without waiting for it; `needs.NAME.calls_back.PORT` says where it "
        "finds them. Networks, open ports and policies follow.",
        examples=[["http"]],
    )
    apart: bool = Field(
        default=False,
        description="Whether the two should be on different targets, because the one watches the other. Default: `false`.",
        examples=[True],
    )
    optional: bool = Field(
        default=False,
        description="Whether it works without: `needs.NAME` is then none in templates. Default: `false`.",
        examples=[True],
    )
    when: When | None = Field(
        None,
        description="The setting with which it is a need at all, SETTING=VALUE, or SETTING for anything but nothing and `false`. Default: always.",
        examples=["storage=postgresql"],
    )


class DescriptorDocument(Part):
    """What a service is, wherever it runs: the whole of `catalog/NAME.yml`.

    It needs one of `container`, `role` and `chart`. Templates are Jinja's; they see `service.name`, `version`, `settings.NAME`,
    `ports.NAME`, `secrets.NAME` (the path of its file), `needs.NAME` with `host`, `ports.NAME`, `addresses.NAME` and `settings.NAME`, and `estate`.
    """

    title: Line = Field(description="What people call it.", examples=["PostgreSQL"])
    description: Line = Field(
        description="One line about what it is for.", examples=["A relational database"]
    )
    website: Word | None = Field(
        None, description="Where its makers explain it.", examples=["https://www.postgresql.org"]
    )
    version: Version = Field(description="The version that is used by default.", examples=["17.6"])
    ends: dict[Version, Day] = Field(
        default_factory=dict,
        description="The day on which its makers stop mending, by line of versions: `17` is that of 17.6.",
        examples=[{"17": "2029-11-08"}],
    )
    replaced_by: Word | None = Field(
        None,
        description="The entry of the catalog that took its place: whoever uses it is told.",
        examples=["alloy"],
    )
    architectures: list[Annotated[Architecture, Field(strict=False)]] = Field(
        default_factory=lambda: list(Architecture),
        min_length=1,
        description="Processors on which it runs. Default: `[amd64, arm64]`.",
        examples=[["amd64"]],
    )
    container: ContainerPart | None = Field(
        None, description="The service as a container, run by Docker Compose."
    )
    role: RoleName | None = Field(
        None,
        description="The Ansible role that installs it, where there is no container. Its settings are variables ROLE_SETTING.",
        examples=["node_exporter"],
    )
    chart: ChartPart | None = Field(None, description="The service as a Helm chart.")
    settings: dict[Name, SettingPart] = Field(
        default_factory=dict, description="What one may choose, by name."
    )
    ports: dict[Name, PortPart] = Field(
        default_factory=dict, description="Where it listens; the port that it is for comes first."
    )
    data: dict[Name, DataPart] = Field(default_factory=dict, description="What it keeps, by name.")
    files: dict[AbsolutePath, FilePart] = Field(
        default_factory=dict, description="Configuration files, by their path in the container."
    )
    secrets: dict[Name, SecretPart] = Field(
        default_factory=dict, description="Secrets that it reads, by name."
    )
    health: HealthPart | None = Field(None, description="How to see that it serves.")
    metrics: MetricsPart | None = Field(None, description="What it measures.")
    alerts: dict[Word, AlertPart] = Field(
        default_factory=dict, description="When somebody must be told, by name."
    )
    dashboards: list[Word] = Field(
        default_factory=list,
        description="Pages that others made for Grafana, by their numbers at grafana.com: for people to import, Freehold does not.",
        examples=[["1860"]],
    )
    needs: dict[Name, NeedPart] = Field(
        default_factory=dict, description="Other services that it needs, by what they are to it."
    )
    reaches: list[Annotated[Reach, Field(strict=False)]] = Field(
        default_factory=list,
        description="Ports of all other services that it connects to, without waiting for them: those with `metrics`; those that `expose` gives a "
        "name, to serve them under it (`exposed`); those, and the first of each service without `metrics`, to see whether they answer (`probed`). "
        "Networks, open ports and policies follow.",
        examples=[["metrics"]],
    )
    exposes: Name | None = Field(
        None, description="The port that people open in a browser.", examples=["http"]
    )
    cpu: float | None = Field(
        None, gt=0, le=1024, description="CPUs that it takes at rest.", examples=[0.5]
    )
    memory: SizeText | None = Field(
        None, description="Memory that it takes at rest, with little data.", examples=["256MiB"]
    )


DESCRIPTOR = Language(document=DescriptorDocument, page="docs/reference/descriptors.md")
