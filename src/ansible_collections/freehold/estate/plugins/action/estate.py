# Apache-2.0 (see LICENSE)
"""Hands a task `freehold.estate.estate` to Freehold (`freehold.cli.ansible_task`) and its answer back to Ansible."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleActionFail

from ansible_collections.freehold.estate.plugins.plugin_utils.hand_over import SHARED, HandOver
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
    **SHARED,
    "kinds": {"type": "list", "elements": "str", "choices": KINDS, "default": KINDS},
    "limit": {"type": "list", "elements": "str", "default": []},
    "prune": {"type": "bool", "default": False},
    "undo_after": {"type": "int", "default": 15},
}


class ActionModule(HandOver):
    """One task on one host."""

    parameters = PARAMETERS

    def answer(
        self, given: Mapping[str, Any], where: Mapping[str, Any], tell: Callable[[str], None]
    ) -> dict[str, Any]:
        """What Freehold did, or would do."""
        if not 3 <= given["undo_after"] <= 600:
            raise AnsibleActionFail("undo_after is from 3 to 600 seconds")
        request = Request(
            kinds=tuple(given["kinds"]),
            limits=tuple(given["limit"]),
            prune=given["prune"],
            undo_after=given["undo_after"],
            **where,
        )
        return answer(request, tell)
