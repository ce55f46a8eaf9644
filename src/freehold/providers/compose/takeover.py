"""Has a service keep the secrets that its files say, where it reads them at its very first start alone. Called by `update`.

A mark lies beside the delivered secrets from before the start until it is done, so that neither a killed run nor one that failed is
forgotten: `look` tells it as part of the state. The commands stand in the entry, so that what is gone back to has its own.
"""

from collections.abc import Iterator

from freehold.providers.compose import places
from freehold.providers.compose.content import Piece
from freehold.providers.compose.docker import Docker
from freehold.providers.compose.entry import TAKEOVER, Entry
from freehold.providers.compose.problems import TAKEOVER_SECONDS
from freehold.providers.compose.project import versions_in
from freehold.system.targets import Ended

MARK = Piece(places.takeover_mark(""), b"", "", "0600", "0:0", secret=True)
"""As it is delivered with the secrets themselves, in one step."""


async def mark(docker: Docker, name: str, entry: Entry) -> None:
    """Note that the service of this entry has still to take over the secrets that it names, if it does that at all."""
    if entry.get(TAKEOVER):
        for path in _marks(docker.estate, name, entry):
            await docker.target.write(path, b"", mode="0600")


async def take_over(docker: Docker, name: str, entry: Entry) -> Ended | None:
    """Run the commands of an entry in its container, which is healthy; None when all went well, else what the failed one answered."""
    for words in entry.get(TAKEOVER, ()):
        ended = await docker.run_inside(name, words, TAKEOVER_SECONDS)
        if ended.code:
            return ended
    for path in _marks(docker.estate, name, entry):
        await docker.target.run(["rm", "-f", path])
    return None


def _marks(estate: str, name: str, entry: Entry) -> Iterator[str]:
    folder = places.secrets_folder(estate, name)
    for version in sorted(versions_in(entry, folder)):
        yield places.takeover_mark(f"{folder}/{version}")
