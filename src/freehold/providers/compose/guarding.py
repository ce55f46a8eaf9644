"""A last look before services start: whether what Compose would take for theirs is somebody else's. Called by `starting`.

The plan has looked for that too (`strangers`), but at a machine that stood still, or a while ago.
"""

from collections.abc import Mapping, Sequence

from freehold.diagnostics import BackendError
from freehold.providers.compose import places, problems
from freehold.providers.compose.entry import Entry
from freehold.providers.compose.look import ONE_OFF, PROJECT, SERVICE
from freehold.system.targets import Ended, Target

REFUSED = -1
"""How a start ends that was not tried."""

_SECONDS = 60.0

# Its words are services, and `SERVICE:VOLUME` for what they keep. A volume without a mark that a container of the estate has is the estate's.
GUARD = f"""
estate=$1
mark={places.ESTATE_LABEL}
shift
all=$(docker ps --all --format '{{{{.Label "{PROJECT}"}}}}|{{{{.Label "{SERVICE}"}}}}|{{{{.Label "{places.ESTATE_LABEL}"}}}}|{{{{.Label "{ONE_OFF}"}}}}|{{{{.Names}}}}') || exit 1
volumes=$(docker volume ls --format '{{{{.Name}}}}|{{{{.Label "{places.ESTATE_LABEL}"}}}}') || exit 1
for each; do
    name=${{each%%:*}}
    volume=${{each#*:}}
    if [ "$name" = "$each" ]; then
        echo "$all" | awk -F '|' -v e="$estate" -v n="$name" '$1 == e && $2 == n && $3 != e && $4 != "True" {{ print n " the container " $5 }}'
    elif echo "$volumes" | awk -F '|' -v e="$estate" -v v="$volume" '$1 == v && $2 != e {{ found = 1 }} END {{ exit !found }}'; then
        [ -n "$(docker ps --all --quiet --filter "volume=$volume" --filter "label=$mark=$estate")" ] || echo "$name the volume $volume"
    fi
done
"""


async def refused(target: Target, estate: str, entries: Mapping[str, Entry]) -> dict[str, Ended]:
    """Of the services that are to start by these entries those that must not, with whose place they would take. Raises BackendError."""
    words = ["sh", "-c", GUARD, "guard", estate, *_asked(estate, entries)]
    ended = await target.run(words, timeout=_SECONDS)
    if ended.code:
        raise BackendError(problems.docker_silent(target.name, ended.errors))
    found = {}
    for line in ended.output.splitlines():
        name, _, what = line.partition(" ")
        found[name] = Ended(REFUSED, "", what)
    return found


def _asked(estate: str, entries: Mapping[str, Entry]) -> Sequence[str]:
    kept = [
        f"{name}:{estate}_{volume['source']}"
        for name, entry in entries.items()
        for volume in entry.get("volumes", ())
        if volume["type"] == "volume"
    ]
    return [*entries, *kept]
