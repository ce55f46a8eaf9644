"""What Freehold asks of Ansible: the protocol of the real program and of the fake.

Called by `providers.ansible` to provision machines and by `operations.provisioning` to check them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

Told = Callable[[str], None]
"""Receives what is being done: `base_system: Set the time zone`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """A run of the tree's `site.yml` on one host of the inventory. `log` receives all that Ansible prints.

    `variables` are given to it besides the tree's and go before them. With `check`, nothing is changed (Ansible's check mode).
    """

    host: str
    tags: Sequence[str]
    log: Path
    check: bool = False
    variables: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFailure:
    """A task that failed, or with `unreachable` a machine that did not answer; `reason` has the cause in a few lines."""

    task: str
    reason: str
    role: str = ""
    unreachable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayEnd:
    """How a play ended. `changed` are the tasks that changed something, or would in check mode (`role: task`).

    `tasks` counts the tasks that ran on the host; `words` are Ansible's last ones when it failed without saying where.
    """

    failures: tuple[TaskFailure, ...] = ()
    changed: tuple[str, ...] = ()
    tasks: int = 0
    words: str = ""

    @property
    def failed(self) -> bool:
        return bool(self.failures or self.words)


class Playbooks(Protocol):
    """The plays of one tree."""

    async def run(self, play: Play, told: Told) -> PlayEnd:
        """Run it to its end; when cancelled, the play is ended too.

        Raises BackendError when Ansible cannot be started or its log cannot be written.
        """
