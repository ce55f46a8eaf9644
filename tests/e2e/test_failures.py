"""What fails, fails alone: the rest is done, the message names machine and cause, and the next apply converges."""

from collections.abc import Iterator

import pytest

from tests.e2e.estate import THREE_DOMAINS, TWO_MACHINES, Estate, told

pytestmark = pytest.mark.lab

PRIVATE = ("unshare", "--mount", "--propagation", "private", "sh", "-euc")


def inside(estate: Estate, commands: str) -> Estate:
    """The same estate, every command run in a mount namespace of its own in which `commands` came first."""
    (estate.folder / ".freehold").mkdir(exist_ok=True)
    prefix = (*PRIVATE, f'{commands}; exec "$@"', "sh")
    return Estate(estate.folder, estate.lab, prefix)


def test_a_machine_that_refuses_to_start_fails_alone(estate: Estate) -> None:
    estate.write(
        THREE_DOMAINS.replace(
            "ip: 10.100.12.10", "ip: 10.100.12.10, config: {raw.lxc: lxc.init.cmd = /nonexistent}"
        )
    )
    done = estate.freehold("apply", "--yes")
    assert done.code == 4, done
    assert "failed: instance lodge/till at `" in done.err
    assert "lodge-till" in done.err.partition("failed: instance lodge/till")[2]
    assert "incus info --project lodge lodge-till --show-log" in done.err, "where the reason is"
    assert done.err.splitlines()[-1].startswith("Failed: 1 failed of 13 changes; 12 created")
    states = estate.states()
    assert states["home-desk"][0] == states["mill-wheel"][0] == "running"
    assert estate.freehold("verify").code == 2

    assert estate.freehold("apply", "--yes").code == 1, "nothing else is to be done, and this fails"
    estate.edit(", config: {raw.lxc: lxc.init.cmd = /nonexistent}", "")
    estate.ok("apply", "--yes")
    estate.settled()


@pytest.fixture
def small_pool(estate: Estate) -> Iterator[str]:
    """A storage pool too small for one machine."""
    estate.incus("storage", "create", "small", "btrfs", "size=128MiB")
    yield "small"
    estate.freehold("destroy", "--yes", "--confirm", "cottage")
    for volume in estate.get("/storage-pools/small/volumes/image"):
        estate.incus("storage", "volume", "delete", "small", f"image/{volume.rsplit('/', 1)[1]}")
    estate.incus("storage", "delete", "small")


def test_a_full_storage_pool_is_told_and_there_is_a_way_on(estate: Estate, small_pool: str) -> None:
    estate.write(
        TWO_MACHINES.replace("domains:", f"defaults: {{storage: {small_pool}}}\n    domains:")
    )
    done = estate.freehold("apply", "--yes")
    assert done.code == 4, done
    assert "failed: instance home/desk at `create home-desk`" in done.err
    assert "No space left on device" in done.err
    estate.incus("storage", "set", small_pool, "size=3GiB")
    estate.ok("apply", "--yes")
    estate.settled()


def test_a_full_disk_is_told_before_anything_is_changed(estate: Estate) -> None:
    estate.write(TWO_MACHINES)
    full = inside(
        estate,
        "mount -t tmpfs -o size=64k none .freehold; cat /dev/zero > .freehold/fill 2>/dev/null || true",
    )
    done = full.freehold("apply", "--yes")
    assert done.code == 1, done
    assert "error[cannot-write]" in done.err
    assert ".freehold: No space left on device. " in done.said + " "
    assert full.freehold("plan").code == 0, "looking needs no disk"
    assert len(told(estate.plan())) == 6
    estate.ok("apply", "--yes")
    estate.settled()


@pytest.mark.slow
def test_a_disk_that_fills_up_meanwhile_stops_nothing(estate: Estate) -> None:
    estate.write(THREE_DOMAINS)
    mounting = "mount -t tmpfs -o size=28k none .freehold"  # room for the lock, the plan, and a page of the journal
    done = inside(estate, mounting).freehold("apply", "--yes")
    assert done.code == 0, done
    assert "warning[journal-incomplete]" in done.err
    assert "No space left on device" in done.err
    estate.settled()


def test_a_folder_that_nobody_may_write_to(estate: Estate) -> None:
    estate.write(TWO_MACHINES)
    sealed = inside(estate, "mount --bind . . && mount -o remount,bind,ro . && cd $PWD")
    for verb in ("plan", "status", "log"):
        assert sealed.freehold(verb).code == 0, verb
    done = sealed.freehold("apply", "--yes")
    assert done.code == 1, done
    assert "error[cannot-write]" in done.err
    assert "Read-only file system" in done.err
    assert len(told(estate.plan())) == 6
