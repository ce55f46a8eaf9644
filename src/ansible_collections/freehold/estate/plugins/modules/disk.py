# Apache-2.0 (see LICENSE)
"""One ext4 on a whole disk: made only where the disk is empty and its id was repeated. Used by the role host_disks."""

# ruff: noqa: E402 - Ansible reads what documents a module before anything else

from __future__ import annotations

DOCUMENTATION = r"""
module: disk
short_description: one ext4 on a whole disk, made only when the disk is empty and that was confirmed
description:
  - Finds a disk by its name below C(/dev/disk/by-id), which stays the same whatever else is plugged in.
  - An empty disk gets a partition table (GPT) with one partition and an ext4 in it, when O(confirm) repeats the id.
    Empty means that wipefs and blkid find nothing on it, neither at its beginning nor where first partitions begin, that it
    has no partition, and that nothing uses it.
  - A disk that holds an ext4 is taken as it is. Whatever else a disk holds, the task fails and nothing is written.
  - Keeps free space in reserve, of which only root's programs may take.
author: The developers of Freehold
options:
  id:
    description: The disk's name below C(/dev/disk/by-id); that of the disk, not of a partition.
    type: str
    required: true
  confirm:
    description: The same id once more, where an empty disk may be formatted.
    type: str
    default: ""
  reserve:
    description: How many percent of the space are kept in reserve.
    type: int
    default: 10
attributes:
  check_mode:
    description: Looks and writes nothing.
    support: full
"""

EXAMPLES = r"""
- name: The disk for films
  freehold.estate.disk:
    id: ata-EXAMPLE_4TB_0001
    confirm: ata-EXAMPLE_4TB_0001
    reserve: 15
"""

RETURN = r"""
uuid:
  description: The UUID of the ext4, by which it is to be mounted. Empty in check mode, when it is yet to be made.
  type: str
  returned: success
device:
  description: The partition, or the disk where the ext4 has no partition, by its id.
  type: str
  returned: success
done:
  description: What was done, in words.
  type: list
  elements: str
  returned: success
"""

import dataclasses
import json
import os
import re
import stat
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

Run = Callable[..., "tuple[int, str, str]"]
"""AnsibleModule.run_command: exit code, output, errors."""

BY_ID = Path("/dev/disk/by-id")
SYSFS = Path("/sys/class/block")
PATIENCE = 60.0  # seconds for udev to name a new partition
MARK = "freehold"  # the name of the partition while and after it is made: a run that was ended in between is gone on with

# Bytes. Where first partitions begin, today and on old disks: what lies there survives the loss of the table before it.
BEGINNINGS = (1 << 20, 63 * 512)
NOTHING_FOUND = 2  # blkid(8)


class Refused(Exception):
    """The disk is not what it would have to be."""


@dataclasses.dataclass(frozen=True)
class Content:
    """What a disk or partition holds: kinds such as `gpt`, `ext4`, `swap`. Empty means that no tool finds anything."""

    kinds: tuple[str, ...] = ()
    uuid: str = ""
    label: str = ""

    @property
    def is_ext4(self) -> bool:
        return self.kinds == ("ext4",)


def content(run: Run, device: str) -> Content:
    """What wipefs or blkid finds; both are asked, for neither knows everything. Raises Refused when one cannot tell."""
    code, out, errors = run(["wipefs", "--no-act", "--json", "--output", "TYPE,UUID", device])
    if code != 0:
        raise Refused(f"wipefs cannot read {device}: {errors.strip()}")
    signatures = json.loads(out)["signatures"] if out.strip() else []
    kinds = [each["type"] for each in signatures]
    probed = probe(run, device)
    kinds += [
        kind for name in ("TYPE", "PTTYPE") if (kind := probed.get(name)) and kind not in kinds
    ]
    uuid = next((each["uuid"] for each in signatures if each["uuid"]), "")
    return Content(tuple(dict.fromkeys(kinds)), uuid, probed.get("PART_ENTRY_NAME", ""))


def probe(run: Run, device: str, offset: int = 0) -> dict[str, str]:
    """What blkid finds at this byte, in its own words. Raises Refused when it finds several things at once."""
    where = ["--offset", str(offset)] if offset else []
    code, out, errors = run(["blkid", "--probe", "--output", "export", *where, device])
    if code not in (0, NOTHING_FOUND):
        raise Refused(f"blkid cannot tell what {device} holds: {(errors or out).strip()}")
    return dict(line.split("=", 1) for line in out.splitlines() if "=" in line)


def remains(run: Run, device: str, size: int) -> str:
    """What lies where a first partition would begin, on a disk that seems empty: its table may only have been wiped."""
    for beginning in BEGINNINGS:
        if beginning < size:
            found = probe(run, device, beginning)
            if kind := found.get("TYPE") or found.get("PTTYPE"):
                return kind
    return ""


def partitions(name: str, sysfs: Path = SYSFS) -> list[str]:
    """The kernel's names of a disk's partitions."""
    return sorted(path.parent.name for path in (sysfs / name).glob("*/partition"))


def in_use(
    name: str,
    sysfs: Path = SYSFS,
    mounts: Path = Path("/proc/self/mounts"),
    swaps: Path = Path("/proc/swaps"),
) -> bool:
    """Whether the disk itself is mounted, swapped to, or part of something else."""
    if any((sysfs / name / "holders").glob("*")):
        return True
    used = [
        line.split()[0]
        for file in (mounts, swaps)
        for line in file.read_text().splitlines()
        if line
    ]
    return any(
        path.startswith("/dev/") and os.path.realpath(path) == f"/dev/{name}" for path in used
    )


