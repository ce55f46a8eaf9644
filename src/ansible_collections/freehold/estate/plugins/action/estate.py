# Apache-2.0 (see LICENSE)
"""Hands a task `freehold.estate.estate` to Freehold (`freehold.cli.ansible_task`) and its answer back to Ansible.

An action, not a module that is sent to a host: Ansible loads this file once, in its own process, and forks a process from
it for each task and host. So every such process has Freehold in memory already; a module would start Python and import
it again each time. And it is always the Python that has Freehold, whatever `ansible_python_interpreter` says.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from freehold.cli.ansible_task import Request, answer

KINDS = [
    "project",
    "bridge",
    "profile",
    "volume",
    "firewall",
    "docker-user",
    "host-agent",
    "instance",
    "router",
]

PARAMETERS: dict[str, dict[str, Any]] = {
    "directory": {"type": "path"},
    "kinds": {"type": "list", "elements": "str", "choices": KINDS, "default": KINDS},
    "limit": {"type": "list", "elements": "str", "default": []},
    "prune": {"type": "bool", "default": False},
    "confirm": {"type": "list", "elements": "str", "default": []},
    "undo_after": {"type": "int", "default": 15},
    "lock_timeout": {"type": "int", "default": 600},
    "socket": {"type": "path"},
    "lab": {"type": "bool", "default": False},
}


_NO_BECOME = "`become` has no effect: this task has the rights of whoever runs Ansible."


class ActionModule(ActionBase):
    """One task on one host."""

    _requires_connection = False
    _supports_async = False
    _supports_check_mode = True
    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> Any:
        """Called by Ansible in the task's process."""
        result = super().run(tmp, task_vars)
        variables = task_vars or {}
        _, given = self.validate_argument_spec(PARAMETERS)
        if not 3 <= given["undo_after"] <= 600:
            raise AnsibleActionFail("undo_after is from 3 to 600 seconds")
        request = Request(
            directory=Path(variables["playbook_dir"], given["directory"] or ""),
            kinds=tuple(given["kinds"]),
            limits=tuple(given["limit"]),
            lab=given["lab"],
            socket=Path(given["socket"]) if given["socket"] else None,
            prune=given["prune"],
            confirm=tuple(given["confirm"]),
            undo_after=given["undo_after"],
            lock_timeout=given["lock_timeout"],
            check=self._task.check_mode,
        )
        result |= answer(request, lambda text: self._tell(text, variables["inventory_hostname"]))
        if not self._task.diff:
            result.pop("diff", None)
        if self._task.become and os.geteuid() != 0:
            result.setdefault("warnings", []).append(_NO_BECOME)
        return result

    def _tell(self, text: str, host: str) -> None:
        """What happens meanwhile, for who asks for it with -vv."""
        if not self._task.no_log:
            self._display.vv(text, host=host)
