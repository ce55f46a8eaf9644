"""How the tree asks for secrets: `!secret NAME` of infra.yml becomes a lookup, so that no value is ever in a file of the tree.

Called by `tree`, which writes the variables, and by `fingerprint`, which must know when one of them has another value. The lookup is a
plugin of the collection (`plugins/lookup/secret.py`).
"""

import re
from typing import Any

from freehold.model import SecretRef

LOOKUP = "freehold.estate.secret"

_QUOTE = r"[\\'\"]+"  # as it is, or as it stands in a text of YAML that is in quotes itself
_USED = re.compile(
    rf"\(\s*{_QUOTE}{re.escape(LOOKUP)}{_QUOTE}\s*,\s*{_QUOTE}([A-Za-z][A-Za-z0-9_.-]*){_QUOTE}"
)


def with_lookups(value: Any) -> Any:
    """The same value with a template in the place of each reference."""
    if isinstance(value, SecretRef):
        return f"{{{{ lookup('{LOOKUP}', '{value.name}') }}}}"
    if isinstance(value, dict):
        return {key: with_lookups(each) for key, each in value.items()}
    if isinstance(value, list):
        return [with_lookups(each) for each in value]
    return value


def looked_up(text: str) -> set[str]:
    """The names of the secrets that a text asks for, also where its user wrote the lookup himself."""
    return set(_USED.findall(text))
