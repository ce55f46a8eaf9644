"""The Incus server: does it answer, is it new enough. Facts from `GET /1.0`."""

import re

from freehold.operations.doctor.finding import Finding, error, ok, warning
from freehold.operations.doctor.subject import PATIENCE, Subject
from freehold.system.unix_http import ask

LEAST_VERSION = (6, 0)

# What Freehold's requests rely on (https://linuxcontainers.org/incus/docs/main/api-extensions/).
EXTENSIONS = (
    "container_exec_recording",
    "event_lifecycle",
    "instance_all_projects",
    "instance_nic_network",
    "instances",
    "metadata_configuration",
    "profiles_all_projects",
    "projects",
    "storage_volumes_all_projects",
    "virtual-machines",
)

_UPGRADE = "Install Incus 6.0 or newer; on Debian and Ubuntu, in Freehold's folder:\n    scripts/prerequisites"

_JOIN = "Run as root, or join the group and log in again:\n    sudo adduser $USER incus-admin"


def reachable(subject: Subject) -> Finding:
    """Whether a daemon answers at the socket and lets us in."""
    try:
        reply = ask(subject.socket, "GET", "/1.0", timeout=PATIENCE)
    except FileNotFoundError:
        if subject.infra is not None and not subject.infra.domains and not subject.in_lab:
            return ok("There is none, and infra.yml has no machine for it.")
        return error(f"There is no socket {subject.socket}.", _how_to_start(subject))
    except PermissionError:
        return error(
            f"You may not use {subject.socket}.",
            _JOIN,
        )
    except (OSError, ValueError) as failure:
        return error(f"Nobody answers at {subject.socket}: {failure}.", _how_to_start(subject))
    metadata = reply.body.get("metadata") or {}
    if metadata.get("auth") != "trusted":
        return error(
            f"Incus answers at {subject.socket} but does not trust you.",
            _JOIN,
        )
    return ok(f"Answers at {subject.socket}.")


def _how_to_start(subject: Subject) -> str:
    if subject.in_lab:
        return "Start it:\n    freehold lab start"
    return (
        "Install Incus and start it:\n"
        "    sudo systemctl start incus\n"
        "    sudo incus admin init --minimal\n"
        "Or use the lab, a throwaway host on this computer:\n"
        "    freehold lab start\n"
        "    freehold doctor --lab"
    )


def version(subject: Subject) -> Finding:
    """Whether it is 6.0 or newer."""
    said = str(subject.incus("")["environment"]["server_version"])
    numbers = re.match(r"(\d+)\.(\d+)", said)
    if numbers is None:
        return warning(f"The server calls its version {said!r}.", _UPGRADE)
    if (int(numbers[1]), int(numbers[2])) < LEAST_VERSION:
        return error(f"Incus {said} is too old.", _UPGRADE)
    return ok(f"Incus {said}.")


def extensions(subject: Subject) -> Finding:
    """Whether its API has all that Freehold uses."""
    missing = sorted(set(EXTENSIONS) - set(subject.incus("").get("api_extensions") or ()))
    if missing:
        return error(f"The API lacks {', '.join(missing)}.", _UPGRADE)
    return ok(f"The API has the {len(EXTENSIONS)} extensions that Freehold uses.")
