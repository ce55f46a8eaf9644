"""What goes wrong with services, in words. Called by the modules of this folder."""

import shlex
from collections.abc import Iterable
from pathlib import Path

from freehold.diagnostics import Diagnostic, Severity
from freehold.model.services import Service
from freehold.planning.address import Address

_LINES = 15  # of a container's log that are shown
_COLUMNS = 300


def unfilled(service: Service, what: str, why: str) -> Diagnostic:
    """A template of the descriptor that names what there is not."""
    return Diagnostic(
        code="template-unfilled",
        summary="A template of the catalog cannot be filled in",
        detail=f"{service.name}: {what} of the descriptor {service.descriptor.name}: {why}.",
        hint="Templates see service.name, version, settings.X, ports.NAME, secrets.NAME and needs.NAME; look at the entry:\n"
        f"    freehold catalog show {service.descriptor.name}",
    )


def not_looked_at(target: str, services: Iterable[str], problem: Diagnostic) -> Diagnostic:
    """A target that does not answer: its services are left as they are."""
    names = ", ".join(sorted(services)) or "none in infra.yml"
    return Diagnostic(
        severity=Severity.WARNING,
        code="services-unseen",
        summary="The services of a target could not be looked at",
        detail=f"{target} (services: {names}): {problem.detail or problem.summary} Nothing is changed there.",
        hint=problem.hint,
    )


def docker_silent(target: str, errors: str) -> Diagnostic:
    """There is a Docker, and it does not answer."""
    return Diagnostic(
        code="docker-silent",
        summary="Docker does not answer on a target",
        detail=f"{target}: {last_line(errors)}",
        hint="Look there at what keeps it from running, then run this again:\n"
        "    systemctl status docker",
    )


def no_image(target: str, image: str, errors: str) -> Diagnostic:
    """An image that is not on the target and that no registry gave."""
    return Diagnostic(
        code="image-missing",
        summary="An image is not there and cannot be fetched",
        detail=f"{target} has no {image}: {last_line(errors)}",
        hint="See that name and version are right and that the target reaches the registry; or load it there by hand:\n"
        f"    docker save {shlex.quote(image)} | ssh TARGET docker load",
    )


def undelivered(target: str, name: str, errors: str) -> Diagnostic:
    """Files that could not be written on a target."""
    return Diagnostic(
        code="files-undelivered",
        summary="The files of a service could not be put on its target",
        detail=f"{target}: {name}: {last_line(errors)} What runs there is as before.",
        hint="Look there at room and rights of /var/lib/freehold, then run this again.",
    )


def not_started(address: Address, errors: str) -> Diagnostic:
    """Compose refused, or the container could not be started."""
    return Diagnostic(
        code="service-not-started",
        summary="A service could not be started",
        detail=f"{address.path}: {_shown(errors)}",
        hint="Change what the message names, then run apply again.",
    )


def not_serving(address: Address, why: str, log: str) -> Diagnostic:
    """It runs and is not healthy, or does not stay."""
    last = f" Its last words:\n{_shown(log)}" if log.strip() else " It wrote nothing."
    return Diagnostic(
        code="service-not-healthy",
        summary="A service does not become healthy",
        detail=f"{address.path}: {why}.{last}",
        hint="Change what the message names, then run apply again.",
    )


def left_stopped(address: Address, container: str) -> Diagnostic:
    """A first start that failed: there is nothing to go back to."""
    return Diagnostic(
        severity=Severity.WARNING,
        code="service-left-stopped",
        summary="The service is stopped, for nothing else ran before",
        detail=f"{address.path} is left stopped, with its data and its log.",
        hint=f"All that it said, on its target:\n    docker logs {container}",
    )


def taken_back(address: Address, healthy: bool) -> Diagnostic:
    """An update that failed: what ran before runs again, or should."""
    ends = (
        "what ran before runs again and is healthy"
        if healthy
        else "what ran before was started again, and is not healthy either"
    )
    return Diagnostic(
        severity=Severity.WARNING if healthy else Severity.ERROR,
        code="service-update-taken-back",
        summary="The update of a service was taken back",
        detail=f"{address.path}: {ends}. Its data was not touched.",
        hint="infra.yml still asks for the update: the next apply tries it again.",
    )


def not_removed(address: Address, errors: str) -> Diagnostic:
    """A container that could not be deleted."""
    return Diagnostic(
        code="service-not-removed",
        summary="A service could not be removed",
        detail=f"{address.path}: {last_line(errors)}",
        hint="Look at it on its target, then run this again:\n    docker ps --all",
    )


def unwritable(path: Path, why: str) -> Diagnostic:
    """The Compose file in the estate's folder."""
    return Diagnostic(
        code="cannot-write",
        summary="A file cannot be written",
        detail=f"{path}: {why}. It is as it was before.",
        hint="Free some space, or allow writing there, then run the same command again.",
    )


def last_line(text: str) -> str:
    """A program's last word, for a sentence."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return (lines[-1] if lines else "no reason given").rstrip(".")[:_COLUMNS] + "."


def _shown(text: str) -> str:
    lines = [line.rstrip()[:_COLUMNS] for line in text.splitlines() if line.strip()]
    return "\n".join(lines[-_LINES:])
