"""Disks, a restart and NFS, where they are real: the roles host_disks and host_nfs in the emulated computer, run there by Ansible.

The tests stand in the order in which they happen to the same computer. No disk but those that were added for them is ever named.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.vm.computer import Computer, computer
from tests.vm.payload import PYTHON, is_possible

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(7200)]

PLAYBOOK = "/opt/freehold/bin/python -m ansible playbook"
BLANK, TAKEN, WIPED, HALF, LOST = "blank", "taken", "wiped", "half", "lost"
MEDIA = {"id": "virtio-blank", "path": "/srv/media", "reserve": 15}
SUM = "sha256sum </dev/disk/by-id/virtio-{}"

# Two more addresses of the network in which the computer offers folders, each in a namespace of its own.
NETWORK = """
ip link add shared type bridge
ip address add 10.100.9.1/24 dev shared
ip link set shared up
for each in 2 3; do
    ip netns add at-$each
    ip link add to-$each type veth peer name eth0 netns at-$each
    ip link set to-$each master shared up
    ip -n at-$each address add 10.100.9.$each/24 dev eth0
    ip -n at-$each link set eth0 up
done
"""


def play(host: Computer, *tasks: dict[str, Any]) -> dict[str, Any]:
    """What Ansible says of these tasks in the computer: `code`, `output`, and the numbers of its last line."""
    plays = [
        {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [*tasks]}
    ]
    host.guest.write("/root/play.yml", json.dumps(plays).encode())
    ended = host.run(f"cd /root && ANSIBLE_NOCOLOR=1 {PLAYBOOK} -i localhost, play.yml")
    last = ended.output.strip().splitlines()[-1] if ended.output.strip() else ended.errors
    return {"code": ended.code, "output": ended.output, "last": last}


def role(name: str, tasks: str, **variables: Any) -> dict[str, Any]:
    """A file of a role's tasks. Its packages are there already, and the computer has no network to ask for others."""
    called = {"name": f"freehold.estate.{name}", "tasks_from": tasks}
    return {"ansible.builtin.include_role": called, "vars": variables}


def disk(**about: Any) -> dict[str, Any]:
    return role("host_disks", "disk", host_disks_disk=about)


def went_well(played: dict[str, Any]) -> str:
    assert played["code"] == 0, played["output"]
    return str(played["last"])


def refused(played: dict[str, Any], why: str) -> None:
    assert played["code"] != 0, played["output"]
    assert why in played["output"]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Computer]:
    """With five disks of 64 MiB: an empty one, a used one, one whose table was wiped, one half made, and one that will be lost."""
    if not is_possible():
        pytest.skip(f"the computer has Python {PYTHON}; run the tests with that version")
    folder = tmp_path_factory.mktemp("vm")
    with computer(folder, further=(BLANK, TAKEN, WIPED, HALF, LOST)) as running:
        running.succeed("mkswap /dev/disk/by-id/virtio-taken")
        running.succeed("mkfs.ext4 -q -E offset=1048576 /dev/disk/by-id/virtio-wiped 60M")
        running.succeed(
            "printf 'label: gpt\\nname=freehold\\n' | sfdisk -q /dev/disk/by-id/virtio-half && udevadm settle"
        )
        running.succeed("mkfs.ext4 -q /dev/disk/by-id/virtio-lost")
        yield running


def test_an_empty_disk_is_left_empty_without_the_word(host: Computer) -> None:
    before = host.succeed(SUM.format(BLANK))
    refused(play(host, disk(**MEDIA)), "confirm: virtio-blank")
    refused(play(host, disk(**MEDIA, confirm="virtio-taken")), "confirm: virtio-blank")
    assert host.succeed(SUM.format(BLANK)) == before


@pytest.mark.parametrize("name", [TAKEN, WIPED])
def test_what_is_not_empty_is_never_written_to(host: Computer, name: str) -> None:
    before = host.succeed(SUM.format(name))
    asked = {"id": f"virtio-{name}", "confirm": f"virtio-{name}", "path": "/srv/other"}
    refused(play(host, disk(**asked)), f"The disk virtio-{name} is left as it is.")
    assert host.succeed(SUM.format(name)) == before
    assert "/srv/other" not in host.succeed("cat /etc/fstab")


