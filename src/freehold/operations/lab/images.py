"""Images for the machines of the lab, which has no way out to an image server.

Called through `LabImages` by the Incus provider when a verb runs with `--lab`. Looked for in this order: the lab's own
alias, the cache on this machine, an image server, and for Debian a system made on the spot.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from freehold.diagnostics import BackendError, Diagnostic, did_you_mean
from freehold.operations.lab import api, debian, recipe, simplestreams
from freehold.operations.lab.image_cache import MADE_HERE, RECIPE, Image, ImageCache, architecture
from freehold.operations.lab.lab import Lab
from freehold.operations.lab.layout import default_cache
from freehold.system.processes import require

if TYPE_CHECKING:
    import asyncio

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Alias:
    """What a name stands for in Incus: `container` or `virtual-machine`, and the image's fingerprint."""

    type: str
    target: str


def ensure_image(
    lab: Lab,
    name: str,
    progress: Progress,
    *,
    machine_type: str = "container",
    cache: ImageCache | None = None,
) -> None:
    """Make the alias `name` exist in the default project of the running lab's Incus.

    Takes milliseconds when it is there, half a second from the cache, else what a download or a build takes; several
    processes may ask at once. An image that an older recipe made is replaced, for machines to come. Raises BackendError
    when there is no such image or it cannot be had.
    """
    found = _alias(lab, name)
    if found is not None and found.type == machine_type and not _outdated(lab, found):
        return
    if machine_type != "container":
        raise BackendError(_no_virtual_machines(name))
    cache = cache or ImageCache(default_cache())
    with cache.making(name):
        found = _alias(lab, name)  # another process may have been faster
        if found is None:
            _load(lab, name, _obtain(cache, name, progress), progress)
        elif _outdated(lab, found):
            _renew(lab, name, found, cache, progress)


class LabImages:
    """The lab's images as the Incus provider asks for them: each is got once, however many machines want it."""

    def __init__(self, lab: Lab, cache: ImageCache | None = None) -> None:
        self._lab = lab
        self._cache = cache
        self._ready: set[tuple[str, str]] = set()
        self._locks: dict[tuple[str, str], asyncio.Lock] = {}

    async def source(self, image: str, machine_type: str, report: Progress) -> Mapping[str, object]:
        """The `source` of a create or rebuild request to Incus. Raises BackendError when there is no such image."""
        await self.ensure(image, machine_type, report)
        return {"type": "image", "alias": _alias_of(image)}

    async def ensure(self, image: str, machine_type: str, progress: Progress) -> None:
        """`ensure_image` in a thread. Raises BackendError."""
        import asyncio  # 40 ms that nobody without an event loop should pay

        key = (_alias_of(image), _incus_type(machine_type))
        async with self._locks.setdefault(key, asyncio.Lock()):
            if key not in self._ready:
                await asyncio.to_thread(
                    ensure_image,
                    self._lab,
                    key[0],
                    progress,
                    machine_type=key[1],
                    cache=self._cache,
                )
                self._ready.add(key)


def _alias_of(image: str) -> str:
    """`images:debian/13` means the same as `debian/13` in a lab."""
    return image.removeprefix("images:")


def _incus_type(machine_type: str) -> str:
    return "virtual-machine" if machine_type == "vm" else str(machine_type)


def _alias(lab: Lab, name: str) -> _Alias | None:
    """None when the lab has no such alias."""
    found = api.find(lab.socket, f"/1.0/images/aliases/{quote(name, safe='')}")
    return None if found is None else _Alias(str(found["type"]), str(found["target"]))


def _outdated(lab: Lab, found: _Alias) -> bool:
    """Whether another version of the recipe made the image here; other images are no business of the recipe."""
    image = api.find(lab.socket, f"/1.0/images/{found.target}") or {"properties": {}}
    properties = image["properties"]
    made_here = str(properties.get("description", "")).endswith(MADE_HERE)
    return made_here and properties.get(RECIPE) != str(recipe.VERSION)


