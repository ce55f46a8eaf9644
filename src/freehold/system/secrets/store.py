"""The secrets of an estate on disk: `secrets.yml` beside infra.yml, encrypted with age; files of SOPS are read as well.

Made by `cli` with the estate's folder, and by the lookup of the Ansible collection. What is written is there whole or not at all,
for its owner alone; two writers wait for each other. docs/decisions/0017-secrets.md says why it is so.
"""

import fcntl
import hashlib
import hmac
import os
import secrets as randomness
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Set
from contextlib import contextmanager
from pathlib import Path

import pyrage

from freehold.diagnostics import BackendError
from freehold.system import kept_files
from freehold.system.secrets import identities as keys
from freehold.system.secrets import problems, recipients
from freehold.system.secrets.api import NOT_YET
from freehold.system.secrets.document import Entries, write_entries
from freehold.system.secrets.identities import Identities
from freehold.system.secrets.reading import Seen, read, stamp_of

FILE = "secrets.yml"
SOPS_FILE = "secrets.sops.yml"

_MODE = 0o600

Values = dict[str, bytes]


class SecretsFile:
    """The secrets in one folder. `made` is the identity that had to be made, which its user must be told about."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[str, Seen] = {}
        self._writing = threading.Lock()
        self.made: Identities | None = None

    @property
    def path(self) -> Path:
        """The file that Freehold writes."""
        return self._folder / FILE

    def names(self) -> Collection[str]:
        return tuple(sorted(self._places()))

    def value(self, name: str) -> bytes:
        return self._entries_with(name).values[name]

    def file_of(self, name: str) -> str:
        """The name of the file that holds it. Raises BackendError where there is none of that name."""
        places = self._places()
        if name not in places:
            raise problems.fail(problems.unknown(name, places))
        return places[name]

    def fingerprint(self, name: str) -> str:
        if name not in self._places():
            return NOT_YET
        entries = self._entries_with(name)
        message = name.encode() + b"\0" + entries.values[name]
        return hmac.new(_key_of(entries), message, hashlib.sha256).hexdigest()[:16]

    def put(self, name: str, value: bytes) -> None:
        problems.refuse_unusable(name, value)
        self.change(lambda values: values.update({name: value}))

    def add(self, name: str, value: bytes) -> bool:
        problems.refuse_unusable(name, value)
        if name in self._places():
            return False
        added = False

        def keep(values: Values) -> None:
            nonlocal added
            added = name not in values
            values.setdefault(name, value)

        self.change(keep)
        return added

    def remove(self, *names: str) -> None:
        """Delete secrets, all or none of them."""

        def forget(values: Values) -> None:
            self._refuse_others(names, values)
            for name in names:
                values.pop(name, None)

        self.change(forget)

    def refuse_removal(self, names: Collection[str]) -> None:
        """Raise BackendError unless `remove` could delete them all."""
        self._refuse_others(names, self._own().values)

    def own(self) -> Values:
        """Those of the file that Freehold writes. Raises BackendError, also where SOPS keeps it."""
        return dict(self._own().values)

    def change(self, change: Callable[[Values], None]) -> None:
        """Write the file anew with what `change` makes of its secrets, read and written as one. Raises BackendError, also for a new name that
        SOPS has: it would have two values.
        """
        with self._alone():
            entries = self._own()
            values = dict(entries.values)
            change(values)
            if twice := self._of_sops() & (values.keys() - entries.values.keys()):
                raise problems.fail(problems.held_by_sops(twice, self._folder / SOPS_FILE))
            self._write(Entries(values, entries.key or randomness.token_bytes(32)))

    def needs_identity(self) -> bool:
        """Whether the first secret that is kept here makes an identity."""
        return not self.path.exists() and not keys.is_named() and keys.read_identities() is None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """The folder is the lock: no file of it is left behind, and whoever may write here may take it (flock(2))."""
        with self._writing:
            try:
                handle = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            except OSError as error:
                raise problems.fail(problems.cannot_write(self._folder, error)) from error
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                yield
            finally:
                os.close(handle)

    def _own(self) -> Entries:
        seen = self._read(FILE)
        if seen is not None and seen.of_sops:
            raise problems.fail(problems.kept_by_sops(self.path))
        return seen.entries if seen is not None else Entries()

    def _of_sops(self) -> Set[str]:
        """Names in the file beside ours."""
        seen = self._read(SOPS_FILE)
        return seen.entries.values.keys() if seen is not None else set()

    def _refuse_others(self, names: Collection[str], own: Mapping[str, bytes]) -> None:
        if others := set(names) - own.keys():
            if held := self._of_sops() & others:
                raise problems.fail(problems.held_by_sops(held, self._folder / SOPS_FILE))
            raise BackendError(*(problems.unknown(name, own) for name in sorted(others)))

    def _places(self) -> dict[str, str]:
        """Each name with its file."""
        found: dict[str, str] = {}
        seen = self._read(FILE)
        own: Set[str] = seen.entries.values.keys() if seen is not None else set()
        for file, names in ((FILE, own), (SOPS_FILE, self._of_sops())):
            if twice := names & found.keys():
                first = self._folder / FILE
                raise problems.fail(problems.in_both(twice, first, self._folder / file))
            found.update(dict.fromkeys(names, file))
        return found

    def _entries_with(self, name: str) -> Entries:
        seen = self._read(self.file_of(name))
        assert seen is not None
        return seen.entries

    def _read(self, file: str) -> Seen | None:
        """The file as it is now; None where there is none. It is deciphered only when it is another one than before."""
        path = self._folder / file
        stamp = stamp_of(path)
        if stamp is None:
            return None
        known = self._seen.get(file)
        if known is None or known.stamp != stamp:
            known = self._seen[file] = read(path, stamp)
        return known

    def _write(self, entries: Entries) -> None:
        identities = self._identities()
        public = recipients.recipients(self._folder, identities)
        content = pyrage.encrypt(write_entries(entries).encode(), public, armored=True)
        try:
            pyrage.decrypt(content, list(identities.keys))
        except pyrage.DecryptError:
            where = self._folder / recipients.FILE
            problem = problems.would_lock_out(self.path, where, identities.path)
            raise problems.fail(problem) from None
        _replace(self._folder, FILE, content, _MODE)
        self._keep_recipients(identities)

    def _keep_recipients(self, identities: Identities) -> None:
        """Written after the first secret: a file of recipients without secrets would only puzzle."""
        if not (self._folder / recipients.FILE).exists():
            text = recipients.new_file(identities)
            _replace(self._folder, recipients.FILE, text.encode(), 0o644)

    def _identities(self) -> Identities:
        found = keys.read_identities()
        if found is not None:
            return found
        if self.path.exists() or keys.is_named():
            raise problems.fail(problems.no_identity([keys.identity_path()], self.path))
        self.made = keys.make_identity()
        return self.made


def _key_of(entries: Entries) -> bytes:
    """The key of fingerprints. A file made by hand has none until Freehold writes it: then it is all that is in it."""
    if entries.key is not None:
        return entries.key
    return hashlib.sha256(write_entries(entries).encode()).digest()


def _replace(folder: Path, name: str, content: bytes, mode: int) -> None:
    try:
        kept_files.write(folder, name, content, mode=mode)
    except OSError as error:
        raise problems.fail(problems.cannot_write(folder / name, error)) from error
    except kept_files.Unusable as problem:
        raise BackendError(problems.unreadable(folder / name, str(problem))) from problem
