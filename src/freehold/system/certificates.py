"""Which certificate a server shows for a name, by a TLS handshake; nothing is asked beyond it. Called by `operations.overview`.

Also a program, for the lab: `python -m freehold.system.certificates ADDRESS PORT NAME…` in the lab's network prints JSON.
"""

import asyncio
import json
import os
import ssl
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

SECONDS = 4.0  # for connection and handshake; a server in the same house takes milliseconds


@dataclass(frozen=True, slots=True)
class Shown:
    """What was shown. `begins` and `expires` are in ISO 8601, with their time zone; all empty but `problem` when nothing was."""

    name: str
    begins: str = ""
    expires: str = ""
    issuer: str = ""
    names: tuple[str, ...] = ()
    problem: str = ""

    @property
    def beginning(self) -> datetime | None:
        return datetime.fromisoformat(self.begins) if self.begins else None

    @property
    def expiry(self) -> datetime | None:
        return datetime.fromisoformat(self.expires) if self.expires else None

    @property
    def fits(self) -> bool:
        """Whether it is made out to the name that was asked for; a `*` stands for one label (RFC 6125, section 6.4.3)."""
        wanted = self.name.lower().rstrip(".")
        above = wanted.partition(".")[2]
        return any(each.lower() in (wanted, f"*.{above}") for each in self.names)


class UnreadableError(Exception):
    """What a server shows is no certificate, or one that nobody can make sense of."""


async def shown_by(address: str, port: int, names: Sequence[str]) -> list[Shown]:
    """What the server there shows for each name, asked all at once."""
    return list(await asyncio.gather(*(_shown(address, port, name) for name in names)))


async def _shown(address: str, port: int, name: str) -> Shown:
    try:
        async with asyncio.timeout(SECONDS):
            der = await _handshake(address, port, name)
        return _read(name, der)
    except TimeoutError:
        return Shown(name, problem=f"{address} port {port} does not answer")
    except ssl.SSLError as error:
        return Shown(name, problem=f"{address} port {port}: {error.reason or error}")
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        return Shown(name, problem=f"{address} port {port}: {reason}")
    except UnreadableError as error:
        return Shown(
            name, problem=f"{address} port {port}: its certificate cannot be read: {error}"
        )


async def _handshake(address: str, port: int, name: str) -> bytes:
    """The certificate as it is, trusted or not: whether it is good is for the reader to say."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    _, writer = await asyncio.open_connection(address, port, ssl=context, server_hostname=name)
    try:
        layer = writer.get_extra_info("ssl_object")
        return bytes(layer.getpeercert(binary_form=True) or b"")
    finally:
        writer.transport.abort()


def _read(name: str, der: bytes) -> Shown:
    """Raises UnreadableError. What the library raises for odd ones (a name of a rare kind, an extension twice) has no common class."""
    try:
        return _understood(name, der)
    except Exception as error:
        raise UnreadableError(str(error) or type(error).__name__) from error


def _understood(name: str, der: bytes) -> Shown:
    from cryptography import x509

    certificate = x509.load_der_x509_certificate(der)
    try:
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names = alternatives.value.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        names = []
    return Shown(
        name=name,
        begins=certificate.not_valid_before_utc.isoformat(),
        expires=certificate.not_valid_after_utc.isoformat(),
        issuer=_called(certificate.issuer),
        names=tuple(names),
    )


def _called(issuer: Any) -> str:
    """How people call who signed it: its organisation, else its common name."""
    from cryptography.x509.oid import NameOID

    for oid in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME):
        for attribute in issuer.get_attributes_for_oid(oid):
            return str(attribute.value)
    return str(issuer.rfc4514_string())


def program(address: str, port: int, names: Sequence[str]) -> list[str]:
    """The command line that asks the same and prints it."""
    return [sys.executable, "-m", __name__, address, str(port), *names]


def answered(output: str) -> list[Shown]:
    """What that program printed. Raises ValueError."""
    found: list[Mapping[str, Any]] = json.loads(output)
    return [Shown(**{**each, "names": tuple(each["names"])}) for each in found]


if __name__ == "__main__":
    _address, _port, *_names = sys.argv[1:]
    sys.stdout.write(
        json.dumps([asdict(each) for each in asyncio.run(shown_by(_address, int(_port), _names))])
    )
