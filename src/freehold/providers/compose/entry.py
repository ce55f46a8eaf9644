"""A service as an entry of a Compose file. Pure; called by `desired` for the estate's folder and by `update` for the target.

The keys are those of the Compose Specification (github.com/compose-spec/compose-spec, 05-services.md).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from freehold.model import Infra
from freehold.model.descriptors import Container, Health, SecretNeed
from freehold.model.services import Service
from freehold.providers.compose import content, places
from freehold.providers.compose.content import Contents
from freehold.providers.compose.networking import networking
from freehold.providers.compose.templates import Fill, filler
from freehold.wiring.context import context

Entry = Mapping[str, Any]

TAKEOVER = "x-freehold-takeover"
"""Of an entry: the commands by which the service takes over its secrets. Compose leaves keys of others alone (11-extension.md)."""

_READY_EVERY = 1  # seconds between two looks while it starts (Docker 25 and newer)


def entry(infra: Infra, service: Service, contents: Contents, secrets_version: str) -> Entry:
    """What Compose is told of a service. Raises ConfigError where a template cannot be filled in."""
    container = service.descriptor.container
    assert container is not None, service.name
    fill = filler(service, context(infra, service))
    every = {
        "image": service.image,
        "pull_policy": "missing",
        "restart": "unless-stopped",
        **dict(_process(container, fill)),
        **dict(networking(infra, service)),
        "volumes": [
            *_volumes(service, fill),
            *_files(infra.name, service, contents, secrets_version),
        ],
        **dict(_limits(container)),
        "healthcheck": _healthcheck(service.descriptor.health, fill),
        "stop_grace_period": f"{container.stop_seconds}s",
        "labels": {places.ESTATE_LABEL: infra.name, places.SERVICE_LABEL: service.name},
        TAKEOVER: list(_takeovers(service, fill)),
    }
    return {key: value for key, value in every.items() if value not in (None, [], {}, "")}


def volumes_of(service: Service) -> Mapping[str, str]:
    """Its named volumes, and where the container has them."""
    return {f"{service.name}-{data.name}": data.path for data in service.descriptor.data}


def taken_over(service: Service) -> list[SecretNeed]:
    """The secrets that it has and keeps in its data, so that a command has it take them over."""
    return [each for each in service.descriptor.secrets if each.takeover and each.name in service.secrets]  # fmt: skip


def _process(container: Container, fill: Fill) -> Iterator[tuple[str, Any]]:
    """What runs, and as whom."""
    yield "entrypoint", [fill(word, "the entrypoint") for word in container.entrypoint]
    yield "command", [fill(word, "the command") for word in container.command]
    yield "user", container.user
    yield "environment", {
        name: fill(text, f"the variable {name}")
        for name, text in sorted(container.environment.items())
    }  # fmt: skip


def _volumes(service: Service, fill: Fill) -> Iterator[Any]:
    for name, path in volumes_of(service).items():
        yield {"type": "volume", "source": name, "target": path}
    container = service.descriptor.container
    for mount in container.mounts if container else ():
        source = fill(mount.source, f"the mount {mount.path}")
        yield _bind(source, mount.path, mount.read_only, mount.follow)


def _files(estate: str, service: Service, contents: Contents, version: str) -> Iterator[Any]:
    """Each by itself: an image may have more in the same folder."""
    for secret, named in ((False, contents.version(secret=False)), (True, version)):
        folder = content.folder(estate, service, named, secret=secret)
        for piece in contents.of(secret=secret):
            yield _bind(f"{folder}{piece.path}", piece.path, read_only=True)


def _bind(source: str, path: str, read_only: bool, follow: bool = False) -> Mapping[str, Any]:
    return {
        "type": "bind",
        "source": source,
        "target": path,
        **({"read_only": True} if read_only else {}),
        "bind": {"create_host_path": False, **({"propagation": "rslave"} if follow else {})},
    }


def _limits(container: Container) -> Iterator[tuple[str, Any]]:
    """What it may do. No CPU or memory: what a descriptor says of those is for sums."""
    yield "read_only", container.read_only or None
    yield "tmpfs", list(container.tmpfs)
    yield "privileged", container.privileged or None
    yield "cap_add", list(container.capabilities)
    yield "security_opt", ["no-new-privileges:true"]
    yield "devices", list(container.devices)


def _takeovers(service: Service, fill: Fill) -> Iterator[list[str]]:
    for need in taken_over(service):
        yield [fill(word, f"the takeover of the secret {need.name}") for word in need.takeover]


def _healthcheck(health: Health | None, fill: Fill) -> Mapping[str, Any] | None:
    if health is None:
        return None
    return {
        "test": ["CMD", *(fill(word, "the health check") for word in health.command)],
        "interval": f"{health.interval}s",
        "timeout": f"{health.timeout}s",
        "retries": health.retries,
        "start_period": f"{health.start}s",
        "start_interval": f"{_READY_EVERY}s",
    }
