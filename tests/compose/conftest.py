"""Desks for the tests: an estate on a Docker in memory, and (slow) one on a real Docker in a machine of a lab."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from freehold.system.incus.client import IncusClient
from freehold.system.incus.fake import FakeIncus
from freehold.system.secrets.fake import FakeSecrets
from freehold.system.targets.fake import FakeTargets
from tests.compose.docker import FakeDocker
from tests.compose.estate import POISON, TARGET, Counting, Desk
from tests.compose.real import IMAGES, Real, real_docker
from tests.throwaway import IMAGE


@pytest.fixture(scope="session")
def real() -> Iterator[Real]:
    """A machine of a lab with Docker in it and the images of the catalog, for the whole run."""
    with real_docker() as real:
        yield real


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest.fixture
def secrets() -> FakeSecrets:
    return FakeSecrets({"db_password": POISON})


@pytest.fixture
def docker() -> FakeDocker:
    """The Docker of the desk in memory."""
    target = FakeTargets().fake(TARGET)
    made = FakeDocker(target, images=set(IMAGES))
    target.answers = made.answer
    return made


@pytest.fixture
def in_memory(
    docker: FakeDocker, secrets: FakeSecrets, loop: asyncio.AbstractEventLoop, tmp_path: Path
) -> Desk:
    targets = FakeTargets({TARGET: docker.target})
    return Desk(tmp_path, FakeIncus(images=(IMAGE,)), Counting(targets), secrets, loop)


@pytest.fixture(params=["fake", pytest.param("real", marks=[pytest.mark.lab, pytest.mark.slow])])
def desk(
    request: pytest.FixtureRequest,
    secrets: FakeSecrets,
    loop: asyncio.AbstractEventLoop,
    tmp_path: Path,
) -> Iterator[Desk]:
    """A desk with the two services to be applied; what a test leaves is deleted."""
    if request.param == "fake":
        docker: FakeDocker = request.getfixturevalue("docker")
        docker.breaks.add("broken with")
        yield request.getfixturevalue("in_memory")
        return
    real: Real = request.getfixturevalue("real")
    incus = loop.run_until_complete(_client(real))
    desk = Desk(
        tmp_path, incus, Counting(real.targets(loop)), secrets, loop, prepared=real.prepared
    )
    try:
        yield desk
    finally:
        real.clean()
        loop.run_until_complete(incus.close())


async def _client(real: Real) -> IncusClient:
    return IncusClient(real.lab.socket)
