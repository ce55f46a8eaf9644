"""Estates that carry a poison, each on a stage of its own: what is real there and what is played differs, what must hold does not.

A stage plans, saves the plan, applies, and fails the next time, and gives all that can be looked at to a `Search`. To try another
target, add a stage to `STAGES`.
"""

import asyncio
import io
import json
import shutil
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

from freehold.cli import estate as cli_estate
from freehold.cli.options import Common
from freehold.engine.journal import Journal, past_runs
from freehold.engine.planner import Planner
from freehold.engine.run import RunResult, run
from freehold.engine.systems import Systems
from freehold.planning.document import Inputs, SavedPlan, plan_document
from freehold.planning.plan import Plan
from freehold.providers.ansible.provider import AnsibleProvider
from freehold.providers.compose.provider import ComposeProvider
from freehold.providers.incus.images import ServerImages
from freehold.providers.incus.provider import IncusProvider
from freehold.providers.secrets.provider import SecretsProvider
from freehold.system.ansible.fake import FakePlaybooks
from freehold.system.ansible.program import AnsibleProgram
from freehold.system.incus.fake import FakeIncus
from freehold.system.secrets.store import SecretsFile
from freehold.system.targets.fake import FakeTargets
from freehold.views.diagnostics import render_diagnostics
from freehold.views.plan import render_plan
from freehold.views.run_document import run_document
from tests.compose.docker import FakeDocker
from tests.compose.estate import CATALOG, TARGET, TWO_SERVICES
from tests.compose.real import IMAGES
from tests.secrets.poison import Search
from tests.throwaway import IMAGE

SECRET = "api_token"


@dataclass(kw_only=True)
class Stage:
    """An estate whose secret `SECRET` is the poison; the targets have what they are given below `place`, or in memory."""

    folder: Path
    place: Path
    poison: str
    incus: FakeIncus = field(default_factory=lambda: FakeIncus(images=(IMAGE,)))

    def __post_init__(self) -> None:
        self.prepare()
        SecretsFile(self.folder).put(SECRET, self.poison.encode())

    def prepare(self) -> None:
        """The files of the estate, as its user writes them."""
        raise NotImplementedError

    def systems(self, secrets: SecretsFile) -> Systems:
        """What the planner sees."""
        raise NotImplementedError

    def break_it(self) -> None:
        """Let the next apply fail with the poison in what is said."""
        raise NotImplementedError

    def targets(self, search: Search) -> list[str]:
        """What is on the targets: given to the search, but the contents of the files in which the value belongs. Those are returned."""
        raise NotImplementedError

    def live(self, search: Search) -> None:
        """Everything that a user does in the life of the estate, with all that is said given to the search."""
        self._plans(search)
        with search.processes():
            first = self._applied(search)
            self.break_it()
            second = self._applied(search)
        assert first.exit_code == 0, [each.diagnostics for each in first.outcomes]
        assert second.exit_code in (1, 4), second
        for past in past_runs(self.folder):
            search.text(f"log of {past.name}", json.dumps(past.events))

    def _planner(self) -> Planner:
        infra, _ = cli_estate.loaded(Common(directory=self.folder))
        return Planner(infra=infra, provider=self.systems(SecretsFile(self.folder)))

    def _plans(self, search: Search) -> None:
        """As text, in full, as JSON, saved."""
        picture = asyncio.run(self._planner().look())
        assert picture.plan.can_apply, picture.plan.diagnostics
        for verbose in (False, True):
            shown = io.StringIO()
            render_plan(picture.plan, shown, verbose=verbose)
            search.text("the plan", shown.getvalue())
        search.text("plan --json", json.dumps(plan_document(picture.plan)))
        _, loaded = cli_estate.loaded(Common(directory=self.folder))
        inputs = Inputs(cli_estate.sources(loaded))
        saved = SavedPlan.of(picture.plan, picture.observed, inputs)
        search.text("the saved plan", saved.dump())

    def _applied(self, search: Search) -> RunResult:
        plan, result = asyncio.run(self._carried_out())
        search.text("apply --json", json.dumps(run_document(plan, result, seconds=1.0)))
        for outcome in result.outcomes:
            shown = io.StringIO()
            render_diagnostics(outcome.diagnostics, shown)
            search.text(f"what failed: {outcome.change.address}", shown.getvalue())
        return result

    async def _carried_out(self) -> tuple[Plan, RunResult]:
        planner = self._planner()
        picture = await planner.look()
        assert picture.plan.can_apply, picture.plan.diagnostics
        journal = Journal(self.folder, "apply")
        journal.planned(picture.plan)
        result = await run(planner, picture.plan, journal, asyncio.Event())
        journal.finished(result.exit_code)
        return picture.plan, result


