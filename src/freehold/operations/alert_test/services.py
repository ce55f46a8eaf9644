"""The services on the way of an alert, and looks at them until something is there to be seen. For the parts of the test."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from freehold.model import Infra
from freehold.model.services import Service
from freehold.operations.service_api import ServiceApi
from freehold.system.targets.api import Targets

_EVERY = 1.0  # seconds between two looks
Seen = TypeVar("Seen")


@dataclass(frozen=True, slots=True)
class Services:
    """Those of an estate. `patience`: how many seconds a part may take."""

    infra: Infra
    targets: Targets
    patience: float

    def first(self, kind: str) -> Service | None:
        """The first of a catalog name."""
        return next((each for each in self.infra.services if each.descriptor.name == kind), None)

    def api(self, service: Service) -> ServiceApi:
        """Its API, at its first port."""
        target = self.targets.target(service.target)
        return ServiceApi(target, self.infra.name, service, service.descriptor.ports[0].number)

    async def until(
        self, look: Callable[[], Awaitable[Seen | None]], at_most: float | None = None
    ) -> Seen | None:
        """What the look finds, None when patience ends, or so many seconds when they are fewer."""
        end = time.monotonic() + min(self.patience, at_most or self.patience)
        while True:
            found = await look()
            if found is not None or time.monotonic() >= end:
                return found
            await asyncio.sleep(_EVERY)
