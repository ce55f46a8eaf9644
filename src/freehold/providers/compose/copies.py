"""A copy of a service's data from before its update, and the way back to it. Used by `update` where the run asks for copies.

The service stands still while its volumes are copied, so the copy is consistent whatever wrote it. The last one of each service is kept on
the target, for root alone, until the next takes its place.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from freehold.diagnostics import BackendError
from freehold.planning.address import Address
from freehold.providers.compose import places, problems
from freehold.providers.compose.docker import Docker
from freehold.system.targets import Ended

_HOURS = 4 * 3600.0  # seconds that copying may take
_MEASURING = 600.0
_FULL = 3  # the exit code of _ROOM that says so

# Volumes that are not there yet have nothing to be copied; whoever else is at work on one would be copied half-way, or lose what it writes.
_VOLUMES = """
set -eu
folder=$1
shift
there=$(docker volume ls --quiet)
is_there() { echo "$there" | grep -qxF -- "$1"; }
place() { docker volume inspect --format '{{.Mountpoint}}' "$1"; }
unused() {
    used=$(docker ps --filter "volume=$1" --format '{{.Names}}')
    [ -z "$used" ] || { echo "the volume $1 is in use by" $used >&2; exit 1; }
}
"""
_ROOM = f"""{_VOLUMES}
mkdir -p -m 700 "$folder"
need=0
for volume; do
    is_there "$volume" || continue
    from=$(place "$volume")
    size=$(du -sk "$from/" | cut -f 1)
    need=$((need + size))
done
free=$(df -Pk "$folder" | awk 'NR == 2 {{print $4}}')
echo "$((need / 1024)) MiB to copy, and $((free / 1024)) MiB are free"
[ "$need" -le "$((free - free / 10))" ] || exit {_FULL}
"""
# `cp` shares blocks where the file system can.
_COPY = f"""{_VOLUMES}
cd "$folder"
rm -rf .new
trap 'rm -rf .new' EXIT
mkdir .new
for volume; do
    is_there "$volume" || continue
    unused "$volume"
    from=$(place "$volume")
    cp -a --reflink=auto "$from/." ".new/$volume"
done
rm -rf last
mv .new last
"""
# What comes back is complete before it takes its place. From the same file system it is moved, for the new version may have left no room.
_RESTORE = f"""{_VOLUMES}
cd "$folder/last"
for volume; do
    [ -d "$volume" ] || continue
    unused "$volume"
    to=$(place "$volume")
    back=$volume
    rm -rf "$to.back" "$to.gone"
    if [ "$(stat -c %d "$volume")" != "$(stat -c %d "$(dirname "$to")")" ]; then
        back=$to.back
        cp -a "$volume" "$back" || {{ rm -rf "$back"; exit 1; }}
    fi
    mv "$to" "$to.gone"
    mv "$back" "$to"
    rm -rf "$to.gone"
done
"""


@dataclass(slots=True)
class Copy:
    """The data of one service. `taken`: by this run, so that it is what was there just before."""

    docker: Docker
    address: Address
    volumes: Sequence[str]
    taken: bool = field(default=False, init=False)

    @property
    def folder(self) -> str:
        """On the target; the copy itself is `last` in it."""
        return places.copies_folder(self.docker.estate, places.name_of(self.address))

    async def room(self) -> str:
        """How much there is to copy, in words. Raises BackendError where it does not fit."""
        ended = await self._run(_ROOM, _MEASURING)
        if ended.code:
            said = ended.output if ended.code == _FULL else ended.errors
            raise BackendError(problems.not_copied(self.address, said))
        return ended.output.strip()

    async def take(self) -> None:
        """Copy the data of the service, which stands still. Raises BackendError."""
        ended = await self._run(_COPY, _HOURS)
        if ended.code:
            raise BackendError(problems.not_copied(self.address, ended.errors))
        self.taken = True

    async def bring_back(self) -> None:
        """Give the service, which stands still, its data as it was. Raises BackendError."""
        ended = await self._run(_RESTORE, _HOURS)
        if ended.code:
            raise BackendError(problems.not_brought_back(self.address, self.folder, ended.errors))

    async def _run(self, script: str, seconds: float) -> Ended:
        words = ["sh", "-c", script, "copy", self.folder, *self.volumes]
        return await self.docker.target.run(words, timeout=seconds)
