"""What goes wrong with services, in words. Called by the modules of this folder."""

import shlex
from collections.abc import Iterable
from pathlib import Path

from freehold.diagnostics import Diagnostic, Severity
from freehold.model.services import Service
from freehold.planning.address import Address

_LINES = 15  # of a container's log that are shown
_COLUMNS = 300
_TOO_SLOW = 124  # with which timeout(1) ends

TAKEOVER_SECONDS = 60
"""How long a service may take to take over its secrets."""


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


def not_taken_over(address: Address, code: int, said: str) -> Diagnostic:
    """The command of a descriptor that has the service keep what its secret's file says failed."""
    slow = f"took longer than {TAKEOVER_SECONDS} seconds"
    how = slow if code == _TOO_SLOW else f"ended with {code}"
    last = f" Its last words:\n{_shown(said)}" if said.strip() else " It wrote nothing."
    return Diagnostic(
        code="secrets-not-taken-over",
        summary="A service does not take over its secrets",
        detail=f"{address.path}: it is healthy, and the command `takeover` of its descriptor {how}.{last}",
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


def not_copied(address: Address, said: str) -> Diagnostic:
    """The copy before an update: there is no room for it, or it failed. The service was not updated."""
    return Diagnostic(
        code="data-not-copied",
        summary="The data of a service could not be copied, so it was not updated",
        detail=f"{address.path}: {last_line(said)}",
        hint="Change what the message names. Without a copy:\n    freehold apply",
    )


def not_brought_back(address: Address, folder: str, said: str) -> Diagnostic:
    """The way back to the data from before."""
    return Diagnostic(
        code="data-not-brought-back",
        summary="The data of a service could not be brought back",
        detail=f"{address.path}: {last_line(said)} What is not back yet is in {folder}/last on the target.",
        hint="Move it into Docker's volumes of the same names by hand, then run apply again.",
    )


def taken_back(
    address: Address, *, healthy: bool, took_over: bool, restored: bool = False
) -> Diagnostic:
    """An update that failed: what ran before runs again, or should. `restored`: with its data from before."""
    ends = "what ran before runs again and is healthy"
    if not healthy:
        ends = "what ran before was started again, and is not healthy either"
    elif not took_over:
        ends += ", and does not take over its secrets either"
    data = "is that from before the update" if restored else "was left as it is"
    return Diagnostic(
        severity=Severity.WARNING if healthy and took_over else Severity.ERROR,
        code="service-update-taken-back",
        summary="The update of a service was taken back",
        detail=f"{address.path}: {ends}. Its data {data}.",
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