def _renew(lab: Lab, name: str, found: _Alias, cache: ImageCache, progress: Progress) -> None:
    """Give the name to a new image. Machines made from the old one stay as they are, and so does the name if there is no new one."""
    try:
        image = _obtain(cache, name, progress)
    except BackendError as error:
        progress(f"keeping the old {name}: {error.diagnostics[0].detail.splitlines()[0]}")
        return
    target = {"target": _loaded(lab, name, image, progress)}
    api.request(lab.socket, "PUT", f"/1.0/images/aliases/{quote(name, safe='')}", target)
    old = api.find(lab.socket, f"/1.0/images/{found.target}")
    if old is not None and not old["aliases"]:
        api.request(lab.socket, "DELETE", f"/1.0/images/{found.target}")


def _obtain(cache: ImageCache, name: str, progress: Progress) -> Image:
    """The image in the cache, brought there if need be."""
    keys = _keys(name)
    for key in keys:
        if (found := cache.find(key)) is not None:
            return found
    built, downloaded = keys
    offered = None if name in debian.ONLY_MADE_HERE else _offered(name, progress)
    if offered is not None and name in offered.offers:
        with cache.new(downloaded) as folder:
            simplestreams.download(offered.offers[name], folder, progress)
        return Image(cache.folder / downloaded)
    if name not in debian.IMAGES:
        raise BackendError(_unknown(name, offered))
    if (obstacle := debian.obstacle(name)) is not None:
        raise BackendError(obstacle)
    mirror = debian.debian_mirror()
    assert mirror is not None, "obstacle() said that there is one"
    progress(f"making {name} from this machine's Debian mirror (about 20 s, once)")
    with cache.new(built) as folder:
        debian.build(name, folder, mirror)
    return Image(cache.folder / built)


def _offered(name: str, progress: Progress) -> simplestreams.Catalogue | None:
    progress(f"looking for {name} on the image server")
    return simplestreams.catalogue(simplestreams.server_address())


def _keys(name: str) -> tuple[str, str]:
    """Under which keys the cache may have the image: made here by this recipe, or downloaded."""
    stem = f"{name.replace('/', '-')}-{architecture()}"
    return f"{stem}-built-{recipe.VERSION}", f"{stem}-downloaded"


def _load(lab: Lab, name: str, image: Image, progress: Progress) -> None:
    """Give the lab's Incus the image under the alias; it may know the image by another one already."""
    fingerprint = _loaded(lab, name, image, progress)
    alias = {"name": name, "target": fingerprint, "type": "container"}
    api.request(lab.socket, "POST", "/1.0/images/aliases", alias)


def _loaded(lab: Lab, name: str, image: Image, progress: Progress) -> str:
    """The fingerprint of the image, which the lab's Incus has from now on."""
    progress(f"loading {name} into the lab")
    fingerprint = image.fingerprint()
    if api.find(lab.socket, f"/1.0/images/{fingerprint}") is None:
        files = [str(image.metadata), str(image.system)]
        require(["incus", "image", "import", *files, "--quiet"], environment=lab.environment())
    return fingerprint


def _unknown(name: str, offered: simplestreams.Catalogue | None) -> Diagnostic:
    known = {*debian.IMAGES, *(offered.offers if offered else ())}
    where = (
        f"{offered.server} has no container image of that name"
        if offered
        else "no image server answers"
    )
    return Diagnostic(
        code="image-unknown",
        summary="There is no such image",
        detail=f"`{name}`: the lab does not have it, {where}, and only {', '.join(debian.IMAGES)} can be made here.",
        hint=did_you_mean(name, known),
    )


def _no_virtual_machines(name: str) -> Diagnostic:
    return Diagnostic(
        code="lab-image-virtual-machine",
        summary="The lab has no such image for virtual machines",
        detail=f"`{name}`: the lab gets and makes images for containers only.",
        hint="Make the machine a container, or import an image yourself:\n"
        "    freehold lab run -- incus image import METADATA DISK --alias NAME",
    )
