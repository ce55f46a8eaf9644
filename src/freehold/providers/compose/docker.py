"""Docker on one target, as far as services need it. Called by `update` and `removal`.

One thing at a time is done to the Compose file and the networks of a target, for all services that are ready for it at once; what takes
long (images, health) is done beside it.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from freehold.diagnostics import BackendError
from freehold.providers.compose import places, problems
from freehold.providers.compose.look import ONE_OFF
from freehold.providers.compose.project import Project
from freehold.providers.compose.starting import Starts
from freehold.providers.compose.together import Together
from freehold.providers.compose.watching import Watch
from freehold.system.targets import Ended, Target

_PULL_SECONDS = 3600.0
_MINUTE = 60.0
_STARTING = 120.0  # seconds that Compose may take beyond what stopping takes
_EACH = 15.0  # more for each service

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
_MISSING = """
docker image inspect --format '{{.Id}}' "$@" >/dev/null 2>&1 && exit 0
tries=0
for image; do
    until said=$(docker image inspect --format '{{.Id}}' "$image" 2>&1); do
        tries=$((tries + 1))
        case $said in *[Nn]"o such image"*) tries=60 ;; esac
        if [ $tries -ge 60 ] || [ "$(systemctl is-system-running 2>/dev/null)" != starting ]; then
            echo "$image"
            break
        fi
        sleep 1
    done
done
"""
# Each line of the input names a folder and the versions that stay.
_THIN = """
while read -r folder keep; do
    cd "$folder" 2>/dev/null || continue
    for each in * .[!.]*; do
        case " $keep " in *" $each "*) ;; *) rm -rf "./$each" ;; esac
    done
done
"""
_RUNNING = 'docker ps --quiet --no-trunc --filter "label=$1" --filter "label=$2"'
_CONTAINERS = f"{_RUNNING} --all"
_NO_ONE_OFF = f'--filter "label={ONE_OFF}=False"'
_LOG = f"""
for id in $({_CONTAINERS} {_NO_ONE_OFF}); do
    docker logs --tail 15 "$id" 2>&1
    docker inspect --type container --format '{{{{if .State.Health}}}}{{{{range .State.Health.Log}}}}{{{{println .Output}}}}{{{{end}}}}{{{{end}}}}' "$id" | tail -n 3
done
"""
_INSIDE = f"""
id=$({_RUNNING} {_NO_ONE_OFF} | head -n 1)
[ -n "$id" ] || {{ echo "its container does not run" >&2; exit 1; }}
seconds=$3
shift 3
timeout "$seconds" docker exec "$id" "$@"
"""
# It says the number of each.
_STOP = f'for id in $({_RUNNING}); do docker stop --time "$3" "$id" || exit 1; done'
_REMOVE = f"""
for id in $({_CONTAINERS}); do
    docker stop --time "$3" "$id" >/dev/null 2>&1
    docker rm --force "$id" >/dev/null || exit 1
done
"""
_REMOVE_NETWORKS = """
mark=$1
shift
for name; do
    id=$(docker network ls --quiet --no-trunc --filter "label=$mark" --filter "name=^$name\\$")
    [ -z "$id" ] || docker network rm "$id"
