# Apache-2.0 (see LICENSE)
"""Tells Freehold how a play goes: one JSON object a line, into the file descriptor of FREEHOLD_EVENTS.

`freehold apply` and `freehold verify --deep` start Ansible with it and read the lines (`freehold.system.ansible`). What a
task with `no_log` answered is not told, as Ansible's own output does not show it.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: events
type: notification
short_description: how a play goes, as JSON lines
description:
  - Writes a JSON object a line for each task that begins, changes something or fails.
  - Does nothing without the environment variable E(FREEHOLD_EVENTS), the number of an open file descriptor.
"""

_PR_SET_PDEATHSIG = 1
_CENSORED = "the task keeps its output secret (no_log)"


class CallbackModule(CallbackBase):
    """Writes the events; Ansible calls the methods in its main process, one after the other."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "freehold.estate.events"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        number = os.environ.get("FREEHOLD_EVENTS", "")
        self.disabled = not number.isdigit()
        self._descriptor = int(number) if number.isdigit() else -1
        if (
            not self.disabled
        ):  # for this process alone, not for what it starts and what may outlive it
            os.set_inheritable(self._descriptor, False)
            _end_with_parent()

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        self._tell("task", task)

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        self._tell("task", task)

    def v2_runner_on_ok(self, result: Any) -> None:
        self._tell("changed" if result.result.get("changed") else "ok", result.task)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        if not ignore_errors:
            self._tell("failed", result.task, reason=_reason(result.result))

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._tell("unreachable", result.task, reason=_reason(result.result))

    def _tell(self, event: str, task: Any, **more: str) -> None:
        role = task._role.get_name(include_role_fqcn=False) if task._role else ""
        name = str(task.name or task.action)
        line = json.dumps({"event": event, "role": role, "task": name, **more}) + "\n"
        with open(self._descriptor, "w", encoding="utf-8", closefd=False) as stream:
            stream.write(line)


def _end_with_parent() -> None:
    """A Freehold that is killed takes this play with it: the next run must not meet it half done (prctl(2))."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _reason(result: dict[str, Any]) -> str:
    """Why a task failed, in its own words: the message, then what a program said."""
    if result.get("_ansible_no_log") or "censored" in result:
        return _CENSORED
    if result.get("msg") == "non-zero return code":
        result = {**result, "msg": f"exit code {result.get('rc')}"}
    found = [
        str(result.get(key) or "").strip() for key in ("msg", "reason", "stderr", "module_stderr")
    ]
    items = [_reason(each) for each in result.get("results", ()) if each.get("failed")]
    if not any(found[2:]):
        found.append(str(result.get("stdout") or result.get("module_stdout") or "").strip())
    return (
        "\n".join(dict.fromkeys(text for text in (*items, *found) if text)) or "it does not say why"
    )
