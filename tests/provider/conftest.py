"""The server of the provider's tests: the in-memory fake, and (marked `lab`) a real Incus in a lab of its own."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from freehold.operations.lab import Lab
from freehold.system.incus.client import IncusClient
from freehold.system.incus.fake import FakeIncus
from tests.provider.estate import Counting, Server
from tests.throwaway import IMAGE, SAME_IMAGE, name_it_twice, throwaway_lab

IMAGES = (IMAGE, SAME_IMAGE)


@pytest.fixture(scope="session")
def real_lab() -> Iterator[Lab]:
    """A lab for the whole run, with the image under two names."""
    with throwaway_lab() as lab:
        name_it_twice(lab)
        yield lab


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.lab)])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """A server without anything of ours on it; what a test leaves is deleted."""
    loop = asyncio.new_event_loop()
    is_real = request.param == "real"
    if is_real:
        lab: Lab = request.getfixturevalue("real_lab")
        incus = loop.run_until_complete(_client(lab))
        server = Server(Counting(incus), tmp_path, loop, is_real)
    else:
        server = Server(Counting(FakeIncus(images=IMAGES)), tmp_path, loop, is_real)
    try:
        yield server
    finally:
        if is_real:
            loop.run_until_complete(_clean(server))
        loop.run_until_complete(server.incus.close())
        loop.close()


async def _client(lab: Lab) -> IncusClient:
    return IncusClient(lab.socket)


async def _clean(server: Server) -> None:
    """Delete every project but the default one, and every bridge: the lab is the test's own."""
    incus = server.incus.incus
    for project in await incus.get("/projects"):
        name = project.rsplit("/", 1)[1]
        if name != "default":
            await incus.send("DELETE", f"/projects/{name}?force=1")
    for network in await incus.get("/networks", recursion="1"):
        if network["managed"]:
            await incus.send("DELETE", f"/networks/{network['name']}")
