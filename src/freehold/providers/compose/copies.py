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

# Volumes that are not there yet have nothing to be copied. `cp` shares blocks where the file system can.
_ROOM = """
set -eu
folder=$1
shift
mkdir -p -m 700 "$folder"
need=0
for volume; do
    from=$(docker volume inspect --format '{{.Mountpoint}}' "$volume" 2>/dev/null) || continue
    need=$((need + $(du -sk "$from" | cut -f 1)))
done
free=$(df -Pk "$folder" | awk 'NR == 2 {print $4}')
echo "$((need / 1024)) MiB, and $((free / 1024)) MiB are free"
[ "$need" -lt "$((free - free / 10))" ] || exit 3
"""
_COPY = """
set -eu
cd "$1"
shift
rm -rf .new
mkdir .new
for volume; do
    from=$(docker volume inspect --format '{{.Mountpoint}}' "$volume" 2>/dev/null) || continue
    cp -a --reflink=auto "$from" ".new/$volume"
done
rm -rf last
mv .new last
"""
# What comes back lies beside, complete, before it takes its place.
_RESTORE = """
set -eu
cd "$1/last"
for volume in *; do
    [ -d "$volume" ] || continue
    to=$(docker volume inspect --format '{{.Mountpoint}}' "$volume")
    rm -rf "$to.back" "$to.gone"
    cp -a --reflink=auto "$volume" "$to.back"
    mv "$to" "$to.gone"
    mv "$to.back" "$to"
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
            raise BackendError(problems.not_copied(self.address, said, full=ended.code == _FULL))
        return ended.output.strip()

    async def take(self) -> None:
        """Copy the data of the service, which stands still. Raises BackendError."""
        ended = await self._run(_COPY, _HOURS)
        if ended.code:
            raise BackendError(problems.not_copied(self.address, ended.errors, full=False))
        self.taken = True

    async def bring_back(self) -> None:
        """Give the service, which stands still, its data as it was. Raises BackendError."""
        ended = await self._run(_RESTORE, _HOURS)
        if ended.code:
            raise BackendError(problems.not_brought_back(self.address, self.folder, ended.errors))

    async def _run(self, script: str, seconds: float) -> Ended:
        words = ["sh", "-c", script, "copy", self.folder, *self.volumes]
        return await self.docker.target.run(words, timeout=seconds)
