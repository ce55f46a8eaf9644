"""A descriptor as facts and tables of words: what `catalog show` and the reference pages are made of."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from freehold.config.placing import image_of
from freehold.model.descriptors import Descriptor, Need, Reach, SettingValue


@dataclass(frozen=True, slots=True)
class Section:
    """A table. `key` is the key of infra.yml that these are for, None when nothing can be chosen; the last column is long."""

    title: str
    key: str | None
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


_REACHED = {
    Reach.METRICS: "what all services measure",
    Reach.EXPOSED: "services with `expose`, to serve them",
    Reach.PROBED: "services with `expose`, and those that measure nothing, to see whether they answer",
}


def ways(descriptor: Descriptor) -> list[str]:
    """As what it runs, in the words of descriptors."""
    return [way for way in ("container", "role", "chart") if getattr(descriptor, way) is not None]


def written(value: SettingValue | None) -> str:
    """A value as it is written in YAML; nothing for none."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return ""
    return str(value) if value != "" else '""'


def facts(descriptor: Descriptor) -> Iterator[tuple[str, str]]:
    """What is said in a line each."""
    container = descriptor.container
    yield "Version", descriptor.version
    end = descriptor.end_of_life(descriptor.version)
    if end is not None:
        yield "End of life", end.isoformat()
    if descriptor.replaced_by is not None:
        yield (
            "Replaced by",
            f"{descriptor.replaced_by}; in infra.yml `service: {descriptor.replaced_by}`",
        )
    if container is not None:
        yield "Image", image_of(container, descriptor.version, {})
        for condition, image in container.images.items():
            yield f"Image with {condition}", image
    if descriptor.role is not None:
        yield "Role", descriptor.role
    if descriptor.chart is not None:
        chart = descriptor.chart
        yield "Chart", f"{chart.name} {chart.version} of {chart.repository}"
    yield "Processors", ", ".join(each.value for each in descriptor.architectures)
    if taken := ", ".join(_taken(descriptor)):
        yield "Takes at rest", taken
    if container is not None and container.network_of is not None:
        yield "Network", f"that of its {container.network_of}, and no other"
    if descriptor.reaches:
        yield "Connects to", "; ".join(_REACHED[each] for each in descriptor.reaches)
    if descriptor.exposes is not None:
        yield "Opened in a browser", f"port {descriptor.exposes}"
    if descriptor.metrics is not None:
        yield "Metrics", f"port {descriptor.metrics.port}, {descriptor.metrics.path}"
    if descriptor.dashboards:
        numbers = ", ".join(descriptor.dashboards)
        yield "More pages", f"{numbers} at grafana.com/grafana/dashboards, to import by hand"
    if descriptor.health is not None:
        yield "Must serve within", f"{descriptor.health.start} s"
    if descriptor.website:
        yield "Website", descriptor.website


def _taken(descriptor: Descriptor) -> Iterator[str]:
    if descriptor.cpu is not None:
        yield f"{descriptor.cpu:g} CPU" + ("" if descriptor.cpu == 1 else "s")
    if descriptor.memory is not None:
        yield str(descriptor.memory)


def sections(descriptor: Descriptor) -> Iterator[Section]:
    """Its tables, those that have something to choose first; no empty ones."""
    for section in (
        _settings(descriptor),
        _ports(descriptor),
        _needs(descriptor),
        _secrets(descriptor),
        _data(descriptor),
        _files(descriptor),
        _alerts(descriptor),
    ):
        if section.rows:
            yield section


def _settings(descriptor: Descriptor) -> Section:
    rows = []
    for each in descriptor.settings:
        kind = " | ".join(written(choice) for choice in each.choices) or each.kind.value
        default = "(must be given)" if each.default is None else written(each.default)
        rows.append((each.name, default, kind, each.description))
    return Section("Settings", "settings", ("NAME", "DEFAULT", "KIND", "WHAT"), tuple(rows))


def _ports(descriptor: Descriptor) -> Section:
    rows = []
    for port in descriptor.ports:
        number = f"{port.number}/{port.protocol.value}"
        of_target = descriptor.container is None or descriptor.container.host_network
        opened = "always" if port.published or of_target else "when a service elsewhere needs it"
        opened += ", on IPv4" if port.ipv4_only else ""
        rows.append((port.name, number, port.network, opened))
    heads = ("NAME", "NUMBER", "NETWORK", "OPEN ON THE TARGET")
    return Section("Ports", "ports", heads, tuple(rows))


def _needs(descriptor: Descriptor) -> Section:
    rows = [
        (need.name, need.service, ", ".join(need.ports), _needed(need)) for need in descriptor.needs
    ]
    return Section("Needs", "needs", ("NAME", "SERVICE", "PORTS", "NEEDED"), tuple(rows))


def _needed(need: Need) -> str:
    words = "used when there is one" if need.optional else "always"
    return words if need.when is None else f"with {need.when}"


def _secrets(descriptor: Descriptor) -> Section:
    rows = []
    for secret in descriptor.secrets:
        shared = secret.shared_with
        default = f"{shared[1]} of its {shared[0]}" if shared else f"SERVICE_{secret.name}"
        if secret.given_by is not None:
            default = f"that of {'.'.join(secret.given_by)}"
        elif not secret.generated:
            default += ", set by you"
        if secret.when is not None:
            default += f", with {secret.when}"
        rotated = "a restart and a command" if secret.takeover else "a restart"
        rows.append((secret.name, default, rotated, secret.description))
    return Section("Secrets", "secrets", ("NAME", "SECRET", "ROTATED BY", "WHAT"), tuple(rows))


def _data(descriptor: Descriptor) -> Section:
    rows = [
        (data.name, data.path, _backup(data.backup, data.pre), data.description)
        for data in descriptor.data
    ]
    return Section("Data", None, ("NAME", "PATH", "BACKUP", "WHAT"), tuple(rows))


def _backup(backed_up: bool, pre: tuple[str, ...]) -> str:
    if not backed_up:
        return "no"
    return "after a command" if pre else "yes"


def _files(descriptor: Descriptor) -> Section:
    rows = [
        (file.path, file.mode, "holds secrets" if file.secret else "") for file in descriptor.files
    ]
    return Section("Configuration files", None, ("PATH", "MODE", "REMARKS"), tuple(rows))


def _alerts(descriptor: Descriptor) -> Section:
    rows = [
        (each.name, each.severity.value, _summary(descriptor, each.summary))
        for each in descriptor.alerts
    ]
    return Section("Alerts", None, ("NAME", "SEVERITY", "WHEN"), tuple(rows))


def _summary(descriptor: Descriptor, template: str) -> str:
    """As a person reads it: what is filled in when the alert comes stands as `…`, labels as their names."""
    text = re.sub(r"\{% (raw|endraw) %\}", "", template)
    text = text.replace("{{ service.name }}", descriptor.name)
    for setting in descriptor.settings:
        text = text.replace(f"{{{{ settings.{setting.name} }}}}", written(setting.default))
    return re.sub(r"\{\{.*?\}\}", "…", re.sub(r"\{\{ \$labels\.(\w+) \}\}", r"\1", text))
