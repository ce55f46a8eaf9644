"""Docker on one target, as far as services need it. Called by `update` and `removal`.

One thing at a time is done to the Compose file and the networks of a target; what takes long (images, health) is done beside it.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from freehold.diagnostics import BackendError
from freehold.providers.compose import places, problems
from freehold.providers.compose.project import Project
from freehold.system.targets import Ended, Target

_PULL_SECONDS = 3600.0
_MINUTE = 60.0
_STARTING = 120.0  # seconds that Compose may take beyond what stopping takes

# Files are unpacked beside, and take their place at once. Everybody may pass to the estate's folder, to secrets only root.
_UNPACK = """
set -e
install -d -m 755 "$4"
umask "$3"
mkdir -p "$1"
rm -rf "$1/.$2"
mkdir "$1/.$2"
tar -xpf - -C "$1/.$2"
rm -rf "$1/$2"
mv "$1/.$2" "$1/$2"
"""
# The computer may just have been started, for what is to run on it.
_HAS_IMAGE = """
tries=0
until said=$(docker image inspect --format '{{.Id}}' "$1" 2>&1); do
    tries=$((tries + 1))
    [ $tries -lt 60 ] && [ "$(systemctl is-system-running 2>/dev/null)" = starting ] || exit 1
    case $said in *[Nn]"o such image"*) exit 1 ;; esac
    sleep 1
done
"""
# Versions other than those named.
_THIN = """
cd "$1" 2>/dev/null || exit 0
shift
for each in * .[!.]*; do
    case " $* " in *" $each "*) ;; *) rm -rf "./$each" ;; esac
done
"""
_CONTAINERS = 'docker ps --all --quiet --no-trunc --filter "label=$1" --filter "label=$2"'
_STATE = f"""
ids=$({_CONTAINERS}) && [ -n "$ids" ] || exit 1
docker inspect --type container --format '{{{{.State.Status}}}} {{{{.RestartCount}}}} {{{{.State.ExitCode}}}} {{{{if .State.Health}}}}{{{{.State.Health.Status}}}}{{{{else}}}}none{{{{end}}}}' $ids
"""
_LOG = f"""
for id in $({_CONTAINERS}); do
    docker logs --tail 15 "$id" 2>&1
    docker inspect --type container --format '{{{{if .State.Health}}}}{{{{range .State.Health.Log}}}}{{{{println .Output}}}}{{{{end}}}}{{{{end}}}}' "$id" | tail -n 3
done
"""
_STOP = f'for id in $({_CONTAINERS}); do docker stop --time "$3" "$id" >/dev/null || exit 1; done'
_REMOVE = f"""
for id in $({_CONTAINERS}); do
    docker stop --time "$3" "$id" >/dev/null 2>&1
    docker rm --force "$id" >/dev/null || exit 1
done
"""


@dataclass(frozen=True, slots=True)
class State:
    """How a container is: Docker's words."""

    status: str
    restarts: int
    code: int
    health: str


@dataclass(slots=True)
class Docker:
    """One target's, for one estate."""

    target: Target
    estate: str
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _text: str = ""

    async def fetch(self, image: str) -> None:
        """Have an image there; a registry is asked only when it is missing. Raises BackendError."""
        there = await self.target.run(["sh", "-c", _HAS_IMAGE, "docker", image], timeout=_STARTING)
        if there.code:
            pulled = await self.target.run(
                ["docker", "pull", "--quiet", image], timeout=_PULL_SECONDS
            )
            if pulled.code:
                problem = problems.no_image(self.target.name, image, pulled.errors)
                raise BackendError(problem)

    async def unpack(self, folder: str, packed: bytes, *, secret: bool) -> Ended:
        """Files as they are to be in a folder. The way to secrets is root's alone."""
        above, _, version = folder.rpartition("/")
        umask = "077" if secret else "022"
        words = ["sh", "-c", _UNPACK, "unpack", above, version, umask, places.root(self.estate)]
        return await self.target.run(words, given=packed, timeout=_MINUTE)

    async def delete(self, folder: str) -> None:
        """Delete a folder with all versions in it."""
        await self.target.run(["rm", "-rf", folder], timeout=_MINUTE)

    async def thin(self, folder: str, keep: Sequence[str]) -> None:
        """Delete the versions in a folder that nothing uses any more."""
        await self.target.run(["sh", "-c", _THIN, "thin", folder, *keep], timeout=_MINUTE)

    @asynccontextmanager
    async def project(self) -> AsyncIterator[Project]:
        """The target's Compose file, to be changed; written at the end, and before by `save`."""
        async with self._lock:
            path = places.running_file(self.estate)
            project = Project.read(self.estate, await self.target.read(path))
            self._text = project.text(self.target.name)
            yield project
            await self.save(project)

    async def save(self, project: Project) -> None:
        """Write the file now, if it says anything new."""
        text = project.text(self.target.name)
        if text != self._text:
            path = places.running_file(self.estate)
            await self.target.write(path, text.encode(), mode="0600")
            self._text = text

    async def up(self, name: str, *, anew: bool, stop_seconds: float) -> Ended:
        """Start one service and touch no other; `anew` also where Compose sees no difference."""
        file = places.running_file(self.estate)
        words = ["docker", "compose", "--project-name", self.estate, "--file", file, "up", "--detach",
                 "--no-deps", "--quiet-pull", *(["--force-recreate"] if anew else []), name]  # fmt: skip
        return await self.target.run(words, timeout=stop_seconds + _STARTING)

    async def state(self, name: str) -> State | None:
        """How the service's container is, None where there is none."""
        ended = await self._of(_STATE, name)
        lines = [line.split() for line in ended.output.splitlines() if len(line.split()) == 4]
        if ended.code or not lines:
            return None
        states = [State(status, int(times), int(code), health) for status, times, code, health in lines]  # fmt: skip
        return next((each for each in states if each.status == "running"), states[0])

    async def last_words(self, name: str) -> str:
        """The end of its log, and of what its health check said."""
        return (await self._of(_LOG, name)).output

    async def stop(self, name: str, seconds: float) -> None:
        """Stop it, if it runs."""
        await self._of(_STOP, name, seconds=seconds)

    async def remove(self, name: str, seconds: float) -> Ended:
        """Stop and delete its container; volumes stay."""
        return await self._of(_REMOVE, name, seconds=seconds)

    async def remove_networks(self, names: Sequence[str]) -> None:
        """Those that nothing is in any more; Docker itself refuses the others."""
        for name in names:
            await self.target.run(["docker", "network", "rm", f"{self.estate}_{name}"])

    async def _of(self, script: str, name: str, seconds: float = 0.0) -> Ended:
        labels = [f"{places.ESTATE_LABEL}={self.estate}", f"{places.SERVICE_LABEL}={name}"]
        words = ["sh", "-c", script, "docker", *labels, f"{seconds:.0f}"]
        return await self.target.run(words, timeout=seconds + _MINUTE)
