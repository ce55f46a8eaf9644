"""What a plan says of services beside their changes: whose place they would take, whose data stays where. Called by the modules of this folder."""

import shlex
from collections.abc import Iterable

from freehold.diagnostics import Diagnostic, Severity
from freehold.planning.address import Address
from freehold.providers.compose import places


def way_out(containers: Iterable[str], volumes: Iterable[str], networks: Iterable[str]) -> str:
    """What somebody may do about things of others that have the names of a service's own; stands after `Choose another name, or `."""
    commands = [f"docker rm --force {shlex.quote(name)}" for name in containers]
    commands += [f"docker network rm {shlex.quote(name)}" for name in networks]
    ways = (
        ["take it away on the target yourself:\n    " + "\n    ".join(commands)] if commands else []
    )
    about = "as docs/how-to/services.md says: Data that is there already"
    ways += [f"have the service take the volume {name} over, {about}" for name in volumes]
    return "\nor ".join(ways)


def place_taken(address: Address, what: str) -> Diagnostic:
    """What came after the plan was made; the plan says the same (`planning.refusals`)."""
    return Diagnostic(
        code="not-ours",
        summary="Something of this name exists and is not ours",
        detail=f"{address} would take the place of {what}, so it is left alone.",
        hint="The plan says what may be done about it:\n    freehold plan",
    )


def project_shared(target: str, estate: str, containers: Iterable[str]) -> Diagnostic:
    """Another Compose project has the name of the estate: what is done to all of it is done to the estate's too."""
    return Diagnostic(
        severity=Severity.WARNING,
        code="project-shared",
        summary="A Compose project that is not ours has the name of the estate",
        detail=f"{target}: {', '.join(containers)}. It is left alone; but `docker compose down --remove-orphans` there would take the "
        "services of the estate away with it.",
        hint=f"Give that project another name than {estate}, with `name` in its Compose file.",
    )


def memory_tight(host: str, taken: str, there: str) -> Diagnostic:
    """More services than the host has memory for, by what the catalog says of them."""
    return Diagnostic(
        severity=Severity.WARNING,
        code="host-memory-tight",
        summary="A host has too little memory for its services",
        detail=f"At rest the services of {host} take {taken}, and it has {there}.",
        hint="Place some of them on another host. What each takes:\n    freehold catalog show NAME",
    )


def host_gone(estate: str, host: str, services: Iterable[str]) -> Diagnostic:
    """A host that infra.yml no longer names, where services ran."""
    file = shlex.quote(places.running_file(estate))
    return Diagnostic(
        severity=Severity.WARNING,
        code="host-gone",
        summary="A host has left infra.yml, and its services have not left it",
        detail=f"{host}: {', '.join(services)} ran there when Freehold looked last. Nobody looks there any more, and nothing is changed there.",
        hint="To take them away, name the host again without services, and apply with --prune. Or stop them there, and say that it is done:\n"
        f"    ssh {shlex.quote(host)} docker compose --file {file} down\n    rm -r compose/{shlex.quote(host)}",
    )


def data_left(address: Address, others: Iterable[str], there: Iterable[str]) -> Diagnostic:
    """A service that is made while another, which has its name or its program, keeps data elsewhere. `there`: the data it finds."""
    starts = (
        f"goes on with {', '.join(there)}, which is there from before"
        if there
        else "starts without data"
    )
    return Diagnostic(
        severity=Severity.WARNING,
        code="data-left-behind",
        summary="A service is made anew, and the data of another stays behind",
        detail=f"{address} {starts}. {' '.join(f'{each} stays where it is.' for each in others)} Nothing is copied.",
        hint="How a service takes its data along is in docs/how-to/services.md: Move or rename a service",
    )


def data_there(address: Address, there: Iterable[str]) -> Diagnostic:
    """A service that is made where its volumes are already."""
    return Diagnostic(
        severity=Severity.WARNING,
        code="data-there-already",
        summary="A service goes on with data that is there already",
        detail=f"{address} goes on with {', '.join(there)}, which is there from before.",
        hint="To begin without it, delete it on the target first, if nothing in it is needed:\n"
        f"    docker volume rm {' '.join(map(shlex.quote, there))}",
    )
