"""The emulated computer that the tests of this folder share: with Incus set up, and both images in it."""

from collections.abc import Iterator

import pytest

from tests.vm.computer import Computer, computer
from tests.vm.payload import PYTHON, is_possible

_SETUP = """\
storage_pools:
- name: default
  driver: btrfs
  config: {size: 8GiB}
"""
_IMAGES = {
    "debian/13": "container/metadata.tar.xz container/rootfs.squashfs",
    "debian/12-vm": "guest/metadata.tar.xz guest/disk.qcow2",
}


# What Incus tries when it starts. It waits five seconds for the answer, and hangs when there is none by then; a program that has run
# before starts faster.
_TRIAL = (
    "qemu-system-x86_64 -S -nographic -nodefaults -no-user-config -machine q35 -accel kvm "
    "-drive if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.secboot.fd"
)
_TRIES = 5


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Computer]:
    """Ready for `freehold apply`."""
    if not is_possible():
        pytest.skip(f"the computer has Python {PYTHON}; run the tests with that version")
    with computer(tmp_path_factory.mktemp("vm")) as running:
        _start_incus(running)
        running.succeed(f"printf '{_SETUP}' | incus admin init --preseed")
        for alias, files in _IMAGES.items():
            running.succeed(f"cd /opt/freehold/images && incus image import {files} --quiet --alias {alias}")  # fmt: skip
        yield running


def _start_incus(host: Computer) -> None:
    """Until it has found that it can run virtual machines."""
    for _ in range(_TRIES):
        host.run(f"timeout 15 {_TRIAL}")
        if "qemu" in host.run("timeout 90 incus query /1.0 | grep '\"driver\"'").output:
            return
        host.run("systemctl kill --signal KILL incus.service; systemctl stop incus.service")
    pytest.fail(f"Incus finds no QEMU that works\n{host.last_words()}")