done
"""


@dataclass(slots=True)
class Docker:
    """One target's, for one estate."""

    target: Target
    estate: str
    watch: Watch = field(init=False)
    starts: Starts = field(init=False)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _project: Project | None = None
    _text: str = ""
    _missing: Together[str, bool] = field(init=False)

    def __post_init__(self) -> None:
        self.watch = Watch(self.target, self.estate)
        self.starts = Starts(self)
        self._missing = Together(self._missing_of)

    async def fetch(self, image: str) -> None:
        """Have an image there; a registry is asked only when it is missing. Raises BackendError."""
        if await self._missing.ask(image):
            pulled = await self.target.run(
                ["docker", "pull", "--quiet", image], timeout=_PULL_SECONDS
            )
            if pulled.code:
                problem = problems.no_image(self.target.name, image, pulled.errors)
                raise BackendError(problem)

    async def _missing_of(self, images: Sequence[str]) -> Sequence[bool]:
        words = ["sh", "-c", _MISSING, "docker", *dict.fromkeys(images)]
        ended = await self.target.run(words, timeout=_STARTING)
        missing = set(images) if ended.code else set(ended.output.splitlines())
        return [image in missing for image in images]

    async def unpack(self, folder: str, packed: bytes, *, secret: bool) -> Ended:
        """Files as they are to be in a folder. The way to secrets is root's alone."""
        above, _, version = folder.rpartition("/")
        umask = "077" if secret else "022"
        words = ["sh", "-c", _UNPACK, "unpack", above, version, umask, places.root(self.estate)]
        return await self.target.run(words, given=packed, timeout=_MINUTE)

    async def delete(self, *folders: str) -> None:
        """Delete folders with all versions in them."""
        await self.target.run(["rm", "-rf", *folders], timeout=_MINUTE)

    async def thin(self, project: Project, names: Sequence[str]) -> None:
        """Delete the versions of these services' files that no entry names any more."""
        lines = [
            " ".join([folder, *sorted(project.versions(name, folder))])
            for name in names
            for of in (places.files_folder, places.secrets_folder)
            if (folder := of(self.estate, name))
        ]
        given = "".join(f"{line}\n" for line in lines).encode()
        await self.target.run(["sh", "-c", _THIN], given=given, timeout=_MINUTE)

    @asynccontextmanager
    async def project(self) -> AsyncIterator[Project]:
        """The target's Compose file, to be changed; written at the end, and before by `save`. It is read once."""
        async with self._lock:
            project, self._project = self._project or await self._read(), None
            yield project
            await self.save(project)
            self._project = project  # but not where anything failed in between

    async def _read(self) -> Project:
        path = places.running_file(self.estate)
        project = Project.read(self.estate, await self.target.read(path))
        self._text = project.text(self.target.name)
        return project

    async def save(self, project: Project) -> None:
        """Write the file now, if it says anything new."""
        text = project.text(self.target.name)
        if text != self._text:
            path = places.running_file(self.estate)
            await self.target.write(path, text.encode(), mode="0600")
            self._text = text

    async def up(self, *names: str, anew: bool, stop_seconds: float) -> Ended:
        """Start these services and touch no other; `anew` also where Compose sees no difference."""
        file = places.running_file(self.estate)
        words = ["docker", "compose", "--project-name", self.estate, "--file", file, "up", "--detach",
                 "--no-deps", "--quiet-pull", *(["--force-recreate"] if anew else []), *names]  # fmt: skip
        return await self.target.run(words, timeout=stop_seconds + _STARTING + _EACH * len(names))

    async def last_words(self, name: str) -> str:
        """The end of its log, and of what its health check said."""
        return (await self._of(_LOG, name)).output

    async def run_inside(self, name: str, words: Sequence[str], seconds: float) -> Ended:
        """Run a command in its container; one that takes longer than `seconds` ends with 124."""
        return await self._of(_INSIDE, name, *words, seconds=seconds)

    async def stop(self, name: str, seconds: float) -> Sequence[str]:
        """Stop it, if it runs; the containers that were stopped."""
        return (await self._of(_STOP, name, seconds=seconds)).output.split()

    async def go_on(self, containers: Sequence[str]) -> Ended:
        """Start again what was stopped, as it is."""
        return await self.target.run(["docker", "start", *containers], timeout=_STARTING)

    async def remove(self, name: str, seconds: float) -> Ended:
        """Stop and delete its container; volumes stay."""
        return await self._of(_REMOVE, name, seconds=seconds)

    async def remove_networks(self, names: Sequence[str]) -> None:
        """Those of the estate that nothing is in any more; Docker itself refuses the others."""
        if networks := [f"{self.estate}_{name}" for name in names]:
            mark = f"{places.ESTATE_LABEL}={self.estate}"
            await self.target.run(["sh", "-c", _REMOVE_NETWORKS, "docker", mark, *networks])

    async def _of(self, script: str, name: str, *more: str, seconds: float = 0.0) -> Ended:
        labels = [f"{places.ESTATE_LABEL}={self.estate}", f"{places.SERVICE_LABEL}={name}"]
        words = ["sh", "-c", script, "docker", *labels, f"{seconds:.0f}", *more]
        return await self.target.run(words, timeout=seconds + _MINUTE)