@dataclasses.dataclass(frozen=True)
class Found:
    """What is to be done with a disk. `device`: where the ext4 is or will be; None where the partition is yet to be made."""

    device: str | None
    uuid: str = ""

    @property
    def is_there(self) -> bool:
        return bool(self.uuid)


def decide(run: Run, link: str, size: int, parts: Sequence[str], used: bool) -> Found:
    """What is there, and what is not: only reads. `link` is the disk by its id. Raises Refused for all that is neither empty nor one ext4."""
    whole = content(run, link)
    if whole.is_ext4 and not parts:
        return Found(link, whole.uuid)
    if len(parts) == 1 and set(whole.kinds) <= {"gpt", "dos", "PMBR"}:
        part = content(run, f"{link}-part1")
        if part.is_ext4:
            return Found(f"{link}-part1", part.uuid)
        if not part.kinds and part.label == MARK:
            return Found(f"{link}-part1")
        holds = f"one partition with {', '.join(part.kinds) or 'something that no tool knows'}"
        raise Refused(f"It holds {holds}.")
    if whole.kinds or parts:
        raise Refused(
            f"It holds {', '.join(whole.kinds) or 'something'}, partitions: {len(parts)}."
        )
    if used:
        raise Refused("Something uses it.")
    if kind := remains(run, link, size):
        raise Refused(f"It has no partition table, but {kind} lies where a first partition begins.")
    return Found(None)


def main() -> None:
    """What Ansible calls."""
    module = AnsibleModule(
        argument_spec={
            "id": {"type": "str", "required": True},
            "confirm": {"type": "str", "default": ""},
            "reserve": {"type": "int", "default": 10},
        },
        supports_check_mode=True,
    )
    try:
        Disk(module).settle()
    except Refused as refused:
        module.fail_json(msg=f"The disk {module.params['id']} is left as it is. {refused}")


class Disk:
    """The disk that the task is about."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.id: str = module.params["id"]
        self.link = str(BY_ID / self.id)
        self.done: list[str] = []

    def run(self, words: Sequence[str], data: str | None = None) -> tuple[int, str, str]:
        """Without a shell, in English."""
        answer: tuple[int, str, str] = self.module.run_command(list(words), data=data)
        return answer

    def must(self, words: Sequence[str], data: str | None = None) -> str:
        code, out, errors = self.run(words, data)
        if code != 0:
            self.module.fail_json(
                msg=f"{' '.join(words)}: {(errors or out).strip()}", done=self.done
            )
        return out

    def settle(self) -> None:
        """Look, make what is missing, and say it."""
        name = self.name()
        size = int((SYSFS / name / "size").read_text()) * 512  # sysfs counts sectors of 512 bytes
        found = decide(self.run, self.link, size, partitions(name), in_use(name))
        if not found.is_there:
            self.confirmed()
            found = self.make(found)
        if found.is_there:
            self.keep_in_reserve(found.device or self.link)
        self.module.exit_json(
            changed=bool(self.done),
            uuid=found.uuid,
            device=found.device or self.link,
            done=self.done,
        )

    def name(self) -> str:
        """The kernel's name of the disk. Raises Refused when there is no such disk."""
        if not re.fullmatch(r"[A-Za-z0-9:._+=@-]+", self.id) or re.search(r"-part\d+$", self.id):
            raise Refused("This is not the id of a whole disk; `ls /dev/disk/by-id` names them.")
        if not Path(self.link).exists():
            raise Refused("There is no such disk; `ls /dev/disk/by-id` names those that there are.")
        name = Path(self.link).resolve().name
        if (
            not stat.S_ISBLK(Path(self.link).stat().st_mode)
            or (SYSFS / name / "partition").exists()
        ):
            raise Refused("This is not a whole disk.")
        return name

    def confirmed(self) -> None:
        """Raises Refused unless the user has repeated the id."""
        if self.module.params["confirm"] != self.id:
            raise Refused(
                f"It is empty. To have it formatted, repeat its id: `confirm: {self.id}`."
            )

    def make(self, found: Found) -> Found:
        """A partition where there is none, and the ext4 in it."""
        device = f"{self.link}-part1"
        if found.device is None:
            self.done.append("a partition table with one partition")
        self.done.append("an ext4")
        if self.module.check_mode:
            return Found(device)
        if found.device is None:
            self.must(
                ["sfdisk", "--quiet", "--wipe", "never", "--wipe-partitions", "never", self.link],
                f"label: gpt\nname={MARK}\n",
            )
        self.wait_for(device)
        if content(self.run, device).kinds:
            raise Refused("Its new partition is not empty.")
        self.must(["mkfs.ext4", "-q", "-m", str(self.module.params["reserve"]), device])
        self.run(["udevadm", "settle"])
        return Found(device, content(self.run, device).uuid)

    def wait_for(self, device: str) -> None:
        """udev names what is new a moment later."""
        until = time.monotonic() + PATIENCE
        while not Path(device).exists():
            if time.monotonic() > until:
                self.module.fail_json(msg=f"{device} does not appear", done=self.done)
            self.run(["udevadm", "settle"])
            time.sleep(0.1)

    def keep_in_reserve(self, device: str) -> None:
        """Blocks that only root's programs may take (tune2fs(8))."""
        header = self.must(["dumpe2fs", "-h", device])
        blocks = {
            name: int(number)
            for name, number in re.findall(
                r"^(Block count|Reserved block count): +(\d+)$", header, re.MULTILINE
            )
        }
        wanted = self.module.params["reserve"]
        kept = 100 * blocks["Reserved block count"] / blocks["Block count"]
        if abs(kept - wanted) > 0.5:
            self.done.append(f"{wanted} % in reserve, not {kept:.0f} %")
            if not self.module.check_mode:
                self.must(["tune2fs", "-m", str(wanted), device])


if __name__ == "__main__":
    main()
