"""Takes a service away that infra.yml no longer names: container, entry, files, secrets, networks. Its volumes stay. Called by `provider`."""

from collections.abc import Sequence

from freehold.diagnostics import BackendError
from freehold.planning.change import Change
from freehold.providers.compose import places, problems
from freehold.providers.compose.docker import Docker
from freehold.providers.protocol import Report, Step

_STOP_SECONDS = 30.0  # for one whose own time nobody knows


def removal(change: Change, docker: Docker) -> Sequence[Step]:
    """The steps of a deletion. The container goes last: as long as it is there, the next plan knows that there is more to do."""
    name = places.name_of(change.address)

    async def run(report: Report) -> None:
        grace = str((change.observed or {}).get("stop_grace_period", "")).removesuffix("s")
        seconds = float(grace) if grace.isdigit() else _STOP_SECONDS
        async with docker.project() as project:
            before = {*project.networks(), *(change.observed or {}).get("networks", ())}
            await docker.stop(name, seconds)
            project.entries.pop(name, None)
            project.previous.pop(name, None)
            await docker.save(project)
            folders = (places.files_folder, places.secrets_folder)
            await docker.delete(*(folder(docker.estate, name) for folder in folders))
            ended = await docker.remove(name, seconds)
            if ended.code:
                raise BackendError(problems.not_removed(change.address, ended.errors))
            await docker.remove_networks(sorted(before - project.networks()))

    return [Step(f"remove {name}, but for its data", run)]
