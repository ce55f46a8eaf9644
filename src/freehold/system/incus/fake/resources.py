"""`/resources` and `/storage-pools/NAME/resources` in the in-memory Incus: the computer it pretends to run on.

Routes for `server.py`. Tests choose the computer by `behaviour.computer`.
"""

from freehold.system.incus.fake.documents import Document, copied
from freehold.system.incus.fake.routing import Refusal, Request, Routes
from freehold.system.incus.fake.state import State


def _resources(state: State, request: Request) -> Document:
    _told(state)
    computer = state.behaviour.computer
    return {
        "cpu": {"architecture": "x86_64", "sockets": [], "total": computer.threads},
        "memory": {
            "nodes": [],
            "hugepages_total": 0,
            "hugepages_used": 0,
            "hugepages_size": 2 * 1024**2,
            "used": computer.memory // 4,
            "total": computer.memory,
        },
        "gpu": {"cards": copied(computer.cards), "total": len(computer.cards)},
        "network": {"cards": [], "total": 0},
        "storage": {"disks": [], "total": 0},
        "usb": {"devices": [], "total": 0},
        "pci": {"devices": [], "total": 0},
        "system": {},
        "load": {},
    }


def _pool_resources(state: State, request: Request, name: str) -> Document:
    _told(state)
    if name not in state.pools:
        raise Refusal(500, "Storage pool not found")  # the one place where Incus does not say 404
    computer = state.behaviour.computer
    space = {"used": computer.pool_used, "total": computer.pool_total}
    return {"space": space, "inodes": {"used": 0, "total": 0}}


def _told(state: State) -> None:
    if not state.behaviour.computer.tells:
        raise Refusal(403, "not authorized")


ROUTES: Routes = {
    ("GET", "/resources"): _resources,
    ("GET", "/storage-pools/{pool}/resources"): _pool_resources,
}
