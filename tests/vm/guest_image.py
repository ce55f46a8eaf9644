"""The disk of the virtual machine: a boot partition for a BIOS, and Debian on ext4. Called by `disks.py`.

UEFI cannot run in the emulated computer: it brings QEMU's emulation of nested virtualisation down.
"""

import shutil
import subprocess
from pathlib import Path

from tests.vm import recipe
from tests.vm.programs import inside, run

_MIB = 1 << 20
_SECTORS = _MIB // 512


def cut_down(system: Path) -> None:
    """Take out of a guest's system what it never looks at; its kernel stays in `/boot`."""
    kernel = next((system / "usr/lib/modules").iterdir())
    wanted = _modules(system, kernel.name)
    for module in (kernel / "kernel").rglob("*.ko"):
        if module not in wanted:
            module.unlink()
    run(inside(system, ["depmod", kernel.name]))
    for pattern in recipe.GUEST_LEFT_OUT:
        for path in system.glob(pattern):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    for target, unit in recipe.GUEST_UNITS.items():
        folder = system / "etc/systemd/system" / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / unit).unlink(missing_ok=True)
        (folder / unit).symlink_to(f"/lib/systemd/system/{unit}")


def make_disk(tools: Path, guest: Path, folder: Path) -> None:
    """`disk.qcow2` of the guest's system, in this folder. `tools` is the system whose programs make it."""
    disk = folder / "disk.raw"
    boot = _taken_from(guest, folder)
    with disk.open("wb") as file:
        file.truncate((1 + recipe.GUEST_BOOT + recipe.GUEST_ROOT) * _MIB)
    _partition(tools, folder)
    here = {"/mnt": folder}
    partition = f"/mnt/disk.raw@@{_MIB}"
    for argv in (
        ["mkfs.fat", "-F", "16", f"--offset={_SECTORS}", "/mnt/disk.raw", str(recipe.GUEST_BOOT * 1024)],
        ["syslinux", "--install", "--offset", str(_MIB), "/mnt/disk.raw"],
        ["mcopy", "-i", partition, *(f"/mnt/{path.name}" for path in boot), "::"],
    ):  # fmt: skip
        run(inside(tools, argv, here))
    file_system(disk, guest, size=recipe.GUEST_ROOT, begins=1 + recipe.GUEST_BOOT)
    convert = ["qemu-img", "convert", "-c", "-O", "qcow2", "/mnt/disk.raw", "/mnt/disk.qcow2"]
    run(inside(tools, convert, here))
    for path in (disk, *boot):
        path.unlink()


def file_system(disk: Path, system: Path, *, size: int, begins: int = 0) -> None:
    """An ext4 of the system in a folder; sizes in MiB. The file grows to it with holes."""
    with disk.open("ab") as file:
        file.truncate(max(file.tell(), (begins + size) * _MIB))
    options = f"offset={begins * _MIB},lazy_itable_init=1,lazy_journal_init=1"
    argv = ["mke2fs", "-q", "-F", "-t", "ext4", "-d", str(system), "-E", options, str(disk), f"{size}M"]  # fmt: skip
    run(argv)


def _modules(system: Path, kernel: str) -> set[Path]:
    """The files of the guest's modules and of those that they need."""
    found: set[Path] = set()
    for module in recipe.GUEST_MODULES:
        argv = ["modprobe", "--set-version", kernel, "--show-depends", module]
        told = subprocess.run(inside(system, argv), capture_output=True, text=True, check=True)  # fmt: skip
        words = [line.split() for line in told.stdout.splitlines() if line.startswith("insmod ")]
        found |= {system / "usr" / line[1].lstrip("/") for line in words}
    return found


def _taken_from(guest: Path, folder: Path) -> list[Path]:
    """The kernel, its first file system and the menu, out of the guest's system into the folder."""
    found = []
    for name in ("vmlinuz", "initrd.img"):
        target = folder / name.removesuffix(".img")
        shutil.move(next((guest / "boot").glob(f"{name}-*")), target)
        found.append(target)
    menu = folder / "syslinux.cfg"
    menu.write_text(recipe.BOOT_MENU)
    shutil.rmtree(guest / "boot")
    (guest / "boot").mkdir()
    return [*found, menu]


def _partition(tools: Path, folder: Path) -> None:
    """Two partitions, and the code that a BIOS runs from the first sector."""
    boot, root = recipe.GUEST_BOOT * _SECTORS, recipe.GUEST_ROOT * _SECTORS
    table = f"label: dos\nstart={_SECTORS}, size={boot}, type=6, bootable\nstart={_SECTORS + boot}, size={root}, type=83\n"  # fmt: skip
    argv = inside(tools, ["sfdisk", "--quiet", "/mnt/disk.raw"], {"/mnt": folder})
    subprocess.run(argv, input=table, text=True, check=True, capture_output=True)
    code = (tools / "usr/lib/syslinux/mbr/mbr.bin").read_bytes()[:440]
    with (folder / "disk.raw").open("r+b") as disk:
        disk.write(code)
