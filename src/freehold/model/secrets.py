"""References to secrets in infra.yml (`!secret NAME`). Pure; the values are `system.secrets`' and never here.

`config` makes them, `providers.ansible` renders them as a lookup, `providers.secrets` sees to it that they exist.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

LONGEST_NAME = 128  # characters; a name is also the name of a file on targets
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Stands where the value of a secret is meant."""

    name: str


def is_secret_name(text: str) -> bool:
    """Whether a secret can be called that: a letter, then letters, digits, `_`, `-` and `.`."""
    return len(text) <= LONGEST_NAME and _NAME.fullmatch(text) is not None


def named_secrets(value: object) -> Iterator[str]:
    """The names of all secrets that a value, with whatever is inside of it, refers to."""
    if isinstance(value, SecretRef):
        yield value.name
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from named_secrets(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from named_secrets(each)
