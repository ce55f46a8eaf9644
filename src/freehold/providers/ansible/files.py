"""The files of the Ansible tree as resources: `file:host/host_vars/homelab-llm.yml`. A provider, for `freehold sync` alone.

AnsibleProvider (`provider.py`) is made of this one and of what goes inside machines.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from freehold.diagnostics import BackendError
from freehold.model import Infra
from freehold.planning.address import Address
from freehold.planning.change import Action, Change
from freehold.planning.resource import Desired, Kind
from freehold.providers.ansible import tree_look, tree_problems
from freehold.providers.ansible.managed import DamagedMarks
from freehold.providers.ansible.tree import Generated, is_untouched
from freehold.providers.ansible.tree_look import TreeLook, look, tree_is_used
from freehold.providers.protocol import Observation, Report, Step
from freehold.system import kept_files
from freehold.system.kept_files import Unusable

KIND = tree_look.KIND


class TreeProvider:
    """The tree of one folder. With `always`, also where nothing needs it yet: `freehold sync` asks for it."""

    def __init__(self, folder: Path, *, always: bool = False) -> None:
        self._folder = folder
        self._always = always
        self.last = TreeLook()

    @property
    def kinds(self) -> Mapping[str, Kind]:
        return {KIND.name: KIND}

    async def observe(self, infra: Infra) -> Observation:
        """A look at the folder, kept for `desired` and `steps`."""
        self.last = await asyncio.to_thread(self._look, infra)
        return Observation(self.last.observed, tuple(self.last.diagnostics))

    def _look(self, infra: Infra) -> TreeLook:
        if self._always or tree_is_used(infra, self._folder):
            return look(self._folder, infra)
        return TreeLook()

    def desired(self, infra: Infra, observation: Observation) -> Mapping[Address, Desired]:
        """As in the look just taken: the tree says nothing of addresses that only Incus knows."""
        return self.last.desired

    def steps(self, estate: str, change: Change) -> Sequence[Step]:
        name = change.address.name
        if change.action is Action.DELETE:
            return [self._step(f"delete {name}", name, lambda: self._delete(name))]
        file = self.last.files[name]
        return [self._step(f"write {name}", name, lambda: self._write(file))]

    def _step(self, words: str, name: str, work: Callable[[], None]) -> Step:
        async def run(report: Report) -> None:
            path = self._folder / name
            try:
                await asyncio.to_thread(work)
            except OSError as error:
                raise BackendError(tree_problems.unwritable(path, error)) from error
            except Unusable as problem:
                raise BackendError(tree_problems.unusable(path, str(problem))) from problem
            except DamagedMarks as problem:
                raise BackendError(tree_problems.damaged(path, problem)) from problem

        return Step(words, run)

    def _write(self, file: Generated) -> None:
        """From what the file is now: somebody may have edited it since the plan."""
        text = tree_look.spliced(self._folder, file)
        kept_files.write(self._folder, file.name, text.encode("utf-8"))

    def _delete(self, name: str) -> None:
        _, marked = tree_look.read_marked(self._folder, name)
        if marked is not None and not is_untouched(marked):
            raise Unusable("holds lines of your own now")
        kept_files.delete(self._folder, name)

    async def wait_ready(self, timeout: float) -> None:
        """The folder is always there."""
