"""A checked descriptor to `model.descriptors.Descriptor`. Called by `catalog`."""

from collections.abc import Iterator

from freehold.config.catalog.container import ContainerPart
from freehold.config.catalog.document import DescriptorDocument, FilePart, SecretPart, SettingPart
from freehold.model.descriptors import (
    AlertRule,
    Chart,
    ConfigurationFile,
    Container,
    Data,
    Descriptor,
    Health,
    Metrics,
    Mount,
    Need,
    PortOffer,
    SecretNeed,
    Setting,
    SettingKind,
    SettingValue,
)

SECRETS_FOLDER = "/run/secrets"  # where Compose's own secrets are, so that images look there


def kind_of(value: SettingValue | None) -> SettingKind:
    """What a value is, in the words of descriptors; text where there is none."""
    if isinstance(value, bool):
        return SettingKind.SWITCH
    return SettingKind.NUMBER if isinstance(value, int) else SettingKind.TEXT


def build(name: str, document: DescriptorDocument) -> Descriptor:
    """The model of a descriptor without errors."""
    return Descriptor(
        name=name,
        title=document.title,
        description=document.description,
        website=document.website or "",
        version=document.version,
        ends=document.ends,
        replaced_by=document.replaced_by,
        architectures=tuple(document.architectures),
        container=_container(document.container) if document.container else None,
        role=document.role,
        chart=Chart(**dict(document.chart)) if document.chart else None,
        settings=tuple(_setting(*item) for item in document.settings.items()),
        ports=tuple(PortOffer(name=n, **dict(part)) for n, part in document.ports.items()),
        data=tuple(_data(document)),
        files=tuple(_file(*item) for item in document.files.items()),
        secrets=tuple(_secret(*item) for item in document.secrets.items()),
        health=_health(document),
        metrics=Metrics(**dict(document.metrics)) if document.metrics else None,
        alerts=tuple(_alerts(document)),
        dashboards=tuple(document.dashboards),
        needs=tuple(
            Need(
                name=n,
                service=part.service,
                ports=tuple(part.ports),
                calls_back=tuple(part.calls_back),
                optional=part.optional,
                apart=part.apart,
                when=part.when,
            )
            for n, part in document.needs.items()
        ),
        reaches=tuple(document.reaches),
        exposes=document.exposes,
        cpu=document.cpu,
        memory=document.memory,
    )


def _container(part: ContainerPart) -> Container:
    return Container(
        image=part.image,
        images=dict(part.images),
        tag=part.tag,
        digests=dict(part.digests),
        command=tuple(part.command),
        entrypoint=tuple(part.entrypoint),
        user=part.user,
        environment=dict(part.environment),
        mounts=tuple(Mount(path=path, **dict(mount)) for path, mount in part.mounts.items()),
        capabilities=tuple(part.capabilities),
        devices=tuple(part.devices),
        read_only=part.read_only,
        tmpfs=tuple(part.tmpfs),
        host_network=part.host_network,
        network_of=part.network_of,
        privileged=part.privileged,
        stop_seconds=part.stop,
    )


def _setting(name: str, part: SettingPart) -> Setting:
    return Setting(
        name=name,
        description=part.description,
        kind=part.kind or kind_of(part.default),
        default=part.default,
        choices=tuple(part.choices),
    )


def _file(path: str, part: FilePart) -> ConfigurationFile:
    return ConfigurationFile(
        path=path,
        content=part.content or "",
        mode=part.mode,
        owner=part.owner,
        secret=part.secret,
        verbatim=part.source is not None,
    )


def _data(document: DescriptorDocument) -> Iterator[Data]:
    for name, part in document.data.items():
        yield Data(
            name=name,
            path=part.path,
            description=part.description,
            backup=part.backup,
            pre=tuple(part.pre),
            post=tuple(part.post),
        )


def _secret(name: str, part: SecretPart) -> SecretNeed:
    return SecretNeed(
        name=name,
        description=part.description,
        path=part.path or f"{SECRETS_FOLDER}/{name}",
        owner=part.owner,
        mode=part.mode,
        length=part.length,
        shared_with=part.shared_with,
        takeover=tuple(part.takeover),
        generated=part.generated and part.from_ is None,
        given_by=part.from_,
        when=part.when,
    )


def _health(document: DescriptorDocument) -> Health | None:
    part = document.health
    if part is None:
        return None
    values = {**dict(part), "command": tuple(part.command)}
    return Health(**values)


def _alerts(document: DescriptorDocument) -> Iterator[AlertRule]:
    for name, part in document.alerts.items():
        yield AlertRule(
            name=name,
            expression=part.expression,
            lasts=part.for_,
            severity=part.severity,
            summary=part.summary,
        )
