"""Which certificate a server shows, asked of real TLS servers on this computer."""

import asyncio
import socket
import ssl
import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtensionOID, NameOID

from freehold.model import Infra
from freehold.model.descriptors import PortOffer
from freehold.model.exposure import Exposure
from freehold.operations.overview.certificates import Ingress, certificates, ingresses
from freehold.planning.selection import Selection
from freehold.system.certificates import Shown, answered, program, shown_by
from tests.ui.estates import INFRA, WELL, judged, placed

ENDS = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)


BEGINS = ENDS - timedelta(days=3650)


def certified(
    folder: Path,
    *names: str,
    begins: datetime = BEGINS,
    ends: datetime = ENDS,
    alternatives: x509.ExtensionType | None = None,
) -> Path:
    """A certificate for these names with its key, signed by itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "The lab's own")])
    called = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    made = (
        x509.CertificateBuilder()
        .subject_name(issuer)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(alternatives or called, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, private = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path = folder / "server.pem"
    path.write_bytes(
        made.public_bytes(pem) + key.private_bytes(pem, private, serialization.NoEncryption())
    )
    return path


def with_server(path: Path | None, what: Callable[[int], Awaitable[None]]) -> None:
    """Do something while a server shows that certificate, or speaks no TLS at all."""

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 this is no TLS\r\n\r\n")
        writer.close()

    async def run() -> None:
        context = None
        if path is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(path)
        server = await asyncio.start_server(meet, "127.0.0.1", 0, ssl=context)
        async with server:
            await what(server.sockets[0].getsockname()[1])

    asyncio.run(run())


def test_what_a_server_shows(tmp_path: Path) -> None:
    async def what(port: int) -> None:
        names = ["media.example.org", "deep.media.example.org", "example.org", "login.example.net"]
        found = {each.name: each for each in await shown_by("127.0.0.1", port, names)}
        media = found["media.example.org"]
        assert (media.beginning, media.expiry) == (BEGINS, ENDS)
        assert (media.issuer, media.problem) == ("The lab's own", "")
        assert [found[name].fits for name in names] == [True, False, True, False]

    with_server(certified(tmp_path, "*.example.org", "example.org"), what)


def test_a_server_without_tls_and_none_at_all_are_not_measured() -> None:
    async def what(port: int) -> None:
        (shown,) = await shown_by("127.0.0.1", port, ["media.example.org"])
        assert shown.expiry is None
        assert f"127.0.0.1 port {port}" in shown.problem

    with_server(None, what)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    (shown,) = asyncio.run(shown_by("127.0.0.1", port, ["media.example.org"]))
    assert "refused" in shown.problem.lower()


@pytest.mark.parametrize(
    "names",
    ["3007a505a1030c0161", "3003820161ffff", "30058203c3a9ff"],
    ids=["of a kind that nobody uses", "with a rest", "in no alphabet"],
)
def test_an_odd_certificate_is_not_measured(tmp_path: Path, names: str) -> None:
    """Names as the extension holds them: RFC 5280, section 4.2.1.6. What reads them raises one of several errors."""
    oid = ExtensionOID.SUBJECT_ALTERNATIVE_NAME
    odd = x509.UnrecognizedExtension(oid, bytes.fromhex(names))

    async def what(port: int) -> None:
        (shown,) = await shown_by("127.0.0.1", port, ["media.example.org"])
        assert (shown.expiry, shown.fits) == (None, False)
        assert f"127.0.0.1 port {port}: its certificate cannot be read" in shown.problem

    with_server(certified(tmp_path, alternatives=odd), what)


def test_the_program_for_the_lab_says_the_same(tmp_path: Path) -> None:
    async def what(port: int) -> None:
        names = ["media.example.org"]
        argv = program("127.0.0.1", port, names)
        done = await asyncio.to_thread(
            subprocess.run, argv, capture_output=True, text=True, check=True, timeout=60
        )
        assert answered(done.stdout) == await shown_by("127.0.0.1", port, names)

    with_server(certified(tmp_path, "media.example.org"), what)


def _with_proxy(**published: int) -> Infra:
    ports = (PortOffer(name="http", number=80), PortOffer(name="https", number=443))
    proxy = placed("caddy", "cortex")
    served = [each for each in INFRA.services if each.expose]
    proxy = replace(
        proxy,
        descriptor=replace(proxy.descriptor, ports=ports),
        published=published,
        serves=tuple(each.name for each in served),
    )
    return replace(INFRA, services=(proxy, *served))


def test_who_is_asked_is_the_service_that_serves_the_others() -> None:
    (ingress,) = ingresses(_with_proxy(http=80, https=8443), {})
    assert (ingress.service, ingress.address, ingress.port) == ("caddy", "203.0.113.20", 8443)
    assert ingress.names["media.example.org"] == "jellyfin"
    assert ingresses(_with_proxy(http=80), {}) == []
    assert ingresses(INFRA, {}) == []


def test_a_machine_is_asked_at_the_address_that_it_was_given() -> None:
    proxy = replace(_with_proxy(https=443).services[0], target="home/chat", serves=("site",))
    site = placed("site", "home/chat", expose=Exposure(host="site.example.org"))
    infra = Infra(name="m", base=IPv4Network("10.100.0.0/16"), services=(proxy, site))
    (ingress,) = ingresses(infra, {"home/chat": "10.100.3.10"})
    assert ingress.address == "10.100.3.10"


def test_nobody_is_asked_for_a_machine_by_its_name_in_infra_yml() -> None:
    """With `--limit` only some of the addresses are known, and a resolver is no help."""
    proxy = replace(_with_proxy(https=443).services[0], target="home/chat", serves=("site",))
    site = placed("site", "home/chat", expose=Exposure(host="site.example.org"))
    infra = Infra(name="m", base=IPv4Network("10.100.0.0/16"), services=(proxy, site))
    elsewhere, there = Selection(limits=("admin",)), Selection(limits=("home/chat",))
    assert ingresses(infra, {}, elsewhere) == []
    (ingress,) = ingresses(infra, {}, there)
    (shown,) = asyncio.run(certificates([ingress], None))
    assert (shown.expires, shown.problem) == (None, "the address of home/chat is not known")


def test_what_was_shown_becomes_a_fact_of_the_estate(tmp_path: Path) -> None:
    async def what(port: int) -> None:
        names = {"media.example.org": "jellyfin", "chat.example.net": "chat"}
        asked = Ingress("caddy", "cortex", "127.0.0.1", port, names)
        chat, media = await certificates([asked], None)
        assert (media.service, media.expires, media.fits) == ("jellyfin", ENDS, True)
        assert (chat.service, chat.fits, chat.ingress) == ("chat", False, "caddy")

    with_server(certified(tmp_path, "*.example.org"), what)


def test_a_certificate_of_twelve_hours_needs_nobody_until_two_are_left(tmp_path: Path) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    begins, ends = now - timedelta(hours=1), now + timedelta(hours=11)

    async def what(port: int) -> None:
        names = {"media.example.org": "jellyfin"}
        (shown,) = await certificates([Ingress("caddy", "cortex", "127.0.0.1", port, names)], None)
        for left, needed in ((11, []), (3, []), (1, ["certificate-soon"])):
            at = replace(WELL, at=ends - timedelta(hours=left), certificates=(shown,), updates=())
            assert [need.matter for need in judged(at).needs] == needed

    with_server(certified(tmp_path, "media.example.org", begins=begins, ends=ends), what)


def test_stars_stand_for_one_label() -> None:
    assert Shown("A.example.org.", names=("*.EXAMPLE.org",)).fits
    assert not Shown("a.b.example.org", names=("*.example.org",)).fits
    assert not Shown("example.org", names=("*.example.org",)).fits
