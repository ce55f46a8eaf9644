# Apache-2.0 (see LICENSE)
"""What the actions of this collection share: a task is handed to Freehold, its answer back to Ansible.

Actions, not modules that are sent to a host: Ansible loads them once, in its own process, and forks a process from it for
each task and host. So every such process has Freehold in memory already; a module would start Python and import it again
each time. And it is always the Python that has Freehold, whatever `ansible_python_interpreter` says.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from ansible.plugins.action import ActionBase

SHARED: dict[str, dict[str, Any]] = {
    "directory": {"type": "path"},
    "confirm": {"type": "list", "elements": "str", "default": []},
    "lock_timeout": {"type": "int", "default": 600},
    "socket": {"type": "path"},
    "lab": {"type": "bool", "default": False},
}
"""Parameters that every task has; documented in `doc_fragments/estate.py`."""

_NO_BECOME = "`become` has no effect: this task has the rights of whoever runs Ansible."


class HandOver(ActionBase):
    """One task on one host. `parameters` are in the form of Ansible's argument_spec, those that all share among them."""

    _requires_connection = False
    _supports_async = False
    _supports_check_mode = True
    TRANSFERS_FILES = False

    parameters: ClassVar[Mapping[str, dict[str, Any]]] = {}

    @abstractmethod
    def answer(
        self, given: Mapping[str, Any], where: Mapping[str, Any], tell: Callable[[str], None]
    ) -> dict[str, Any]:
        """Freehold's answer. `where` are the directory, socket, lab, lock_timeout, confirm and check of the request."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> Any:
        """Called by Ansible in the task's process."""
        result = super().run(tmp, task_vars)
        variables = task_vars or {}
        _, given = self.validate_argument_spec(self.parameters)
        where = {
            "directory": Path(variables["playbook_dir"], given["directory"] or ""),
            "socket": Path(given["socket"]) if given["socket"] else None,
            "lab": given["lab"],
            "lock_timeout": given["lock_timeout"],
            "confirm": tuple(given["confirm"]),
            "check": self._task.check_mode,
        }
        result |= self.answer(
            given, where, lambda text: self._tell(text, variables["inventory_hostname"])
        )
        if not self._task.diff:
            result.pop("diff", None)
        if self._task.become and os.geteuid() != 0:
            result.setdefault("warnings", []).append(_NO_BECOME)
        return result

    def _tell(self, text: str, host: str) -> None:
        """What happens meanwhile, for who asks for it with -vv."""
        if not self._task.no_log:
            self._display.vv(text, host=host)
