"""A lab that an earlier version made has images of an earlier recipe; new machines get the present one."""

from pathlib import Path

import pytest

from freehold.operations.lab import Lab, api, debian, recipe
from freehold.operations.lab.image_cache import Image, ImageCache, architecture, write_metadata
from freehold.operations.lab.images import ensure_image
from freehold.operations.lab.layout import default_cache

pytestmark = pytest.mark.lab


@pytest.fixture
def present(lab: Lab) -> Image:
    """The image that this version makes."""
    ensure_image(lab, "debian/13", lambda _: None)
    (folder,) = default_cache().glob(f"debian-13-{architecture()}-built-{recipe.VERSION}")
    return Image(folder)


@pytest.fixture
def old(lab: Lab, present: Image, tmp_path: Path) -> ImageCache:
    """A cache in which the image is one of the last recipe; the lab has it from there, and a machine of it."""
    for image in api.request(lab.socket, "GET", "/1.0/images"):
        api.request(lab.socket, "DELETE", image)
    cache = ImageCache(tmp_path)
    folder = cache.folder / present.folder.name
    folder.mkdir()
    (folder / "rootfs.squashfs").symlink_to(present.system)
    write_metadata(folder / "metadata.tar.xz", "Debian", "trixie", recipe.VERSION - 1)
    ensure_image(lab, "debian/13", lambda _: None, cache=cache)
    wanted = {"name": "kept", "source": {"type": "image", "alias": "debian/13"}}
    api.request(lab.socket, "POST", "/1.0/instances", wanted)
    return cache


def fingerprints(lab: Lab) -> list[str]:
    return [
        str(image["fingerprint"])
        for image in api.request(lab.socket, "GET", "/1.0/images?recursion=1")
    ]


def test_the_name_goes_over_to_the_present_image(lab: Lab, old: ImageCache, present: Image) -> None:
    before = api.request(lab.socket, "GET", "/1.0/instances/kept")
    (outdated,) = fingerprints(lab)
    said: list[str] = []
    ensure_image(lab, "debian/13", said.append, cache=ImageCache(present.folder.parent))
    assert said == ["loading debian/13 into the lab"]
    assert fingerprints(lab) == [present.fingerprint()] != [outdated]
    assert (
        api.request(lab.socket, "GET", "/1.0/images/aliases/debian%2F13")["target"]
        == present.fingerprint()
    )
    assert api.request(lab.socket, "GET", "/1.0/instances/kept") == before
    assert (
        api.request(lab.socket, "PUT", "/1.0/instances/kept/state", {"action": "start"}) is not None
    )
    said.clear()
    ensure_image(lab, "debian/13", said.append, cache=ImageCache(present.folder.parent))
    assert said == [], "once is enough"


def test_an_older_image_in_the_cache_is_not_taken(
    lab: Lab, present: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = ImageCache(tmp_path)
    name = present.folder.name.removesuffix(f"-built-{recipe.VERSION}")
    (cache.folder / f"{name}-built-{recipe.VERSION - 1}").symlink_to(present.folder)

    def build(name: str, folder: Path, mirror: str) -> None:
        for file in (present.metadata, present.system):
            (folder / file.name).symlink_to(file)

    monkeypatch.setenv("FREEHOLD_IMAGE_SERVER", "")
    monkeypatch.setattr(debian, "build", build)
    api.request(lab.socket, "DELETE", f"/1.0/images/{present.fingerprint()}")
    said: list[str] = []
    ensure_image(lab, "debian/13", said.append, cache=cache)
    assert any(text.startswith("making debian/13 from") for text in said)
    assert cache.find(f"{name}-built-{recipe.VERSION}") is not None


def test_an_old_image_is_better_than_none(
    lab: Lab, old: ImageCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FREEHOLD_IMAGE_SERVER", "")
    monkeypatch.setattr(debian, "debian_mirror", lambda: None)
    before, said = fingerprints(lab), list[str]()
    ensure_image(lab, "debian/13", said.append, cache=ImageCache(tmp_path / "empty"))
    assert any(text.startswith("keeping the old debian/13: ") for text in said)
    assert fingerprints(lab) == before


def test_images_that_were_not_made_here_are_left_alone(lab: Lab, old: ImageCache) -> None:
    (fingerprint,) = fingerprints(lab)
    properties = {"description": "Somebody's own"}
    api.request(lab.socket, "PATCH", f"/1.0/images/{fingerprint}", {"properties": properties})
    said: list[str] = []
    ensure_image(lab, "debian/13", said.append)
    assert said == []
