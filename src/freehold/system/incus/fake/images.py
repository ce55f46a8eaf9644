"""`/images` and their aliases in the in-memory Incus: shared by all projects. Routes for `server.py`.

Importing an image is left out: a test preloads those it wants.
"""

import hashlib
from typing import Any

from freehold.system.incus.fake.documents import NEVER, Document, copied, listing, text_of, url
from freehold.system.incus.fake.routing import Refusal, Request, Routes, not_found
from freehold.system.incus.fake.state import State, now


def preload(state: State, alias: str, image_type: str = "container") -> str:
    """Put an image with an alias there; its fingerprint."""
    fingerprint = hashlib.sha256(f"{image_type} {alias}".encode()).hexdigest()
    system, _, release = alias.partition("/")
    state.images[fingerprint] = {
        "fingerprint": fingerprint,
        "type": image_type,
        "architecture": "x86_64",
        "auto_update": False,
        "cached": False,
        "public": False,
        "filename": "rootfs.squashfs",
        "size": 86_648_832,
        "properties": {
            "architecture": "amd64",
            "description": f"{system.title()} {release}",
            "os": system.title(),
            "release": release,
        },
        "profiles": ["default"],
        "expires_at": NEVER,
        "last_used_at": NEVER,
        "created_at": now(),
        "uploaded_at": now(),
        "project": "default",
    }
    state.aliases[alias] = fingerprint
    return fingerprint


def _list(state: State, request: Request) -> list[Any]:
    state.require_project(request.project)
    return listing(
        request,
        state.images,
        lambda fingerprint: _rendered(state, fingerprint),
        lambda fingerprint: url("/images", fingerprint),
    )


def _get(state: State, request: Request, start: str) -> Document:
    return _rendered(state, _found(state, start, f'Image "{start}" not found'))


def _delete(state: State, request: Request, start: str) -> Document:
    fingerprint = _found(state, start, "Image not found")
    del state.images[fingerprint]
    state.aliases = {name: to for name, to in state.aliases.items() if to != fingerprint}
    return state.operation("Deleting image", {"images": [url("/images", fingerprint)]})


def _list_aliases(state: State, request: Request) -> list[Any]:
    return listing(
        request,
        sorted(state.aliases),
        lambda name: _rendered_alias(state, name),
        lambda name: url("/images/aliases", name),
    )


def _get_alias(state: State, request: Request, name: str) -> Document:
    if name not in state.aliases:
        raise not_found("Image alias not found")
    return _rendered_alias(state, name)


def _create_alias(state: State, request: Request) -> None:
    name = text_of(request.body, "name")
    if name in state.aliases:
        raise Refusal(409, f'Alias "{name}" already exists')
    state.aliases[name] = _found(state, text_of(request.body, "target"), "Image not found")


def _delete_alias(state: State, request: Request, name: str) -> Document:
    if name not in state.aliases:
        raise not_found("Image alias not found")
    del state.aliases[name]
    return {}


def _found(state: State, start: str, otherwise: str) -> str:
    matching = [each for each in state.images if start and each.startswith(start)]
    if len(matching) != 1:
        raise not_found(otherwise)
    return matching[0]


def _rendered(state: State, fingerprint: str) -> Document:
    aliases = [
        {"name": name, "description": ""}
        for name, target in sorted(state.aliases.items())
        if target == fingerprint
    ]
    return {**copied(state.images[fingerprint]), "aliases": aliases}


def _rendered_alias(state: State, name: str) -> Document:
    target = state.aliases[name]
    image_type = state.images[target]["type"]
    return {"name": name, "description": "", "target": target, "type": image_type}


ROUTES: Routes = {
    ("GET", "/images"): _list,
    ("GET", "/images/aliases"): _list_aliases,
    ("POST", "/images/aliases"): _create_alias,
    ("GET", "/images/aliases/{name...}"): _get_alias,
    ("DELETE", "/images/aliases/{name...}"): _delete_alias,
    ("GET", "/images/{fingerprint}"): _get,
    ("DELETE", "/images/{fingerprint}"): _delete,
}
