"""What Incus tells of the computer it runs on (`GET /1.0/resources`), asked for once in a look. Made by `provider.py`.

Measured on a computer without graphics cards: 13 ms at best, 20 in the median, 47 under load, where other reads take 1. With
NVIDIA's cards Incus runs `nvidia-container-cli` besides. So it is read only when machines want cards, or the plan makes or
enlarges something; never kept from one look to the next, for a driver may be loaded in between.
"""

import asyncio
from typing import Any

from freehold.system.incus.api import Incus


class Hardware:
    """The computer within one look."""

    def __init__(self, incus: Incus) -> None:
        self._incus = incus
        self._reading: asyncio.Future[Any] | None = None

    async def read(self) -> Any:
        """The answer. Raises IncusError where it is refused (by OpenFGA, without the right `can_view_resources`)."""
        if self._reading is None:
            self._reading = asyncio.ensure_future(self._incus.get("/resources"))
        return await self._reading

    async def prepare(self) -> None:
        """Read it now, while others read too; whether it failed is said by `read`."""
        await asyncio.gather(self.read(), return_exceptions=True)
