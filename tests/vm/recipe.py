"""What the emulated computer and the virtual machine inside it are made of. Read by `disks.py`.

Both are Debian 12, made from the mirror that this machine's own apt uses. The computer has a real systemd, Incus and QEMU
from the backports suite, and no network. The guest is cut down to what it runs: an emulated computer takes a second for each
megabyte of an image.
"""

from collections.abc import Mapping

SUITES = ("bookworm", "bookworm-backports")

FROM_BACKPORTS = """\
Package: src:incus src:qemu src:seabios
Pin: release n=bookworm-backports
Pin-Priority: 700
"""

# The last line is what makes disks; those programs run in its folder, so that this machine needs none of them.
COMPUTER_PACKAGES = (
    "systemd", "systemd-sysv", "udev", "dbus", "kmod", "iproute2", "python3", "linux-image-amd64", "initramfs-tools",
    "qemu-guest-agent", "incus", "qemu-system-x86", "qemu-system-modules-spice", "qemu-utils", "ovmf", "seabios",
    "genisoimage", "nftables", "dnsmasq-base", "btrfs-progs", "squashfs-tools", "xz-utils", "zstd", "attr", "rsync",
    "syslinux", "syslinux-common", "mtools", "fdisk", "e2fsprogs", "dosfstools",
    "nfs-kernel-server", "nfs-common",
)  # fmt: skip

GUEST_PACKAGES = (
    "systemd", "systemd-sysv", "udev", "dbus", "kmod", "iproute2", "python3", "linux-image-cloud-amd64",
    "initramfs-tools", "incus-agent",
)  # fmt: skip

# A second of each is ten in an emulated computer.
_MASKED = (
    "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer", "e2scrub_reap.service",
    "fstrim.timer", "remote-fs.target", "getty.target", "systemd-networkd-wait-online.service",
    "systemd-update-utmp.service", "systemd-journal-flush.service", "dev-mqueue.mount", "dev-hugepages.mount",
    "sys-kernel-debug.mount", "sys-kernel-tracing.mount", "modprobe@drm.service", "modprobe@efi_pstore.service",
    "systemd-pcrphase.service", "systemd-pcrphase-sysinit.service",
)  # fmt: skip

# Incus starts when it is first asked.
COMPUTER_MASKED = (
    *_MASKED, "systemd-binfmt.service", "proc-sys-fs-binfmt_misc.automount", "systemd-logind.service",
    "incus-startup.service",
)  # fmt: skip
GUEST_MASKED = _MASKED

PAYLOAD = "/opt/freehold"
"""Where the computer mounts what a run brings with it."""

COMPUTER_FILES: Mapping[str, str] = {
    "etc/hostname": "computer\n",
    "etc/hosts": "127.0.0.1 localhost computer\n",
    "etc/fstab": f"/dev/vda / ext4 defaults 0 0\n/dev/vdb {PAYLOAD} squashfs ro 0 0\n",
    "etc/subuid": "root:1000000:1000000000\n",
    "etc/subgid": "root:1000000:1000000000\n",
    "etc/modules-load.d/virtual-machines.conf": "kvm_amd\nvhost_vsock\nvhost_net\ntun\n",
    "etc/initramfs-tools/conf.d/few-modules": "MODULES=list\n",
    "etc/initramfs-tools/modules": "virtio_pci\nvirtio_blk\next4\n",
}

# The lease belongs to the interface, whatever the machine's own identity is.
GUEST_FILES: Mapping[str, str] = {
    "etc/hostname": "guest\n",
    "etc/fstab": "/dev/sda2 / ext4 defaults 0 0\n",
    "etc/machine-id": "",
    "etc/initramfs-tools/conf.d/few-modules": "MODULES=list\n",
    "etc/initramfs-tools/modules": "virtio_pci\nvirtio_scsi\nsd_mod\next4\n",
    "etc/systemd/network/10-ether.network": "[Match]\nType=ether\n[Network]\nDHCP=ipv4\n[DHCPv4]\nClientIdentifier=mac\n",
}
GUEST_UNITS = {
    "multi-user.target.wants": "systemd-networkd.service",
    "sockets.target.wants": "systemd-networkd.socket",
}

GUEST_MODULES = (
    "virtio_pci", "virtio_scsi", "virtio_net", "virtio_console", "virtio_balloon", "virtio-rng", "sd_mod", "sr_mod",
    "isofs", "vmw_vsock_virtio_transport", "autofs4", "configfs", "overlay",
)  # fmt: skip

GUEST_LEFT_OUT = (
    "usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info", "usr/share/perl", "usr/share/perl5",
    "usr/share/zoneinfo", "usr/share/i18n", "usr/share/bash-completion", "usr/share/initramfs-tools", "usr/bin/perl*",
    "usr/share/keyrings", "usr/lib/python3.11/test", "usr/lib/python3.11/idlelib", "usr/lib/python3.11/lib2to3",
    "usr/lib/python3.11/ensurepip", "usr/lib/python3.11/pydoc_data", "usr/lib/x86_64-linux-gnu/gconv",
    "usr/lib/x86_64-linux-gnu/perl*", "usr/lib/apt", "usr/lib/dpkg", "usr/lib/udev/hwdb.*", "var/lib/apt/lists",
    "var/lib/dpkg/info", "var/cache/*",
)  # fmt: skip

BOOT_MENU = """\
DEFAULT linux
PROMPT 0
LABEL linux
 KERNEL vmlinuz
 INITRD initrd
 APPEND root=/dev/sda2 rw quiet mitigations=off
"""

# Of the guest's disk, in MiB: the boot partition begins at 1.
GUEST_BOOT, GUEST_ROOT = 40, 260

COMPUTER_DISK = 24
"""GiB; only what is written takes room."""

GUEST_METADATA = {
    "architecture": "x86_64",
    "creation_date": 1_700_000_000,
    "properties": {
        "os": "Debian",
        "release": "bookworm",
        "description": "Debian bookworm for virtual machines, made by a test",
        "requirements.secureboot": "false",
        "requirements.cdrom_agent": "true",
    },
}
