"""A whole computer under QEMU's software emulation, with a real systemd and Incus, and processors that run virtual machines.

It has no network device at all. Its clock is the real one and its processors are slow, so time limits inside it are short; it is
given more of this machine's processors than others get.
"""

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.vm.disks import Disks, disks
from tests.vm.guest import Ended, Guest, Silent
from tests.vm.payload import make_payload
from tests.vm.programs import inside

_BOOT = 1800.0  # seconds, on a machine that does other things too
_FURTHER = 64 << 20  # bytes of a further disk
_NICE = -8
_LAST_WORDS = 4000  # characters
_NOBODY = (Silent, TimeoutError, RuntimeError)  # the agent of before, or none


@dataclass(slots=True)
class Computer:
    """A computer that runs. `folder` holds the logs of its console and of all that was run; `guest` leads into it."""

    folder: Path
    process: "subprocess.Popen[bytes]"
    guest: Guest

    def run(self, command: str, *, seconds: float = 1800.0) -> Ended:
        """A line of shell in it, as root."""
        began = time.monotonic()
        ended = self.guest.run(["/bin/sh", "-c", command], seconds=seconds)
        took = time.monotonic() - began
        with (self.folder / "commands.log").open("a") as log:
            log.write(f"$ {command}\n{ended.words}\n({took:.0f} s)\n\n")
        return ended

    def succeed(self, command: str, *, seconds: float = 1800.0) -> str:
        """What it prints; it must end well."""
        ended = self.run(command, seconds=seconds)
        assert ended.code == 0, f"{command}\n{ended.words}\n\n{self.last_words()}"
        return ended.output

    def restart(self) -> None:
        """As somebody types `reboot`; what is on its disk stays. Returns when it has booted."""
        boot = self.succeed("cat /proc/sys/kernel/random/boot_id")
        with suppress(*_NOBODY):  # the agent may go before it has answered
            self.run("systemctl --no-block reboot")
        until = time.monotonic() + _BOOT
        while not self.guest.answers() or self._boot() in {"", boot}:
            assert time.monotonic() < until, f"it does not boot again\n{self.last_words()}"
            time.sleep(1.0)

    def _boot(self) -> str:
        """Which one this is; empty while nobody can tell."""
        try:
            return self.run("cat /proc/sys/kernel/random/boot_id", seconds=60.0).output
        except _NOBODY:
            return ""

    def last_words(self) -> str:
        """The end of its console, for whoever reads why a test failed."""
        console = self.folder / "console.log"
        return f"console of the computer:\n{console.read_text(errors='replace')[-_LAST_WORDS:]}"


@contextmanager
def computer(folder: Path, *, further: Sequence[str] = ()) -> Iterator[Computer]:
    """Start it, wait until it has booted, and switch it off in the end. What was written on its disk is forgotten.

    `further` are the serial numbers of more disks, empty ones: `/dev/disk/by-id/virtio-SERIAL`.
    """
    made = disks()
    make_payload(made, folder)
    for name in further:
        with (folder / f"{name}.img").open("wb") as image:
            image.truncate(_FURTHER)
    with (folder / "qemu.log").open("wb") as log:
        process = subprocess.Popen(
            _argv(made, folder, further), stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )  # fmt: skip
    _prefer(process.pid)
    running = Computer(folder, process, Guest(folder / "agent.socket"))
    try:
        _wait(running)
        yield running
    finally:
        running.guest.close()
        process.kill()
        process.wait()
        (folder / "payload.squashfs").unlink()


def _prefer(process: int) -> None:
    """Processors are shared by sessions where the kernel groups them so, else by processes (sched(7))."""
    group = Path(f"/proc/{process}/autogroup")
    os.setpriority(os.PRIO_PROCESS, process, _NICE)
    if group.exists():
        group.write_text(str(_NICE))


def _wait(running: Computer) -> None:
    until = time.monotonic() + _BOOT
    while not running.guest.answers():
        words = (running.folder / "qemu.log").read_text(errors="replace")
        assert running.process.poll() is None, f"QEMU has ended: {words}"
        assert time.monotonic() < until, f"it does not boot\n{running.last_words()}"
        time.sleep(1.0)


def _argv(made: Disks, folder: Path, further: Sequence[str]) -> list[str]:
    """QEMU's command line. It ends as the process that is started here: `unshare`, `sh` and `chroot` become it."""
    kernel, initrd = (f"/boot/{made.boot(name).name}" for name in ("vmlinuz", "initrd.img"))
    argv = [
        "qemu-system-x86_64", "-name", "freehold-test", "-nodefaults", "-display", "none",
        "-machine", "q35,sata=off,smbus=off,usb=off,i8042=off,vmport=off",
        "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "4096",
        "-kernel", kernel, "-initrd", initrd, "-append", "root=/dev/vda rw console=ttyS0 quiet mitigations=off",
        "-drive", "file=/srv/computer.img,format=raw,if=virtio,cache=unsafe,snapshot=on",
        "-drive", "file=/mnt/payload.squashfs,format=raw,if=virtio,readonly=on",
        "-device", "virtio-serial-pci", "-chardev", "socket,id=agent,path=/mnt/agent.socket,server=on,wait=off",
        "-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0",
        "-device", "virtio-rng-pci", "-serial", "file:/mnt/console.log", "-nic", "none",
    ]  # fmt: skip
    # Behind the two above, which are to stay vda and vdb.
    for place, name in enumerate(further, start=0x10):
        argv += ["-drive", f"file=/mnt/{name}.img,format=raw,if=none,id={name},cache=unsafe"]
        argv += ["-device", f"virtio-blk-pci,drive={name},serial={name},addr={place:#x}"]
    ends_with_us = ["setpriv", "--pdeathsig", "KILL"]
    private = inside(made.system, ["env", "TMPDIR=/mnt", *argv], {"/srv": made.folder, "/mnt": folder})  # fmt: skip
    return [*ends_with_us, *private]
