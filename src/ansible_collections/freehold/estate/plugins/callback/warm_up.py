"""Does once, in Ansible's own process, what every worker would do again for its one task.

Ansible forks a process per task and machine. What is imported and parsed before the fork is there in all of them.
Enabled by `callbacks_enabled` in the tree's ansible.cfg; without it everything works, and takes longer.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible.executor import module_common
from ansible.plugins.callback import CallbackBase
from ansible.plugins.loader import connection_loader

DOCUMENTATION = r"""
name: warm_up
type: aggregate
short_description: Prepares Ansible's own process for the connection to Incus
description:
  - Loads the connection plugin C(freehold.estate.incus) before Ansible forks a worker for each task and machine.
  - Parses the library of Ansible's modules once, instead of once for each module that a playbook uses.
  - Shows nothing and changes no result.
author: The developers of Freehold
requirements:
  - To be named in C(callbacks_enabled) of C(ansible.cfg).
"""

_CONNECTION = "freehold.estate.incus"
_LIBRARY = "ansible.module_utils."


class CallbackModule(CallbackBase):
    """Ansible tells it what happens; it acts at the first task."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "freehold.estate.warm_up"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._done = False

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        """Before the first worker is forked."""
        if not self._done:
            self._done = True
            connection_loader.get(_CONNECTION, class_only=True)
            _parse_library_once()
            gc.collect()
            gc.freeze()  # workers leave alone what they share with this process


def _parse_library_once() -> None:
    """Keep the syntax tree of each source, by its text; begin with what nearly every module needs.

    To find what a module imports, Ansible parses it and its library anew for each module: a tenth of a second and more.
    """
    parse: Callable[[str, Any], Any] | None = getattr(module_common, "_compile_module_ast", None)
    if parse is None:
        return
    trees: dict[bytes, Any] = {}

    def parse_once(name: str, source: Any) -> Any:
        text = source.encode() if isinstance(source, str) else bytes(source)
        tree = trees.get(text)
        if tree is None:
            tree = trees[text] = parse(name, source)
        return tree

    module_common._compile_module_ast = parse_once
    for name, module in list(sys.modules.items()):
        path = getattr(module, "__file__", None)
        if name.startswith(_LIBRARY) and path:
            parse_once(name, Path(path).read_bytes())
