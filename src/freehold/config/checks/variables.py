"""Variables of `provision.vars`: names that Ansible takes, and that mean nothing to it or to Freehold already."""

import keyword
import re
from collections.abc import Iterator
from typing import Any

from freehold.config.checks.context import Context
from freehold.config.places import KeyPath, PlacedList, PlacedMap
from freehold.diagnostics import Diagnostic
from freehold.model.provision import LISTS

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

PLAY_KEYWORDS = frozenset({
    "action", "always", "any_errors_fatal", "args", "async", "async_val", "become", "become_exe",
    "become_flags", "become_method", "become_user", "block", "changed_when", "check_mode", "collections",
    "connection", "cycler", "debugger", "delay", "delegate_facts", "delegate_to", "dict", "diff", "environment",
    "fact_path", "failed_when", "force_handlers", "gather_facts", "gather_timeout", "handlers", "hosts",
    "ignore_errors", "ignore_unreachable", "joiner", "lipsum", "local_action", "lookup", "loop", "loop_control",
    "loop_with", "max_fail_percentage", "module_defaults", "name", "namespace", "no_log", "notify", "now", "omit",
    "order", "poll", "port", "post_tasks", "pre_tasks", "q", "query", "range", "register", "remote_user", "rescue",
    "retries", "roles", "run_once", "serial", "strategy", "tags", "tasks", "throttle", "timeout", "undef", "until",
    "vars", "vars_files", "vars_prompt", "when", "with_",
})  # fmt: skip
"""What ansible-core 2.19 calls reserved (ansible.vars.reserved); a test compares."""

MAGIC = frozenset({
    "group_names", "groups", "hostvars", "inventory_dir", "inventory_file", "inventory_hostname",
    "inventory_hostname_short", "play_hosts", "playbook_dir", "role_name", "role_names", "role_path", "role_uuid",
})  # fmt: skip
"""Variables that Ansible sets over any other value (its INTERNAL_STATIC_VARS without those of `ansible_`)."""

_MANAGED = frozenset(f"provision_{name}" for name in LISTS)


def variables(context: Context) -> Iterator[Diagnostic]:
    """The names in every `vars`, and the keys of what is in them."""
    for path, part in context.provisions():
        if not part.vars:
            continue
        written = context.tree.get((*path, "vars"))
        for name in part.vars:
            here = (*path, "vars", name)
            if problem := _problem(name):
                yield context.at_key(here, *problem)
            elif isinstance(written, PlacedMap):
                yield from _ambiguous_keys(context, here, written[name])


def _problem(name: str) -> tuple[str, str, str | None] | None:
    """Code, detail and hint of what is wrong with a name."""
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        better = re.sub(r"\W", "_", name, flags=re.ASCII)
        usable = _NAME.fullmatch(better) and not keyword.iskeyword(better)
        detail = f"`{name}` is no name for a variable of Ansible."
        return "invalid-variable-name", detail, f"Write for example `{better}`." if usable else None
    if name.startswith("ansible_"):
        return "connection-variable", f"`{name}` tells Ansible how it reaches a machine.", None
    if name in PLAY_KEYWORDS | MAGIC:
        return "reserved-variable", f"`{name}` already has a meaning in Ansible.", None
    if name.startswith("freehold_") or name in _MANAGED:
        return "reserved-variable", f"`{name}` is a variable that Freehold sets itself.", None
    return None


def _ambiguous_keys(context: Context, path: KeyPath, node: Any) -> Iterator[Diagnostic]:
    """Keys that are not text without quotes: Ansible would read the text that they become here."""
    if isinstance(node, PlacedMap):
        for key, value in node.items():
            if node.is_ambiguous(key):
                detail = f"Without quotes `{key}` is not text to every YAML parser."
                yield context.at_key((*path, key), "ambiguous-name", detail, f'Write `"{key}"`.')
            yield from _ambiguous_keys(context, (*path, key), value)
    elif isinstance(node, PlacedList):
        for index, value in enumerate(node):
            yield from _ambiguous_keys(context, (*path, index), value)
