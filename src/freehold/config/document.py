"""infra.yml as it is written: the one description from which validation, the JSON Schema and the reference page come.

`validation` checks the tree against `Document`, `checks` look at the whole, `build` turns it into `model.Infra`.
"""

from typing import Annotated, Any

from pydantic import Field

from freehold.config.alerting import AlertsPart
from freehold.config.formats import (
    AbsolutePath,
    Address,
    DurationText,
    Line,
    Network,
    Option,
    Port,
    SizeText,
    Word,
)
from freehold.config.gpu import MachineGpu
from freehold.config.hosts import HostPart
from freehold.config.part import Part
from freehold.config.provision import Provision
from freehold.config.services import ServicePart
from freehold.config.snapshots import SnapshotsPart
from freehold.model import FirewallMode, GpuPolicy, MachineType, Protocol, Trust

VERSION = 1
DEFAULT_IMAGE = "debian/13"
DEFAULT_STORAGE = "default"
DEFAULT_BASE = "10.100.0.0/16"

_REQUIRED: dict[str, Any] = {"required": True}
"""Marks a key that must be written although the class has a default: `checks.required` says so in better words."""


class Defaults(Part):
    """What holds for every domain and machine that does not say otherwise."""

    image: Word | None = Field(
        None, description=f"Image of machines. Default: `{DEFAULT_IMAGE}`.", examples=["debian/13"]
    )
    trust: Annotated[Trust, Field(strict=False)] | None = Field(
        None, description="Trust of domains. Default: `semi-trusted`.", examples=["trusted"]
    )
    storage: Word | None = Field(
        None,
        description=f"Incus storage pool for disks and volumes. Default: `{DEFAULT_STORAGE}`.",
        examples=["default"],
    )
    boot_timeout: DurationText | None = Field(
        None,
        description="How long a machine may take until it is up. "
        "Default: `60s` for a container, `5m` for a vm.",
        examples=["10m"],
    )
    provision: Provision = Field(
        default_factory=Provision,
        description="What goes inside every machine that this file names.",
    )


class FirewallMachinePart(Part):
    """The machine `sys-firewall` of the domain with `trust: admin`, through which all traffic between domains goes."""

    type: Annotated[MachineType, Field(strict=False)] = Field(
        MachineType.VM, description="What it is. Default: `vm`.", examples=["container"]
    )
    image: Word | None = Field(
        None,
        description="Its image, a Linux with systemd. Default: `defaults.image`.",
        examples=["debian/13"],
    )
    cpu: int | None = Field(
        None,
        ge=1,
        le=65536,
        description="Number of CPUs. Default: no limit; 2 for a vm.",
        examples=[2],
    )
    memory: SizeText | None = Field(
        None, description="Memory. Default: no limit; 1GiB for a vm.", examples=["512MiB"]
    )


class NetworkPart(Part):
    """The addresses of the estate, and who keeps its domains apart."""

    base: Network | None = Field(
        None,
        description="Private network, /8 to /24; each domain gets the /24 that its `subnet_id` names. "
        f"Default: `{DEFAULT_BASE}`.",
        examples=[DEFAULT_BASE],
    )
    firewall: Annotated[FirewallMode, Field(strict=False)] | None = Field(
        None,
        description="Rules on the host, or an instance that routes between the domains. "
        "Default: `host`.",
        examples=["host"],
    )
    firewall_machine: FirewallMachinePart | None = Field(
        None, description="With `firewall: machine`: what that instance is."
    )


class Gpu(Part):
    """How the GPU is handed out."""

    policy: Annotated[GpuPolicy, Field(strict=False)] | None = Field(
        None,
        description="Whether one machine only may have the GPU, or several. Default: `exclusive`.",
        examples=["shared"],
    )


class ProfilePart(Part):
    """Settings that machines of the domain share: an Incus profile of the domain's project."""

    description: Line = Field("", description="One line about it.", examples=["room for a model"])
    config: dict[str, Option] = Field(
        default_factory=dict,
        description="Incus instance options.",
        examples=[{"limits.memory": "8GiB"}],
    )
    devices: dict[str, dict[str, Option]] = Field(
        default_factory=dict,
        description="Incus devices by name; each needs a `type`.",
        examples=[{"kvm": {"type": "unix-char", "path": "/dev/kvm"}}],
    )


class VolumePart(Part):
    """A storage volume of its own, which outlives the machine's root disk."""

    path: AbsolutePath = Field(
        description="Where it is mounted in the machine.", examples=["/srv/data"]
    )
    size: SizeText | None = Field(
        None, description="Its size. Default: the storage pool's.", examples=["100GiB"]
    )