ON_A_MACHINE = f"""\
freehold: 1
name: maison
domains:
  home:
    subnet_id: 7
    machines:
      box:
        provision:
          roles: [taker]
          vars: {{taker_token: !secret {SECRET}, taker_place: PLACE}}
"""
TAKER = """\
- name: Take it
  ansible.builtin.copy: {content: "{{ taker_token }}", dest: "{{ taker_place }}/token", mode: "0400"}
- name: Show it to everybody
  ansible.builtin.debug: {msg: "the token is {{ taker_token }}"}
- name: Fail with it in the message
  ansible.builtin.fail: {msg: "cannot use {{ taker_token }}"}
  when: taker_fails | default(false)
"""


@dataclass(kw_only=True)
class MachineStage(Stage):
    """Variables of a machine: the Incus is played, Ansible is real and works on this computer, in one folder."""

    masked: bool = True

    def prepare(self) -> None:
        text = ON_A_MACHINE.replace("PLACE", str(self.place))
        (self.folder / "infra.yml").write_text(text)
        tasks = self.folder / "roles/taker/tasks"
        tasks.mkdir(parents=True)
        (tasks / "main.yml").write_text(TAKER)
        # The machine is this computer, which its user says in his own lines of its variables.
        self._variables.parent.mkdir()
        self._variables.write_text(
            "---\nansible_connection: local\n# >>> freehold >>>\n# <<< freehold <<<\n"
        )

    @property
    def _variables(self) -> Path:
        return self.folder / "host_vars/home-box.yml"

    def systems(self, secrets: SecretsFile) -> Systems:
        playbooks = AnsibleProgram(self.folder, secrets=secrets if self.masked else None)
        logs = self.folder / ".freehold/provision"
        ansible = AnsibleProvider(self.folder, self.incus, FakeTargets(), playbooks, logs, secrets)
        incus = IncusProvider(self.incus, ServerImages(self.incus))
        return Systems(incus, SecretsProvider(secrets), ansible)

    def break_it(self) -> None:
        self._variables.write_text(self._variables.read_text() + "taker_fails: true\n")

    def targets(self, search: Search) -> list[str]:
        token = self.place / "token"
        search.folder(self.place, besides=frozenset({token}))
        return [token.read_text()]


@dataclass(kw_only=True)
class ServicesStage(Stage):
    """Services on a machine, whose Docker is played: what was run there, what was written, and what containers were made of."""

    def __post_init__(self) -> None:
        self._target = FakeTargets().fake(TARGET)
        self._docker = FakeDocker(self._target, images=set(IMAGES), breaks={"broken with"})
        self._target.answers = self._docker.answer
        super().__post_init__()

    def prepare(self) -> None:
        shutil.copytree(CATALOG, self.folder / "catalog")
        text = textwrap.dedent(TWO_SERVICES)
        text = text.replace("service: keeper}", f"service: keeper, secrets: {{password: !secret {SECRET}}}}}")  # fmt: skip
        assert SECRET in text
        (self.folder / "infra.yml").write_text(text)

    def systems(self, secrets: SecretsFile) -> Systems:
        targets, logs = FakeTargets({TARGET: self._target}), self.folder / "logs"
        return Systems(
            IncusProvider(self.incus, ServerImages(self.incus)),
            AnsibleProvider(self.folder, self.incus, targets, FakePlaybooks(), logs, secrets),
            SecretsProvider(secrets),
            ComposeProvider(self.folder, self.incus, targets, secrets),
        )

    def break_it(self) -> None:
        infra = self.folder / "infra.yml"
        text = infra.read_text()
        assert "ports: {http: 80}" in text
        infra.write_text(text.replace("ports: {http: 80}", "settings: {broken: true}"))

    def targets(self, search: Search) -> list[str]:
        for command, _ in self._target.ran:
            search.text(f"arguments of {command[0]}", "\0".join(command))
        for container in self._docker.containers.values():
            search.text(f"container {container.name}", json.dumps(container.entry, default=str))
        delivered = []
        for path, file in self._target.files.items():
            search.text(f"the name {path}", path)
            if "/secrets/" in path:
                assert file.mode.lstrip("0")[-2:] in ("00", "40"), (path, file.mode)
                delivered.append(file.content.decode())
            else:
                search.text(path, file.content)
        return delivered


STAGES: dict[str, type[Stage]] = {"machine": MachineStage, "services": ServicesStage}
