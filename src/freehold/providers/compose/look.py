"""What runs on a target, by one command: its containers, and the files that they were given. Called by `provider`."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from freehold.diagnostics import BackendError
from freehold.planning.resource import Fields, Observed
from freehold.providers.compose import places, problems, sharing
from freehold.providers.compose.desired import NOT_TAKEN_OVER, RUNNING, STATE, UNHEALTHY
from freehold.system.targets import Target

_ABSENT = 127  # what a shell answers where there is no such program
_LOOK_SECONDS = 60.0
_TRIES = 45  # seconds for a computer to have started
_GONE = "gone"
_STUCK = {"paused", "dead", "removing"}  # what Compose cannot start as it is

# `ID`, as in Docker's own structures: with `Id` it goes over to the JSON of its answers, where a container without a health check has no `Health`.
_FORMAT = (
    '{"id":{{json .ID}},"started":{{json .State.StartedAt}},"network":{{json .HostConfig.NetworkMode}},'
    '"labels":{{json .Config.Labels}},"image":{{json .Config.Image}},"status":{{json .State.Status}},'
    '"exit":{{.State.ExitCode}},"health":{{if .State.Health}}{{json .State.Health.Status}}{{else}}null{{end}},'
    '"mounts":{{json .Mounts}},"created":{{json .Created}}}'
)
# A computer that is still starting has a Docker that is not there yet. A container that is deleted in between makes `inspect` fail: what the others are is told all the same.
_SCRIPT = f"""
command -v docker >/dev/null || exit {_ABSENT}
tries=0
until ids=$(docker ps --all --quiet --no-trunc --filter "label={places.ESTATE_LABEL}=$1"); do
    tries=$((tries + 1))
    [ $tries -lt {_TRIES} ] && [ "$(systemctl is-system-running 2>/dev/null)" = starting ] || exit 1
    sleep 1
done
[ -z "$ids" ] || docker inspect --type container --format "$2" $ids
cd "$3" 2>/dev/null || exit 0
[ ! -d compose/files ] || find compose/files -type f -exec sha256sum {{}} +
[ ! -d secrets ] || find secrets -type f -exec stat --format '%a %u:%g %n' {{}} +
exit 0
"""


@dataclass(frozen=True, slots=True)
class Found:
    """What a target answered: containers by service, digests of files and rights of secrets by path below the estate's folder."""

    containers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    rights: Mapping[str, str] = field(default_factory=dict)


async def look(target: Target, estate: str) -> dict[str, Observed]:
    """The estate's services there, by name; none where there is no Docker yet. Raises BackendError."""
    words = ["sh", "-c", _SCRIPT, "look", estate, _FORMAT, places.root(estate)]
    ended = await target.run(words, timeout=_LOOK_SECONDS)
    if ended.code == _ABSENT:
        return {}
    if ended.code:
        raise BackendError(problems.docker_silent(target.name, ended.errors))
    found = _read(ended.output)
    return {
        name: _observed(target.name, estate, name, container, found)
        for name, container in found.containers.items()
    }


def _read(output: str) -> Found:
    """Containers are JSON; digests are those of sha256sum; the rest is rights."""
    containers: dict[str, Mapping[str, Any]] = {}
    digests, rights = {}, {}
    for line in output.splitlines():
        if line.startswith("{"):
            container = json.loads(line)
            name = container["labels"].get(places.SERVICE_LABEL, "")
            containers[name] = _newer(containers.get(name), container)
        elif "  " in line:
            digest, _, path = line.partition("  ")
            digests[path] = digest
        else:
            mode, owner, path = line.split(" ", 2)
            rights[path] = f"{mode:0>4} {owner}"
    containers.pop("", None)
    return Found(containers, digests, rights)


def _newer(one: Mapping[str, Any] | None, other: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of two containers of a service (an update was cut short) the one that runs, else the newer."""
    if one is None:
        return other
    return max(one, other, key=lambda each: (each["status"] == "running", each["created"]))


def _observed(
    target: str, estate: str, name: str, container: Mapping[str, Any], found: Found
) -> Observed:
    kept = tuple(sorted(_volumes(container)))
    return Observed(
        address=places.service_address(target, name),
        fields=_fields(estate, container, found),
        depends_on=frozenset({places.compose_address(target), *places.machine_of(target)}),
        has_data=False,
        stays=kept,
    )


def _fields(estate: str, container: Mapping[str, Any], found: Found) -> Fields:
    """Those on the label, and what is real instead of what the label says."""
    known = {
        **_labelled(container),
        "image": container["image"],
        **_state(container),
    }
    mounted = {mount["Destination"]: mount["Source"] for mount in container["mounts"]}
    root = places.root(estate) + "/"
    for kind, real in (("files", _real_digest), ("secrets", _real_rights)):
        if isinstance(shown := known.get(kind), dict):
            known[kind] = {
                path: real(str(text), mounted.get(path, "").removeprefix(root), found)
                for path, text in shown.items()
            }
    if sharing.NETWORK in known:
        known[sharing.NETWORK] = sharing.real_network(known[sharing.NETWORK], container, found.containers)  # fmt: skip
    if _has_mark(root, mounted.values(), found):
        known[STATE] = f"{known[STATE]}, {NOT_TAKEN_OVER}"
    return known


def _has_mark(root: str, sources: Iterable[str], found: Found) -> bool:
    """Whether what it was given is still marked as not taken over: a run was killed before that, or it failed."""
    inside = (source.removeprefix(root).split("/") for source in sources)
    folders = {"/".join(parts[:3]) for parts in inside if parts[0] == "secrets"}
    return any(places.takeover_mark(folder) in found.rights for folder in folders)


def _labelled(container: Mapping[str, Any]) -> Mapping[str, Any]:
    """Nothing of a label that somebody else wrote: then all differs, and the service is started as it is to be."""
    try:
        fields = json.loads(container["labels"].get(places.FIELDS_LABEL, ""))
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _state(container: Mapping[str, Any]) -> Mapping[str, str]:
    status, health = str(container["status"]), container["health"]
    if status in _STUCK:
        return {STATE: status, UNHEALTHY: f"it is {status}"}
    if status != RUNNING:
        ended = f" ({container['exit']})" if status == "exited" else ""
        return {STATE: status + ended}
    if health == UNHEALTHY:
        return {STATE: UNHEALTHY, UNHEALTHY: "it runs and does not serve"}
    return {STATE: str(health or RUNNING)}


def _volumes(container: Mapping[str, Any]) -> Iterator[str]:
    """Its named ones; those that Docker named itself have 64 digits and belong to the container alone."""
    for mount in container["mounts"]:
        if mount["Type"] == "volume" and len(mount["Name"]) < 64:
            yield mount["Name"]


def _real_digest(shown: str, path: str, found: Found) -> str:
    digest, _, rest = shown.partition(" ")
    real = found.digests.get(path, _GONE)[: len(digest)]
    return f"{real} {rest}"


def _real_rights(shown: str, path: str, found: Found) -> str:
    """Mode and owner; the value is not looked at. An owner of root is not said."""
    fingerprint, _, _ = shown.partition(" ")
    return f"{fingerprint} {found.rights.get(path, _GONE)}".removesuffix(" 0:0")
