# Apache-2.0 (see LICENSE)
"""Hands a task `freehold.estate.snapshot` to Freehold (`freehold.cli.ansible_snapshot`) and its answer back to Ansible."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.freehold.estate.plugins.plugin_utils.hand_over import SHARED, HandOver
from freehold.cli.ansible_snapshot import SnapshotRequest, State, answer

STATES = ["present", "absent", "restored", "list"]

PARAMETERS: dict[str, dict[str, Any]] = {
    **SHARED,
    "targets": {"type": "list", "elements": "str", "default": ["all"]},
    "state": {"type": "str", "choices": STATES, "default": "present"},
    "name": {"type": "str"},
    "expires": {"type": "str"},
    "copy": {"type": "bool", "default": True},
    "agreed": {"type": "bool", "default": False},
}


class ActionModule(HandOver):
    """One task on one host."""

    parameters = PARAMETERS

    def answer(
        self, given: Mapping[str, Any], where: Mapping[str, Any], tell: Callable[[str], None]
    ) -> dict[str, Any]:
        """What Freehold did, or would do."""
        request = SnapshotRequest(
            targets=tuple(given["targets"]),
            state=State(given["state"]),
            name=given["name"],
            expires=given["expires"],
            copy=given["copy"],
            agreed=given["agreed"],
            **where,
        )
        return answer(request, tell)
