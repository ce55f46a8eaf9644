"""Routing in memory, for fast tests. Used by tests alone."""

from freehold.system.routing.api import RoutingError, Way


class FakeRouting:
    """Keeps ways; `wrong` are the faults to tell, until the way is kept again. `broken` refuses every change."""

    def __init__(self) -> None:
        self.ways: dict[str, Way] = {}
        self.wrong: list[str] = []
        self.broken = ""

    async def way(self, name: str) -> Way | None:
        return self.ways.get(name)

    async def faults(self, name: str) -> list[str]:
        return list(self.wrong) if name in self.ways else []

    async def keep(self, name: str, way: Way) -> None:
        if self.broken:
            raise RoutingError("handing packets over", self.broken)
        self.ways[name] = way
        self.wrong = []

    async def forget(self, name: str) -> None:
        self.ways.pop(name, None)
