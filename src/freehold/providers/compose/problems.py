"""What goes wrong with services, in words. Called by the modules of this folder."""

import re
import shlex
from collections.abc import Iterable
from pathlib import Path

from freehold.diagnostics import Diagnostic, Severity
from freehold.model.services import Service
from freehold.planning.address import Address

_LINES = 15  # of a container's log that are shown
_COLUMNS = 300
_TAR_ENDS = ("tar: Exiting with failure", "tar: Error is not recoverable")
_PROGRESS = re.compile(r"\s*(Container|Network|Volume) \S+\s+[A-Z][a-z]+\s*")
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
        detail=f"{address.path}: {_shown(_without_progress(errors))}",
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


def not_copied(address: Address, folder: str, said: str) -> Diagnostic:
    """The copy before an update: there is no room for it, or it failed. The service was not updated."""
    return Diagnostic(
        code="data-not-copied",
        summary="The data of a service could not be copied, so it was not updated",
        detail=f"{address.path}: {last_line(said)}",
        hint=f"Change what the message names. Earlier copies are in {folder} on the target. Without a copy, unless the data has just come "
        "back:\n    freehold apply",
    )


def update_unfinished(address: Address, copy: str) -> Diagnostic:
    """infra.yml asks for the old version again, and an update that was cut off has started the new one on its data."""
    return Diagnostic(
        code="update-unfinished",
        summary="An update was cut off, and the data may be half converted",
        detail=f"{address.path}: a newer version was started on its data, and no run has seen it healthy. The data from before is in {copy} on the "
        "target. Nothing was changed.",
        hint="Bring it back with the old version; what is there now is kept beside the copy:\n    freehold updates apply",
    )


def not_started_again(address: Address, container: str, errors: str) -> Diagnostic:
    """It was stopped for a copy that failed."""
    return Diagnostic(
        code="service-left-stopped",
        summary="A service was stopped for the copy of its data, and could not be started again",
        detail=f"{address.path}: {last_line(errors)} Its data is as it was.",
        hint=f"Change what the message names, then start it on its target:\n    docker start {container}",
    )


def not_brought_back(address: Address, copy: str, said: str) -> Diagnostic:
    """The way back to the data from before."""
    return Diagnostic(
        code="data-not-brought-back",
        summary="The data of a service could not be brought back",
        detail=f"{address.path}: {last_line(said)} What is not back yet is in {copy} on the target. The service stands still: no version is "
        "started on data of two.",
        hint="Change what the message names, then run this again: it goes on where it stopped.",
    )


def taken_back(
    address: Address, *, healthy: bool, took_over: bool, data: str, restored: bool
) -> Diagnostic:
    """An update that failed: what ran before runs again, or should. `data`: what became of that, which may be `restored`."""
    again = "infra.yml still asks for the update: the next apply tries it again."
    if restored:
        again = "infra.yml still asks for the update. With a copy of the data, as now:\n    freehold updates apply\nA plain `freehold apply` makes none."
    ends = "what ran before runs again and is healthy"
    if not healthy:
        ends = "what ran before was started again, and is not healthy either"
    elif not took_over:
        ends += ", and does not take over its secrets either"
    return Diagnostic(
        severity=Severity.WARNING if healthy and took_over else Severity.ERROR,
        code="service-update-taken-back",
        summary="The update of a service was taken back",
        detail=f"{address.path}: {ends}. {data}",
        hint=again,
    )


def data_after(*, came_back: bool, elsewhere: Iterable[str] = (), aside: str = "") -> str:
    """What became of the data when an update was taken back. `aside`: where that of the newer version is kept."""
    if not came_back:
        return "Its data was left as it is."
    told = "Its data is that from before the update."
    if others := ", ".join(elsewhere):
        told += f" What it keeps elsewhere was left as it is: {others}."
    if aside:
        told += f" What the newer version had is kept in {aside} on the target."
    return told


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
    """A program's last word, for a sentence; of tar the one before it says that it ended."""
    every = [line.strip() for line in text.splitlines() if line.strip()]
    lines = [line for line in every if not line.startswith(_TAR_ENDS)] or every
    return (lines[-1] if lines else "no reason given").rstrip(".")[:_COLUMNS] + "."


def _without_progress(errors: str) -> str:
    """What Compose says but for what it is doing; all, where it says nothing else."""
    lines = errors.splitlines()
    return "\n".join([line for line in lines if not _PROGRESS.fullmatch(line)] or lines)


def _shown(text: str) -> str:
    lines = [line.rstrip()[:_COLUMNS] for line in text.splitlines() if line.strip()]
    return "\n".join(lines[-_LINES:])
