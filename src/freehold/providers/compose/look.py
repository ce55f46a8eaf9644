"""What is on a target, by one command: its containers, the files that they were given, volumes and networks, and what else has a name of the estate's.

Called by `provider`; `seen` says what it means for each service, `strangers` what of it is somebody else's.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from freehold.diagnostics import BackendError
from freehold.providers.compose import places, problems
from freehold.providers.compose.project import PREVIOUS
from freehold.system.targets import Target

_ABSENT = 127  # what a shell answers where there is no such program
_LOOK_SECONDS = 60.0
_TRIES = 45  # seconds for a computer to have started

PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"
"""By these two labels Compose knows what a container is: one with the estate's name and a service's it takes for that service."""
ONE_OFF = "com.docker.compose.oneoff"
"""`True` on what `docker compose run` started beside a service; Compose itself leaves it alone."""

_LISTED = (
    f'{{{{.ID}}}}|{{{{.Label "{PROJECT}"}}}}|{{{{.Label "{places.ESTATE_LABEL}"}}}}|{{{{.Names}}}}'
)
_NAMED = f'{{{{.Name}}}} {{{{.Label "{places.ESTATE_LABEL}"}}}}'
# `ID`, as in Docker's own structures: with `Id` it goes over to the JSON of its answers, where a container without a health check has no `Health`.
_FORMAT = (
    '{"id":{{json .ID}},"name":{{json .Name}},"started":{{json .State.StartedAt}},"network":{{json .HostConfig.NetworkMode}},'
    '"labels":{{json .Config.Labels}},"image":{{json .Config.Image}},"status":{{json .State.Status}},'
    '"exit":{{.State.ExitCode}},"health":{{if .State.Health}}{{json .State.Health.Status}}{{else}}null{{end}},'
    '"mounts":{{json .Mounts}},"created":{{json .Created}}}'
)
# A computer that is still starting has a Docker that is not there yet. A container that is deleted in between makes `inspect` fail: what the others are is told all the same.
_SCRIPT = f"""
awk '$1 == "MemTotal:" {{ print "memory", $2 }}' /proc/meminfo
command -v docker >/dev/null || exit {_ABSENT}
tries=0
until all=$(docker ps --all --no-trunc --format '{_LISTED}'); do
    tries=$((tries + 1))
    [ $tries -lt {_TRIES} ] && [ "$(systemctl is-system-running 2>/dev/null)" = starting ] || exit 1
    sleep 1
done
ids=$(echo "$all" | awk -F '|' -v estate="$1" '$2 == estate || $3 == estate || index($4, estate "-") == 1 {{ print $1 }}')
[ -z "$ids" ] || docker inspect --type container --format "$2" $ids
volumes=$(docker volume ls --format 'volume {_NAMED}') && networks=$(docker network ls --format 'network {_NAMED}') || exit 1
printf '%s\\n' "$volumes" "$networks" | awk -v start="$1_" 'index($2, start) == 1'
cd "$3" 2>/dev/null || exit 0
[ ! -d compose/files ] || find compose/files -type f -exec sha256sum {{}} +
[ ! -d secrets ] || find secrets -type f -exec stat --format '%a %u:%g %n' {{}} +
[ ! -f compose/compose.yml ] || awk '/^[^ ]/ {{ inside = /^services:/ ? "entry " : /^{PREVIOUS}:/ ? "previous " : "" }} inside && /^  [^ ].*:( [{{][}}])?$/ {{ gsub(/[ :{{}}\\047"]/, ""); print inside $0 }}' compose/compose.yml
exit 0
"""


@dataclass(frozen=True, slots=True)
class Found:
    """What a target answered. `containers` are the estate's own, by service; `others` have its project's name, or one like its containers'.

    `volumes` and `networks` have names of the estate's: whose mark they carry. `entries` are the services in
    the target's Compose file, `previous` those of which it still has what ran before. Digests of files and rights of secrets are by path below
    the estate's folder. `memory` is what the target has, in bytes; 0 where it does not say.
    """

    containers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    others: Sequence[Mapping[str, Any]] = ()
    volumes: Mapping[str, str] = field(default_factory=dict)
    networks: Mapping[str, str] = field(default_factory=dict)
    entries: frozenset[str] = frozenset()
    previous: frozenset[str] = frozenset()
    digests: Mapping[str, str] = field(default_factory=dict)
    rights: Mapping[str, str] = field(default_factory=dict)
    memory: int = 0


async def look(target: Target, estate: str) -> Found:
    """What is there; no container where there is no Docker yet. Raises BackendError."""
    words = ["sh", "-c", _SCRIPT, "look", estate, _FORMAT, places.root(estate)]
    ended = await target.run(words, timeout=_LOOK_SECONDS)
    if ended.code not in (0, _ABSENT):
        raise BackendError(problems.docker_silent(target.name, ended.errors))
    return _read(estate, ended.output)


def _read(estate: str, output: str) -> Found:
    """Containers are JSON; memory, volumes, networks and entries begin with that word; digests are those of sha256sum; the rest is rights."""
    containers: list[Mapping[str, Any]] = []
    marks: dict[str, dict[str, str]] = {"volume": {}, "network": {}}
    entries: dict[str, set[str]] = {"entry": set(), "previous": set()}
    digests, rights, memory = {}, {}, 0
    for line in output.splitlines():
        first, _, rest = line.partition(" ")
        if line.startswith("{"):
            containers.append(json.loads(line))
        elif first == "memory":
            memory = int(rest) * 1024
        elif first in marks:
            name, _, mark = rest.partition(" ")
            marks[first][name] = mark
        elif first in entries:
            entries[first].add(rest)
        elif "  " in line:
            digest, _, path = line.partition("  ")
            digests[path] = digest
        else:
            owner, _, path = rest.partition(" ")
            rights[path] = f"{first:0>4} {owner}"
    own, others = _parted(estate, containers)
    in_file = frozenset(entries["entry"]), frozenset(entries["previous"])
    return Found(own, others, marks["volume"], marks["network"], *in_file, digests, rights, memory)


def _parted(
    estate: str, containers: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, Mapping[str, Any]], list[Mapping[str, Any]]]:
    """The estate's own by service, and the others. Of both, what only runs beside a service is left out."""
    own: dict[str, Mapping[str, Any]] = {}
    others: list[Mapping[str, Any]] = []
    for each in containers:
        labels = each["labels"] or {}
        name = labels.get(places.SERVICE_LABEL)
        if labels.get(ONE_OFF) == "True":
            continue
        if labels.get(places.ESTATE_LABEL) == estate and name:
            own[name] = _newer(own.get(name), each)
        else:
            others.append({**each, "labels": labels})
    return own, others


def _newer(one: Mapping[str, Any] | None, other: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of two containers of a service (an update was cut short) the one that runs, else the newer."""
    if one is None:
        return other
    return max(one, other, key=lambda each: (each["status"] == "running", each["created"]))
