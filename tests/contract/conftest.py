"""The same tests against the in-memory Incus and, with the marker `lab`, against a real one in a lab of its own."""

import itertools
from collections.abc import Iterator

import pytest

from freehold.operations.lab import Lab
from freehold.system.incus.api import Incus
from freehold.system.incus.client import IncusClient
from freehold.system.incus.fake import FakeIncus
from tests.contract.site import Site
from tests.throwaway import throwaway_lab

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def real_lab() -> Iterator[Lab]:
    """A lab for the whole run, with the image that the tests use."""
    with throwaway_lab() as lab:
        yield lab


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.lab)])
def server(request: pytest.FixtureRequest) -> Iterator[Site]:
    """A server on which nothing is prepared."""
    if request.param == "real":
        lab: Lab = request.getfixturevalue("real_lab")

        async def connect() -> Incus:
            return IncusClient(lab.socket)
    else:
        fake = FakeIncus(images=["debian/13"])

        async def connect() -> Incus:
            return fake

    site = Site(connect, next(_numbers))
    yield site
    site.clear()
    site.close()


@pytest.fixture
def site(server: Site) -> Site:
    """A server with a project, a bridge, and a default profile that uses both."""
    server.settle()
    return server


@pytest.fixture
def real(real_lab: Lab) -> Iterator[Site]:
    """A real server with a project and a bridge: for what only the real client can show."""

    async def connect() -> Incus:
        return IncusClient(real_lab.socket)

    site = Site(connect, next(_numbers))
    site.settle()
    yield site
    site.clear()
    site.close()
