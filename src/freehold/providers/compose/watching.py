"""How the containers of a target are, told as soon as anything happens to one of them. Owned by `docker`, asked by `waiting`.

One command for all services that are waited for: it stands still at the target until Docker has something to tell, so nobody asks every half second.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from freehold.diagnostics import BackendError
from freehold.providers.compose import places, problems
from freehold.providers.compose.look import ONE_OFF
from freehold.providers.compose.together import Together
from freehold.system.targets import Target

_AT_MOST = 1.5  # seconds that a look waits for something to happen
_SECONDS = 60.0
_AT_ONCE = "0"
_TRIES = 30  # seconds for a Docker that is started again

# What happened since the look before counts too: Docker keeps the last 256 events (docs.docker.com, `docker system events`). A container that
# is deleted in between makes `inspect` fail, and so does a Docker that ends then: of that one nobody knows what there is.
WATCH = f"""
label="label={places.ESTATE_LABEL}=$1"
if [ "$2" != {_AT_ONCE} ]; then
    sh -c 'echo $$; exec timeout {_AT_MOST} docker events --since "$1" --filter "$2" --filter type=container --filter event=start \\
        --filter event=die --filter event=destroy --filter event=pause --filter event=health_status' events "$2" "$label" 2>/dev/null | {{
        read -r pid
        if read -r event; then kill "$pid" 2>/dev/null; else sleep 0.1; fi
    }}
fi
date +%s.%N
tries=0
until ids=$(docker ps --all --quiet --no-trunc --filter "$label" --filter "label={ONE_OFF}=False") && {{
    said=$([ -z "$ids" ] || docker inspect --type container --format '{{{{index .Config.Labels "{places.SERVICE_LABEL}"}}}} {{{{.State.Status}}}} {{{{.RestartCount}}}} {{{{.State.ExitCode}}}} {{{{if .State.Health}}}}{{{{.State.Health.Status}}}}{{{{else}}}}none{{{{end}}}}' $ids) ||
        docker version >/dev/null
}}; do
    tries=$((tries + 1))
    [ $tries -lt {_TRIES} ] || exit 1
    sleep 1
done
[ -z "$said" ] || echo "$said"
exit 0
"""


@dataclass(frozen=True, slots=True)
class State:
    """How a container is: Docker's words."""

    status: str
    restarts: int
    code: int
    health: str


@dataclass(frozen=True, slots=True)
class _Question:
    service: str
    at_once: bool


class Watch:
    """One target's containers of one estate."""

    def __init__(self, target: Target, estate: str) -> None:
        self._target = target
        self._estate = estate
        self._since = _AT_ONCE
        self._together = Together(self._look)

    async def state(self, service: str, *, at_once: bool) -> State | None:
        """How its container is, None where there is none; unless `at_once`, when something has happened, or a moment later.

        Raises BackendError where Docker does not answer: then nobody knows.
        """
        return await self._together.ask(_Question(service, at_once))

    async def _look(self, questions: Sequence[_Question]) -> Sequence[State | None]:
        since = _AT_ONCE if any(each.at_once for each in questions) else self._since
        words = ["sh", "-c", WATCH, "watch", self._estate, since]
        ended = await self._target.run(words, timeout=_SECONDS)
        if ended.code:
            raise BackendError(problems.docker_silent(self._target.name, ended.errors))
        now, *lines = ended.output.splitlines() or [_AT_ONCE]
        self._since = now
        found = _states(lines)
        return [found.get(each.service) for each in questions]


def _states(lines: Sequence[str]) -> Mapping[str, State]:
    """By service; of two containers of a service the one that runs."""
    found: dict[str, State] = {}
    for line in lines:
        service, *words = line.split(" ")
        status, restarts, code, health = words
        state = State(status, int(restarts), int(code), health)
        if service not in found or state.status == "running":
            found[service] = state
    return found
