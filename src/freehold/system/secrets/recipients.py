"""Who may read the secrets: public keys, one a line, in `.freehold-recipients` beside infra.yml. Called by `store`.

The file is as `age -R` reads it. age itself does not say in a file for whom it is encrypted.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyrage

from freehold.system.secrets import problems
from freehold.system.secrets.identities import Identities

FILE = ".freehold-recipients"

_HEADING = "# Public keys of those who can read secrets.yml, one a line. After a change: freehold secret edit\n"


def recipients(folder: Path, identities: Identities) -> list[Any]:
    """Those of the file; without one, the first identity alone. Raises BackendError."""
    path = folder / FILE
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        text = new_file(identities)
    except OSError as error:
        raise problems.fail(problems.unreadable(path, error.strerror or str(error))) from error
    found = list(_keys(path, text))
    if not found:
        raise problems.fail(problems.bad_recipient(path, 1, "it names nobody"))
    return found


def new_file(identities: Identities) -> str:
    """The text of a first file; an SSH key's public half must be written by whoever has it."""
    return _HEADING + (f"{identities.public}\n" if identities.public else "")


def _keys(path: Path, text: str) -> Iterator[Any]:
    for number, line in enumerate(text.splitlines(), 1):
        word = line.strip()
        if not word or word.startswith("#"):
            continue
        kind = pyrage.ssh if word.startswith("ssh-") else pyrage.x25519
        try:
            yield kind.Recipient.from_str(word)
        except Exception as error:
            why = "this is no public key that can be used"
            raise problems.fail(problems.bad_recipient(path, number, why)) from error
