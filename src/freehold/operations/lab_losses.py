"""What a reset of the lab would delete. Called by `cli.lab`, which asks before it does so."""

from dataclasses import dataclass
from typing import Any

from freehold.operations.lab import Lab
from freehold.operations.lab.layout import layout
from freehold.system.unix_http import ask

PATIENCE = 10.0  # seconds


@dataclass(frozen=True, slots=True)
class Losses:
    """Names of machines and of volumes. `certain`: Incus was asked; else what its folder shows, volumes unknown."""

    machines: tuple[str, ...]
    volumes: tuple[str, ...] = ()
    certain: bool = True

    @property
    def is_data(self) -> bool:
        """Whether anything is lost that cannot simply be made again."""
        return bool(self.machines or self.volumes)


def losses(lab: Lab) -> Losses:
    """Everything that a reset would take away for good; the lab may be stopped."""
    if lab.running:
        try:
            return Losses(_machines(lab), _volumes(lab))
        except (OSError, ValueError, KeyError, TypeError):
            pass  # Incus is away: its folder still says something
    return Losses(_machines_on_disk(lab), certain=False)


def _machines(lab: Lab) -> tuple[str, ...]:
    return tuple(sorted(entry["name"] for entry in _asked(lab, "/instances")))


def _volumes(lab: Lab) -> tuple[str, ...]:
    found = []
    for pool in _asked(lab, "/storage-pools"):
        path = f"/storage-pools/{pool['name']}/volumes/custom"
        found += [entry["name"] for entry in _asked(lab, path)]
    return tuple(sorted(found))


def _asked(lab: Lab, path: str) -> list[dict[str, Any]]:
    reply = ask(lab.socket, "GET", f"/1.0{path}?recursion=1&all-projects=true", timeout=PATIENCE)
    return list(reply.body["metadata"] or [])


def _machines_on_disk(lab: Lab) -> tuple[str, ...]:
    """Incus keeps a link for each instance: `NAME`, or `PROJECT_NAME` outside of the project `default`."""
    incus = layout(lab.root).incus
    links = [
        link for kind in ("containers", "virtual-machines") for link in (incus / kind).glob("*")
    ]
    return tuple(sorted(link.name.rpartition("_")[2] for link in links))
