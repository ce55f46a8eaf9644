"""An estate with services for the tests: infra.yml as text, planned and carried out on a Docker, in memory or real."""

import asyncio
import shutil
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from freehold.diagnostics import Diagnostic
from freehold.engine.events import Event
from freehold.engine.planner import Planner
from freehold.engine.run import RunResult, run
from freehold.engine.systems import Systems
from freehold.model import Infra
from freehold.planning.plan import Plan
from freehold.providers.ansible.provider import AnsibleProvider
from freehold.providers.compose.provider import ComposeProvider
from freehold.providers.incus.images import ServerImages
from freehold.providers.incus.provider import IncusProvider
from freehold.providers.protocol import Provider
from freehold.providers.secrets.provider import SecretsProvider
from freehold.system.ansible.fake import FakePlaybooks
from freehold.system.incus.api import Incus
from freehold.system.secrets import Secrets
from freehold.system.targets import Ended, Target, Targets
from tests.provider.estate import infra_of

Value = TypeVar("Value")
CATALOG = Path(__file__).with_name("catalog")
TARGET = "home/box"

TWO_SERVICES = """
    freehold: 1
    name: maison
    domains:
      home:
        subnet_id: 7
        machines: {box: {ip: 10.100.7.10}}
    services:
      db: {on: home/box, service: keeper}
      site: {on: home/box, service: web, ports: {http: 80}}
    """


POISON = b"s3cr3t-p0is0n-Zq7"
"""The value of every secret: nothing else looks like it, so it can be searched for."""


class Counting:
    """Targets that note what is run and written."""

    def __init__(self, targets: Targets) -> None:
        self.inner = targets
        self.commands: list[tuple[str, ...]] = []
        self.written: list[str] = []

    def target(self, name: str) -> Target:
        return _Counted(self.inner.target(name), self)

    async def ansible_variables(self, name: str) -> Mapping[str, object]:
        return await self.inner.ansible_variables(name)

    async def close(self) -> None:
        await self.inner.close()


@dataclass(frozen=True)
class _Counted:
    inner: Target
    to: Counting

    @property
    def name(self) -> str:
        return self.inner.name

    async def run(
        self, command: Sequence[str], *, given: bytes = b"", timeout: float = 60.0
    ) -> Ended:
        self.to.commands.append(tuple(command))
        return await self.inner.run(command, given=given, timeout=timeout)

    async def write(
        self, path: str, content: bytes, *, mode: str = "0644", owner: str = "0:0"
    ) -> None:
        self.to.written.append(path)
        await self.inner.write(path, content, mode=mode, owner=owner)

    async def read(self, path: str) -> bytes | None:
        return await self.inner.read(path)


@dataclass
class Desk:
    """Somebody with an estate in a folder; Ansible is not run, for Docker is there."""

    folder: Path
    incus: Incus
    targets: Counting
    secrets: Secrets
    loop: asyncio.AbstractEventLoop
    prepared: Callable[[Infra], Infra] = lambda infra: infra
    text: str = TWO_SERVICES
    copies: bool = False
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        shutil.copytree(CATALOG, self.folder / "catalog", dirs_exist_ok=True)

    def wait(self, work: Coroutine[Any, Any, Value]) -> Value:
        return self.loop.run_until_complete(work)

    def edit(self, old: str, new: str) -> None:
        """Replace what must be there in infra.yml."""
        assert old in self.text
        self.text = self.text.replace(old, new)

    def planner(self, *, destroy: bool = False, **options: Any) -> Planner:
        """With `destroy` as the command of that name has it: what describes the estate stays."""
        logs = self.folder / "logs"
        inside = AnsibleProvider(
            self.folder, self.incus, self.targets, FakePlaybooks(), logs, self.secrets
        )
        compose = ComposeProvider(
            self.folder,
            self.incus,
            self.targets,
            self.secrets,
            files=not destroy,
            copies=self.copies,
        )
        whole: list[Provider] = [inside, SecretsProvider(self.secrets)]
        incus = IncusProvider(self.incus, ServerImages(self.incus))
        systems = Systems(incus, *([] if destroy else whole), compose)
        infra = self.prepared(infra_of(self.folder, self.text))
        return Planner(infra=infra, provider=systems, destroy=destroy, **options)

    def plan(self, **options: Any) -> Plan:
        plan = self.wait(self.planner(**options).look()).plan
        assert plan.can_apply, plan.diagnostics
        return plan

    def carry_out(self, **options: Any) -> RunResult:
        """Plan and carry out, however it ends."""
        planner = self.planner(**options)
        plan = self.wait(planner.look()).plan
        assert plan.can_apply, plan.diagnostics
        self.events.clear()
        self.targets.commands.clear()
        self.targets.written.clear()
        return self.wait(run(planner, plan, self.events.append, asyncio.Event()))

    def apply(self, **options: Any) -> RunResult:
        """The same; it must end well."""
        result = self.carry_out(**options)
        assert result.exit_code == 0, (problems_of(result), result.unsettled)
        return result

    def compose_file(self) -> Path:
        return self.folder / "compose/home/box/compose.yml"

    def by_hand(self, *command: str) -> str:
        """What somebody types on the target; it must end well."""
        ended = self.wait(self.targets.inner.target(TARGET).run(command))
        assert ended.code == 0, ended
        return ended.output

    def read(self, path: str) -> str:
        """A file of the target."""
        content = self.wait(self.targets.inner.target(TARGET).read(path))
        assert content is not None, path
        return content.decode()

    def containers(self) -> dict[str, tuple[str, str]]:
        """By service: which container it is, and whether it runs."""
        shown = '{{.Label "freehold.service"}} {{.ID}} {{.State}}'
        lines = self.by_hand("docker", "ps", "--all", "--no-trunc", "--format", shown).splitlines()
        return {name: (number, state) for name, number, state in map(str.split, lines)}

    def volumes(self) -> list[str]:
        return self.by_hand("docker", "volume", "ls", "--quiet").split()


def problems_of(result: RunResult) -> dict[str, tuple[Diagnostic, ...]]:
    """What failed, by address."""
    return {
        str(each.change.address): each.diagnostics for each in result.outcomes if each.diagnostics
    }