def test_an_empty_disk_is_made_and_mounted_with_the_word(host: Computer) -> None:
    asked = {**MEDIA, "confirm": "virtio-blank"}
    went_well(play(host, disk(**asked)))
    assert host.succeed("findmnt -no SOURCE,FSTYPE /srv/media").split() == ["/dev/vdc1", "ext4"]
    uuid = host.succeed("findmnt -no UUID /srv/media").strip()
    [line] = [line for line in host.succeed("cat /etc/fstab").splitlines() if "/srv/media" in line]
    assert line.startswith(f"UUID={uuid} /srv/media ext4 ")
    assert "nofail" in line.split()[3].split(",")
    assert "changed=0" in went_well(play(host, disk(**asked)))


def test_so_much_of_it_stays_free(host: Computer) -> None:
    """As `df` tells everybody but root; a fifth is asked for later."""
    size, free = _space(host)
    assert free / size < 0.86
    assert "changed=1" in went_well(play(host, disk(**{**MEDIA, "reserve": 20})))
    later = _space(host)[1]
    assert 0.03 < (free - later) / size < 0.07


def _space(host: Computer) -> tuple[int, int]:
    """Blocks in all, and those that not only root may take."""
    size, free = host.succeed("stat --file-system --format '%b %a' /srv/media").split()
    return int(size), int(free)


def test_a_disk_that_was_half_made_is_gone_on_with(host: Computer) -> None:
    went_well(play(host, disk(id="virtio-half", confirm="virtio-half", path="/srv/half")))
    assert host.succeed("findmnt -no FSTYPE /srv/half").strip() == "ext4"


def test_a_disk_with_an_ext4_is_mounted_as_it_is(host: Computer) -> None:
    uuid = host.succeed("blkid -o value -s UUID /dev/disk/by-id/virtio-lost").strip()
    went_well(play(host, disk(id="virtio-lost", path="/srv/lost")))
    assert host.succeed("findmnt -no UUID /srv/lost").strip() == uuid


def test_after_a_restart_all_are_there_but_the_one_that_was_lost(host: Computer) -> None:
    host.succeed(
        "echo a film >/srv/media/film && umount /srv/lost && wipefs -qa /dev/disk/by-id/virtio-lost"
    )
    host.restart()
    assert host.succeed("cat /srv/media/film") == "a film\n"
    assert host.succeed("findmnt -no FSTYPE /srv/half").strip() == "ext4"
    assert host.run("findmnt /srv/lost").code != 0
    assert host.run("touch /srv/lost/film").code != 0, "it would fill the disk of the system"


def test_a_folder_is_shared_with_those_who_are_named_and_nobody_else(host: Computer) -> None:
    host.succeed(NETWORK)
    everybody = {"to": ["10.100.9.1", "10.100.9.2"], "writable": False}
    exports = role(
        "host_nfs",
        "exports",
        host_nfs_exports=[{"path": path, **everybody} for path in ("/srv/media", "/srv/lost")],
        host_disks_mounted=[{"path": "/srv/media"}, {"path": "/srv/lost"}],
    )
    went_well(play(host, exports))
    assert "changed=0" in went_well(play(host, exports))
    mount = "ip netns exec at-{0} sh -c 'mount -t nfs4 -o ro,timeo=50,retrans=1 10.100.9.1:/srv/media /mnt && cat /mnt/film && umount /mnt'"
    assert host.succeed(mount.format(2)) == "a film\n"
    assert host.run(mount.format(3)).code != 0
    lost = mount.format(2).replace("/srv/media", "/srv/lost").replace("cat /mnt/film", "ls /mnt")
    assert host.run(lost).code != 0, "its disk is not there"


def test_what_another_host_shares_is_there_when_it_is_looked_at(host: Computer) -> None:
    mount = {"from": "10.100.9.1", "folder": "/srv/media", "path": "/mnt/media", "writable": False}
    went_well(play(host, role("host_nfs", "mount", host_nfs_mount=mount)))
    assert host.run("findmnt -t nfs4 /mnt/media").code != 0
    assert host.succeed("cat /mnt/media/film") == "a film\n"
    assert host.succeed("findmnt -no FSTYPE -t nfs4 /mnt/media").strip() == "nfs4"
    assert "changed=0" in went_well(play(host, role("host_nfs", "mount", host_nfs_mount=mount)))
