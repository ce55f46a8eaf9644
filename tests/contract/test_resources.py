"""What a server tells of the computer it runs on, and of its pools' room."""

from freehold.providers.incus.cards import cards_of
from freehold.providers.incus.computer import computer_of
from tests.contract.site import Site, refused

_MIB = 1024**2


def test_the_computer_has_threads_and_memory(server: Site) -> None:
    found = server.get("/resources")
    computer = computer_of(found)
    assert computer.threads >= 1
    assert computer.memory > 256 * _MIB
    assert found["memory"]["used"] < computer.memory
    assert computer.cards == cards_of(found)
    assert found["gpu"]["total"] == len(found["gpu"]["cards"])


def test_a_pool_has_room_and_tells_how_much_of_it_is_used(server: Site) -> None:
    space = server.get("/storage-pools/default/resources")["space"]
    assert 0 <= space.get("used", 0) < space["total"]


def test_room_of_a_pool_that_is_not_there(server: Site) -> None:
    with refused(500, "Storage pool not found"):
        server.get("/storage-pools/none/resources")