class MachinePart(Part):
    """A container or virtual machine; `{}` has all defaults."""

    type: Annotated[MachineType, Field(strict=False)] = Field(
        MachineType.CONTAINER, description="What it is. Default: `container`.", examples=["vm"]
    )
    image: Word | None = Field(
        None, description="Its image. Default: `defaults.image`.", examples=["debian/13"]
    )
    description: Line = Field("", description="One line about it.", examples=["language models"])
    profiles: list[Word] = Field(
        default_factory=list,
        description="Profiles of its domain, in the order in which they apply.",
        examples=[["big"]],
    )
    ip: Address | None = Field(
        None,
        description="Its address, .2 to .199 of the domain's network. Default: one is allocated and kept.",
        examples=["10.100.3.10"],
    )
    cpu: int | None = Field(
        None,
        ge=1,
        le=65536,
        description="Number of CPUs. Default: no limit; 2 for a vm.",
        examples=[4],
    )
    memory: SizeText | None = Field(
        None, description="Memory. Default: no limit; 1GiB for a vm.", examples=["8GiB"]
    )
    disk: SizeText | None = Field(
        None, description="Size of the root disk. Default: the pool's.", examples=["20GiB"]
    )
    gpu: MachineGpu = Field(
        None, description="Whether it has the GPU, or which. Default: `false`.", examples=[True]
    )
    secure_boot: bool | None = Field(
        None,
        description="Whether the firmware of a vm starts signed systems only. Default: `true`.",
        examples=[False],
    )
    boot_timeout: DurationText | None = Field(
        None,
        description="How long it may take until it is up. Default: `defaults.boot_timeout`.",
        examples=["10m"],
    )
    control: bool = Field(
        default=False,
        description="Whether the estate is steered from it. Default: `false`.",
        examples=[True],
    )
    protect: bool = Field(
        default=False,
        description="Whether it is guarded against deletion. Default: `false`.",
        examples=[True],
    )
    volumes: dict[str, VolumePart] = Field(
        default_factory=dict,
        description="Storage volumes by name.",
        examples=[{"models": {"path": "/var/lib/models", "size": "100GiB"}}],
    )
    config: dict[str, Option] = Field(
        default_factory=dict,
        description="Incus instance options of this machine.",
        examples=[{"security.nesting": True}],
    )
    snapshots: SnapshotsPart = Field(
        default_factory=SnapshotsPart,
        description="Its snapshots; before its domain's and the estate's.",
    )
    provision: Provision = Field(default_factory=Provision, description="What goes inside.")


class DomainPart(Part):
    """A compartment: an Incus project with a bridge and a /24 of its own."""

    subnet_id: int | None = Field(
        None,
        ge=0,
        description="Number of its /24 in the base network; never changes.",
        examples=[3],
        json_schema_extra=_REQUIRED,
    )
    trust: Annotated[Trust, Field(strict=False)] | None = Field(
        None,
        description="How far it is trusted; `admin` may open connections to every domain. "
        "Default: `defaults.trust`.",
        examples=["admin"],
    )
    description: Line = Field("", description="One line about it.", examples=["experiments"])
    internet: bool = Field(
        default=True,
        description="Whether its machines may open connections to the outside. Default: `true`.",
        examples=[False],
    )
    profiles: dict[str, ProfilePart] = Field(
        default_factory=dict, description="Shared settings by name."
    )
    snapshots: SnapshotsPart = Field(
        default_factory=SnapshotsPart, description="Snapshots of its machines; before the estate's."
    )
    provision: Provision = Field(
        default_factory=Provision, description="What goes inside each of its machines."
    )
    machines: dict[str, MachinePart] = Field(
        default_factory=dict, description="Machines by name; the instance is called DOMAIN-MACHINE."
    )


class PolicyPart(Part):
    """Traffic that may pass besides what always does. It opens exactly what it says."""

    from_: Word = Field(
        alias="from",
        description="Who opens the connection: a domain, DOMAIN/MACHINE, `host` or `internet`.",
        examples=["pro"],
    )
    to: Word = Field(description="Who answers; written like `from`.", examples=["homelab/llm"])
    ports: list[Port] | None = Field(
        None,
        min_length=1,
        description='Ports (1 to 65535) and ranges; required except for `icmp`. All: `["1-65535"]`.',
        examples=[[22, "8000-8100"]],
    )
    protocol: Annotated[Protocol, Field(strict=False)] = Field(
        Protocol.TCP, description="Default: `tcp`.", examples=["udp"]
    )
    bidirectional: bool = Field(
        default=False,
        description="Whether `to` may open connections to `from` too. Default: `false`.",
        examples=[True],
    )
    reason: Line = Field("", description="One line that says why.", examples=["local LLM"])


class Document(Part):
    """The whole of infra.yml and the files in `infra.d/`."""

    freehold: int | None = Field(
        None,
        description=f"Version of this language: {VERSION}.",
        examples=[VERSION],
        json_schema_extra={"required": True, "const": VERSION},
    )
    name: Word | None = Field(
        None,
        description="Name of the estate; marks everything that Freehold creates for it.",
        examples=["maison"],
        json_schema_extra=_REQUIRED,
    )
    defaults: Defaults = Field(
        default_factory=Defaults, description="What holds unless said otherwise."
    )
    network: NetworkPart = Field(
        default_factory=NetworkPart, description="Addresses and separation."
    )
    gpu: Gpu = Field(default_factory=Gpu, description="How the GPU is handed out.")
    snapshots: SnapshotsPart = Field(
        default_factory=SnapshotsPart,
        description="Snapshots of every machine that this file names.",
    )
    domains: dict[str, DomainPart] = Field(
        default_factory=dict, description="Compartments by name."
    )
    policies: list[PolicyPart] = Field(
        default_factory=list,
        description="The only traffic between domains, besides what `admin` may do and what services connect to by what they are "
        "(metrics, names that they serve).",
    )
    hosts: dict[str, HostPart] = Field(
        default_factory=dict, description="Computers that already exist, by name; reached by SSH."
    )
    services: dict[str, ServicePart] = Field(
        default_factory=dict, description="What runs and where, by name."
    )
    alerts: AlertsPart = Field(default_factory=AlertsPart, description="Who is told of alerts.")
