"""Images from a server that speaks simplestreams, as `images:` of every Incus client does.

Called by `images.py`. This process downloads: the lab itself has no way out. Format:
https://linuxcontainers.org/incus/docs/main/reference/image_servers/ and streams/v1 of any such server.
"""

import hashlib
import json
import os
import urllib.request
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

from freehold.diagnostics import BackendError, Diagnostic
from freehold.operations.lab.image_cache import architecture

DEFAULT_SERVER = "https://images.linuxcontainers.org"
SERVER_VARIABLE = "FREEHOLD_IMAGE_SERVER"
PATIENCE = 2.0  # seconds for the server's index: whoever has no network must not wait for it
BLOCK = 1 << 18


@dataclass(frozen=True, slots=True)
class Part:
    """One file of an image; `size` in bytes."""

    address: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Offer:
    """The newest version of a container image that the server has for this architecture."""

    version: str
    metadata: Part
    system: Part


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What a server offers for containers on this architecture, by alias (`debian/13`)."""

    server: str
    offers: Mapping[str, Offer]


def server_address() -> str:
    """$FREEHOLD_IMAGE_SERVER (empty: none), else the server that Incus users know."""
    return os.environ.get(SERVER_VARIABLE, DEFAULT_SERVER).rstrip("/")


def catalogue(server: str) -> Catalogue | None:
    """The server's catalogue; None when there is no server or it does not answer soon.

    Raises BackendError when it answers with something else.
    """
    if not server:
        return None
    index = _in_time(lambda: _get(f"{server}/streams/v1/index.json", PATIENCE), PATIENCE)
    if index is None:
        return None
    try:
        paths = [
            entry["path"]
            for entry in json.loads(index)["index"].values()
            if entry["datatype"] == "image-downloads"
        ]
        offers: dict[str, Offer] = {}
        for path in paths:
            offers |= _offers(server, json.loads(_get(f"{server}/{path}", 60.0))["products"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackendError(_not_understood(server, error)) from error
    return Catalogue(server, offers)


def download(offer: Offer, folder: Path, progress: Callable[[str], None]) -> None:
    """Put both files of the image into the folder, verified. Raises BackendError."""
    total = offer.metadata.size + offer.system.size
    done = 0
    parts = (
        (offer.metadata, folder / "metadata.tar.xz"),
        (offer.system, folder / "rootfs.squashfs"),
    )
    for part, target in parts:
        before = done

        def tell(count: int, before: int = before) -> None:
            progress(f"downloading: {100 * (before + count) // max(1, total)}%")

        _fetch(part, target, tell)
        done += part.size


def _offers(server: str, products: Mapping[str, Any]) -> dict[str, Offer]:
    found: dict[str, Offer] = {}
    for product in products.values():
        if product.get("arch") == architecture() and (
            offer := _newest(server, product["versions"])
        ):
            found |= dict.fromkeys(product.get("aliases", "").split(","), offer)
    return found


def _newest(server: str, versions: Mapping[str, Any]) -> Offer | None:
    """The last version (they are named by date) that has both files; VM images have other files instead."""
    for version in sorted(versions, reverse=True):
        by_type = {item["ftype"]: item for item in versions[version]["items"].values()}
        metadata = by_type.get("incus.tar.xz") or by_type.get("lxd.tar.xz")
        if metadata and (system := by_type.get("squashfs")):
            return Offer(version, _part(server, metadata), _part(server, system))
    return None


def _part(server: str, item: Mapping[str, Any]) -> Part:
    return Part(f"{server}/{item['path']}", item["sha256"], int(item["size"]))


def _get(address: str, timeout: float) -> bytes:
    with _open(address, timeout) as answer:
        content: bytes = answer.read()
    return content


def _open(address: str, timeout: float) -> Any:
    if not address.startswith(("https://", "http://")):
        raise ValueError(f"{address} is not an http address")
    request = urllib.request.Request(address, headers={"User-Agent": "freehold"})  # noqa: S310 - checked above
    return urllib.request.urlopen(request, timeout=timeout)  # noqa: S310


def _in_time(question: Callable[[], bytes], seconds: float) -> bytes | None:
    """The answer, or None when it fails or takes longer: looking up a name knows no time limit of its own."""
    answer: Future[bytes] = Future()

    def ask() -> None:
        try:
            answer.set_result(question())
        except (OSError, ValueError) as error:
            answer.set_exception(error)

    Thread(target=ask, daemon=True).start()
    try:
        return answer.result(seconds)
    except (OSError, ValueError, TimeoutError):
        return None


def _fetch(part: Part, target: Path, tell: Callable[[int], None]) -> None:
    digest, count, told = hashlib.sha256(), 0, 0
    try:
        with _open(part.address, 30.0) as answer, target.open("wb") as stream:
            while block := answer.read(BLOCK):
                digest.update(block)
                stream.write(block)
                count += len(block)
                if count - told >= 20 * BLOCK:
                    tell(told := count)
    except (OSError, ValueError) as error:
        raise BackendError(_download_failed(part, str(error))) from error
    if digest.hexdigest() != part.sha256:
        raise BackendError(
            _download_failed(part, "its SHA-256 sum is not the one the server's catalogue names")
        )


def _not_understood(server: str, error: Exception) -> Diagnostic:
    return Diagnostic(
        code="lab-image-server",
        summary="The image server's catalogue could not be read",
        detail=f"{server}: {type(error).__name__}: {error}",
        hint=f"Name another server with {SERVER_VARIABLE}, or none with {SERVER_VARIABLE}= (empty).",
    )


def _download_failed(part: Part, why: str) -> Diagnostic:
    return Diagnostic(
        code="lab-image-download",
        summary="An image could not be downloaded",
        detail=f"{part.address}: {why}.",
        hint="Try again; nothing of the failed download is kept.",
    )
