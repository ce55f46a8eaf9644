"""Images from an image server: a small one on this machine's loopback."""

import hashlib
import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from freehold.diagnostics import BackendError
from freehold.operations.lab import Lab, api, recipe, simplestreams
from freehold.operations.lab.image_cache import ImageCache, architecture
from freehold.operations.lab.images import ensure_image
from freehold.operations.lab.layout import default_cache


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name for it
        pass


class ImageServer:
    """A folder served over HTTP in the form of simplestreams."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        self.address = address
        self.products: dict[str, object] = {}
        (folder / "streams/v1").mkdir(parents=True)
        index = {
            "index": {"images": {"datatype": "image-downloads", "path": "streams/v1/images.json"}}
        }
        self.write("streams/v1/index.json", index)

    def write(self, path: str, document: object) -> None:
        (self.folder / path).write_text(json.dumps(document))

    def offer(
        self, aliases: str, versions: dict[str, tuple[bytes, bytes]], arch: str | None = None
    ) -> None:
        """Publish an image: version -> contents of the metadata and of the system."""
        described = {}
        for version, (metadata, system) in versions.items():
            items = {}
            for name, ftype, content in (
                ("incus.tar.xz", "incus.tar.xz", metadata),
                ("rootfs.squashfs", "squashfs", system),
            ):
                path = f"images/{len(self.products)}/{version}/{name}"
                (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
                (self.folder / path).write_bytes(content)
                digest = hashlib.sha256(content).hexdigest()
                items[name] = {"ftype": ftype, "path": path, "sha256": digest, "size": len(content)}
            described[version] = {"items": items}
        product = {"aliases": aliases, "arch": arch or architecture(), "versions": described}
        self.products[f"p{len(self.products)}"] = product
        self.write("streams/v1/images.json", {"products": self.products})


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ImageServer]:
    folder = tmp_path / "www"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield ImageServer(folder, f"http://127.0.0.1:{http.server_port}")
        http.shutdown()
        thread.join()


def test_the_newest_version_for_this_architecture_is_taken(
    server: ImageServer, tmp_path: Path
) -> None:
    server.offer(
        "alpine/3.20,alpine/current",
        {"20260101_01": (b"old", b"OLD"), "20260301_01": (b"new", b"NEW")},
    )
    server.offer("alpine/3.20,alpine/current", {"20270101_01": (b"m", b"s")}, arch="s390x")
    found = simplestreams.catalogue(server.address)
    assert found is not None
    assert set(found.offers) == {"alpine/3.20", "alpine/current"}
    simplestreams.download(found.offers["alpine/3.20"], tmp_path, lambda _: None)
    assert (tmp_path / "metadata.tar.xz").read_bytes() == b"new"
    assert (tmp_path / "rootfs.squashfs").read_bytes() == b"NEW"


def test_what_does_not_match_its_sum_is_refused(server: ImageServer, tmp_path: Path) -> None:
    server.offer("alpine/3.20", {"1": (b"metadata", b"system")})
    (server.folder / "images/0/1/rootfs.squashfs").write_bytes(b"SYSTEM")
    found = simplestreams.catalogue(server.address)
    assert found is not None
    with pytest.raises(BackendError, match="SHA-256"):
        simplestreams.download(found.offers["alpine/3.20"], tmp_path, lambda _: None)


def test_a_server_that_does_not_answer_is_no_server() -> None:
    assert simplestreams.catalogue("") is None
    assert simplestreams.catalogue("http://127.0.0.1:9") is None
    assert simplestreams.catalogue("file:///etc") is None


def test_a_server_that_speaks_something_else_is_named(server: ImageServer) -> None:
    server.write("streams/v1/index.json", ["no", "index"])
    with pytest.raises(BackendError, match="catalogue could not be read"):
        simplestreams.catalogue(server.address)


@pytest.mark.lab
def test_the_lab_is_given_what_the_server_offers(
    lab: Lab, server: ImageServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure_image(lab, "debian/13", lambda _: None)  # a real image, to be served under another name
    (built,) = default_cache().glob(f"debian-13-{architecture()}-built-{recipe.VERSION}")
    parts = ((built / "metadata.tar.xz").read_bytes(), (built / "rootfs.squashfs").read_bytes())
    api.request(lab.socket, "DELETE", f"/1.0/images/{fingerprint(lab)}")
    server.offer("devuan/5", {"20260301_01": parts})
    monkeypatch.setenv("FREEHOLD_IMAGE_SERVER", server.address)
    cache, said = ImageCache(tmp_path / "cache"), list[str]()
    ensure_image(lab, "devuan/5", said.append, cache=cache)
    assert fingerprint(lab)
    assert any(line.startswith("downloading: ") for line in said)
    (server.folder / "images/0/20260301_01/rootfs.squashfs").unlink()
    with cache.making("devuan/5"):
        assert cache.find(f"devuan-5-{architecture()}-downloaded") is not None
    with pytest.raises(BackendError) as caught:
        ensure_image(lab, "devuam/5", said.append, cache=cache)
    assert "devuan/5" in (caught.value.diagnostics[0].hint or "")


def fingerprint(lab: Lab) -> str:
    (image,) = api.request(lab.socket, "GET", "/1.0/images?recursion=1")
    return str(image["fingerprint"])
