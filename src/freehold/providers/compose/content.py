"""The files of a service: its configuration and its secrets, as versions in folders of their own. Called by `desired` and `deliver`.

A version's name follows from all that is in it, so a version that is there is never written into. Of secrets only the fingerprint counts:
no value is in a name, a field or a Compose file.
"""

import hashlib
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from freehold.model import Infra
from freehold.model.services import Service
from freehold.providers.compose import places
from freehold.providers.compose.templates import filler
from freehold.system.secrets import Secrets
from freehold.wiring.context import context

CURRENT = "current"
"""Stands for the version of secrets in the estate's folder, where it is not known."""

_LENGTH = 12  # hexadecimal digits: 48 bits tell two versions apart


@dataclass(frozen=True, slots=True)
class Piece:
    """A file as the container sees it. `digest` tells two contents apart and nothing about a secret one."""

    path: str
    content: bytes
    digest: str
    mode: str
    owner: str
    secret: bool = False

    @property
    def shown(self) -> str:
        """As a plan shows it; that something is root's is not said."""
        return f"{self.digest} {int(self.mode, 8):04o} {self.owner}".removesuffix(" 0:0")


@dataclass(frozen=True, slots=True)
class Contents:
    """All files of a service. Those with secrets have no content until they are delivered."""

    pieces: tuple[Piece, ...]

    def of(self, *, secret: bool) -> tuple[Piece, ...]:
        """The secret ones, or the others."""
        return tuple(piece for piece in self.pieces if piece.secret is secret)

    def version(self, *, secret: bool) -> str:
        """What the folder with those files is called."""
        lines = (f"{piece.path}\0{piece.shown}\n" for piece in self.of(secret=secret))
        return _short("".join(lines).encode())

    def shown(self, *, secret: bool) -> Mapping[str, str]:
        """The files as a plan compares them, by path."""
        return {piece.path: piece.shown for piece in self.of(secret=secret)}


def contents(infra: Infra, service: Service, secrets: Secrets, *, values: bool = False) -> Contents:
    """The files of a service. With `values` those of secrets have their content. Raises BackendError, ConfigError."""
    return Contents((*_files(infra, service, secrets, values), *_secrets(service, secrets, values)))


def archive(pieces: tuple[Piece, ...]) -> bytes:
    """The files as a tar archive, with their owners and modes; their paths without the leading slash."""
    import tarfile  # plans that deliver nothing start without

    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for piece in pieces:
            entry = tarfile.TarInfo(piece.path.lstrip("/"))
            owner, _, group = piece.owner.partition(":")
            entry.uid, entry.gid = int(owner), int(group or owner)
            entry.mode, entry.size = int(piece.mode, 8), len(piece.content)
            tar.addfile(entry, io.BytesIO(piece.content))
    return packed.getvalue()


def _files(infra: Infra, service: Service, secrets: Secrets, values: bool) -> Iterator[Piece]:
    known = context(infra, service)
    stand_ins = _reader(service, secrets, _stand_in)
    for file in service.descriptor.files:
        seen = {**known, "secret": stand_ins} if file.secret else known
        what = f"the file {file.path}"
        text = file.content if file.verbatim else filler(service, seen)(file.content, what)
        digest = _short(text.encode())
        if file.secret and values and not file.verbatim:
            real = {**known, "secret": _reader(service, secrets, _value)}
            text = filler(service, real)(file.content, what)
        yield Piece(file.path, text.encode(), digest, file.mode, file.owner, file.secret)


def _secrets(service: Service, secrets: Secrets, values: bool) -> Iterator[Piece]:
    for need in service.descriptor.secrets:
        name = service.secrets.get(need.name)
        if name is None:  # infra.yml has nothing that would name it
            continue
        content = secrets.value(name) if values else b""
        digest = _fingerprint(secrets, name)
        yield Piece(need.path, content, digest, need.mode, need.owner, secret=True)


def _reader(
    service: Service, secrets: Secrets, read: Callable[[Secrets, str], str]
) -> Callable[[str], str]:
    """The function `secret` of templates."""

    def secret(name: str) -> str:
        if name not in service.secrets:
            raise LookupError(f"the descriptor has no secret {name!r}")
        return read(secrets, service.secrets[name])

    return secret


def _value(secrets: Secrets, name: str) -> str:
    return secrets.value(name).decode("utf-8", "surrogateescape")


def _fingerprint(secrets: Secrets, name: str) -> str:
    return secrets.fingerprint(name)


def _stand_in(secrets: Secrets, name: str) -> str:
    from freehold.config.catalog.passwords import StandIn

    return StandIn(_fingerprint(secrets, name))


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_LENGTH]


def folder(estate: str, service: Service, version: str, *, secret: bool) -> str:
    """Where a version of a service's files is on the target."""
    of = places.secrets_folder if secret else places.files_folder
    return f"{of(estate, service.name)}/{version}"
