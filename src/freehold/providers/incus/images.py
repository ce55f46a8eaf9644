"""Where the image of a machine comes from: what goes into `source` when Incus creates an instance.

`ServerImages` is for a server with a way out; the lab brings its own `Images` (`operations.lab`).
"""

from collections.abc import Mapping
from typing import Protocol

from freehold.model import MachineType
from freehold.providers.incus.instances import API_TYPES
from freehold.providers.protocol import Report
from freehold.system.incus.api import Incus, IncusError

IMAGE_SERVER = "https://images.linuxcontainers.org"  # the remote `images:` of every Incus client


class Images(Protocol):
    """Finds an image by the name that infra.yml gives it."""

    async def source(
        self, image: str, machine_type: MachineType, report: Report
    ) -> Mapping[str, object]:
        """The `source` of a create or rebuild request. Raises BackendError when there is no such image."""


class ServerImages:
    """A local alias where there is one, else the image server that Incus users know as `images:`."""

    def __init__(self, incus: Incus, image_server: str = IMAGE_SERVER) -> None:
        self._incus = incus
        self._image_server = image_server

    async def source(
        self, image: str, machine_type: MachineType, report: Report
    ) -> Mapping[str, object]:
        alias = image.removeprefix("images:")
        if alias == image and await self._has_alias(alias, machine_type):
            return {"type": "image", "alias": alias}
        return {
            "type": "image",
            "mode": "pull",
            "protocol": "simplestreams",
            "server": self._image_server,
            "alias": alias,
        }

    async def _has_alias(self, alias: str, machine_type: MachineType) -> bool:
        """An alias names images for one type of instance only."""
        try:
            found = await self._incus.get(f"/images/aliases/{alias}")
        except IncusError as error:
            if error.status == 404:
                return False
            raise
        return bool(found["type"] == API_TYPES[machine_type])
