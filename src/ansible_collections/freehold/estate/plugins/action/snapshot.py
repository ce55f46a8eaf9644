# Apache-2.0 (see LICENSE)
"""Hands a task `freehold.estate.snapshot` to Freehold (`freehold.cli.ansible_snapshot`) and its answer back to Ansible.

An action, as `estate.py` beside it and for the same reasons.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from freehold.cli.ansible_snapshot import SnapshotRequest, State, answer

STATES = ["present", "absent", "restored", "list"]

PARAMETERS: dict[str, dict[str, Any]] = {
    "directory": {"type": "path"},
    "targets": {"type": "list", "elements": "str", "default": ["all"]},
    "state": {"type": "str", "choices": STATES, "default": "present"},
    "name": {"type": "str"},
    "expires": {"type": "str"},
    "copy": {"type": "bool", "default": True},
    "agreed": {"type": "bool", "default": False},
    "confirm": {"type": "list", "elements": "str", "default": []},
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
        request = SnapshotRequest(
            directory=Path(variables["playbook_dir"], given["directory"] or ""),
            targets=tuple(given["targets"]),
            state=State(given["state"]),
            name=given["name"],
            expires=given["expires"],
            copy=given["copy"],
            agreed=given["agreed"],
            confirm=tuple(given["confirm"]),
            lock_timeout=given["lock_timeout"],
            socket=Path(given["socket"]) if given["socket"] else None,
            lab=given["lab"],
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
