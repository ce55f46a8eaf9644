# Apache-2.0 (see LICENSE)
"""Gives a task the value of a secret, so that no file of the tree holds it: what `!secret NAME` of infra.yml becomes.

Ansible calls it in the process of the task, on the computer that runs Ansible.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

from freehold.diagnostics import FreeholdError
from freehold.system.secrets.store import SecretsFile

DOCUMENTATION = r"""
name: secret
short_description: the value of a secret of the estate
description:
  - Reads C(secrets.yml) beside C(infra.yml), which is encrypted with age, and files of SOPS as C(freehold secret) does.
  - The key is looked for where C(freehold) looks for it. E(FREEHOLD_AGE_IDENTITY) names its file.
  - What a task does with the value is the task's business. Give it C(no_log) where its arguments or its answer are shown.
author: The developers of Freehold
options:
  _terms:
    description: Names of secrets.
    required: true
    type: list
    elements: str
  folder:
    description: The estate's folder. Without it, the playbook's.
    type: path
"""

EXAMPLES = r"""
- name: A token in a file that root alone reads
  ansible.builtin.copy:
    content: "{{ lookup('freehold.estate.secret', 'telegram_token') }}"
    dest: /etc/alerts/token
    mode: "0400"
  no_log: true
"""

RETURN = r"""
_list:
  description: The values, in the order of the names.
  type: list
  elements: str
"""


class LookupModule(LookupBase):
    """One lookup. Ansible calls `run`."""

    def run(
        self, terms: Sequence[Any], variables: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> list[str]:
        """The values. Raises AnsibleError, with no value in its words."""
        self.set_options(var_options=variables, direct=kwargs)
        folder = self.get_option("folder") or _folder(variables or {})
        return [_value(_secrets(str(folder)), str(name)) for name in terms]


def _folder(variables: Mapping[str, Any]) -> str:
    """Where the playbook is; `ansible` alone has none, then above the inventory."""
    if folder := variables.get("playbook_dir"):
        return str(folder)
    return str(Path(variables.get("inventory_dir") or ".").parent)


@functools.cache
def _secrets(folder: str) -> SecretsFile:
    """Deciphered once in each process, not once for each name."""
    return SecretsFile(Path(folder))


def _value(secrets: SecretsFile, name: str) -> str:
    try:
        return secrets.value(name).decode("utf-8")
    except FreeholdError as error:
        first = error.diagnostics[0]
        words = f"{first.summary}: {first.detail}"
        raise AnsibleError(f"{words} {first.hint or ''}".rstrip()) from None
    except UnicodeDecodeError:
        raise AnsibleError(
            f"The secret `{name}` is not text, so no variable can hold it."
        ) from None
