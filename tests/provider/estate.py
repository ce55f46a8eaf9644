"""An estate for the provider's tests: infra.yml as text, planned and applied on a real or a fake Incus."""

import asyncio
import textwrap
from collections import Counter
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from freehold.config.load import load
from freehold.engine.events import Event
from freehold.engine.planner import Planner
from freehold.engine.run import RunResult, run
from freehold.model import Infra
from freehold.planning.change import Change
from freehold.planning.plan import Plan
from freehold.planning.selection import Selection
from freehold.providers.incus.images import ServerImages
from freehold.providers.incus.provider import IncusProvider
from freehold.system.incus.api import Incus, IncusError, Progress

Value = TypeVar("Value")

ONE_MACHINE = """
    freehold: 1
    name: test-estate
    domains:
      lab:
        subnet_id: 7
        machines:
          one: {ip: 10.100.7.10}
    """


def infra_of(folder: Path, text: str) -> Infra:
    """The estate that `text` declares."""
    (folder / "infra.yml").write_text(textwrap.dedent(text), encoding="utf-8")
    loaded = load(folder)
    assert loaded.infra is not None, loaded.diagnostics
    return loaded.infra


class Counting:
    """An Incus that counts what is written through it."""

    def __init__(self, incus: Incus) -> None:
        self.incus = incus
        self.writes: list[str] = []
        self.reads = 0
        self.looks_at_state: Counter[str] = Counter()

    async def get(self, path: str, **query: str) -> Any:
        self.reads += 1
        if path.endswith("/state"):
            self.looks_at_state[path.split("/")[2]] += 1
        return await self.incus.get(path, **query)

    async def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        progress: Progress | None = None,
        **query: str,
    ) -> Any:
        self.writes.append(f"{method} {path}")
        return await self.incus.send(method, path, body, progress=progress, **query)

    async def execute(self, *arguments: Any, **options: Any) -> Any:
        self.writes.append("exec")
        return await self.incus.execute(*arguments, **options)

    async def wait_ready(self, timeout: float) -> None:
        await self.incus.wait_ready(timeout)

    async def close(self) -> None:
        await self.incus.close()


@dataclass
class Server:
    """One Incus, and a loop to talk to it from tests that are not coroutines."""

    incus: Counting
    folder: Path
    loop: asyncio.AbstractEventLoop
    is_real: bool
    events: list[Event] = field(default_factory=list)

    def wait(self, work: Coroutine[Any, Any, Value]) -> Value:
        return self.loop.run_until_complete(work)

    def planner(self, text: str, **options: Any) -> Planner:
        provider = IncusProvider(self.incus, ServerImages(self.incus))
        return Planner(infra=infra_of(self.folder, text), provider=provider, **options)

    def plan(self, text: str, **options: Any) -> Plan:
        return self.wait(self.planner(text, **options).look()).plan

    def apply(self, text: str, **options: Any) -> RunResult:
        """Plan and carry out; fails the test when the plan may not be applied or a change fails."""
        planner = self.planner(text, **options)
        plan = self.wait(planner.look()).plan
        assert plan.can_apply, plan.diagnostics
        self.events.clear()
        result = self.wait(run(planner, plan, self.events.append, asyncio.Event()))
        problems = [(str(o.change.address), o.status, o.diagnostics) for o in result.outcomes]
        assert result.exit_code == 0, (problems, result.unsettled)
        return result

    def destroy(self, text: str) -> RunResult:
        return self.apply(text, destroy=True)

    def instance(self, project: str, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.wait(self.incus.get(f"/instances/{name}", project=project))
        return found

    def exists(self, path: str, project: str = "default") -> bool:
        try:
            self.wait(self.incus.get(path, project=project))
        except IncusError as error:
            if error.status == 404:
                return False
            raise
        return True

    def addresses(self, project: str, name: str) -> list[str]:
        from freehold.providers.incus.readiness import addresses

        state = self.wait(self.incus.get(f"/instances/{name}/state", project=project))
        return list(addresses(state))

    def by_hand(self, method: str, path: str, body: Mapping[str, object], project: str) -> None:
        """What somebody does with `incus`, behind Freehold's back."""
        self.wait(self.incus.incus.send(method, path, body, project=project))


def change_of(plan: Plan, address: str) -> Change:
    """The one change of this address; fails when there is none."""
    found = [change for change in plan.changes if str(change.address) == address]
    assert found, [str(change.address) for change in plan.changes]
    return found[0]


def summary(plan: Plan) -> dict[str, str]:
    """Address to action, for comparing a whole plan at a glance."""
    return {str(change.address): change.action.value for change in plan.changes}


def only(limit: str) -> Selection:
    """`--limit LIMIT`."""
    return Selection(limits=(limit,))
