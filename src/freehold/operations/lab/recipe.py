"""What Freehold changes in a freshly unpacked Debian to make it an image for the lab's containers.

Called by `bootstrap.py` on the folder that holds the system. The aim is that a machine has its address as soon as
it can: the less processor time a start takes, the sooner twenty machines started at once are there. What each rule
is worth is in docs/decisions/0003-lab-namespaces.md. Whoever changes one raises VERSION, so that nobody is given an
older image from the cache.
"""

import shutil
import time
from collections.abc import Mapping
from pathlib import Path

VERSION = 3

# Beyond Debian's minimal system: what boots it and gives it an address, what Ansible needs, what tests use.
PACKAGES = (
    "systemd", "systemd-sysv", "udev", "dbus", "iproute2", "iputils-ping", "netbase",
    "python3", "python3-apt", "ca-certificates", "nftables",
)  # fmt: skip

# Beyond those: a computer as it is delivered, with a way in by SSH; and the same with Docker, which needs no download then.
HOST_PACKAGES = ("openssh-server", "sudo", "curl")
DOCKER_PACKAGES = ("docker.io", "docker-cli", "docker-compose", "iptables")

# As in Debian's own images for containers: nobody reads these inside a machine. The last one makes logind start when
# somebody asks for it instead of at every boot. dpkg remembers these rules, upgrades keep to them.
LEFT_OUT = (
    "/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*",
    "/usr/lib/systemd/system/multi-user.target.wants/systemd-logind.service",
    "/lib/systemd/system/multi-user.target.wants/systemd-logind.service",
)  # fmt: skip

# Nothing to do in a container: hardware, the kernel, consoles without a password to log in with; work for later hours.
MASKED_UNITS = (
    "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "fstrim.timer", "e2scrub_all.timer",
    "e2scrub_reap.service", "console-getty.service", "getty-static.service", "getty@.service", "modprobe@.service",
    "systemd-networkd-wait-online.service", "systemd-network-generator.service",
    "systemd-networkd-persistent-storage.service", "systemd-journal-flush.service", "kmod-static-nodes.service",
    "systemd-modules-load.service", "systemd-tmpfiles-setup-dev.service", "systemd-tmpfiles-setup-dev-early.service",
    "systemd-udev-load-credentials.service", "systemd-binfmt.service", "proc-sys-fs-binfmt_misc.automount",
    "dev-hugepages.mount", "dev-mqueue.mount", "sys-kernel-config.mount", "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount", "sys-fs-fuse-connections.mount",
)  # fmt: skip

# Each is a process at every start; all look for hardware, partitions or consoles.
MASKED_GENERATORS = (
    "systemd-getty-generator", "systemd-gpt-auto-generator", "systemd-hibernate-resume-generator",
    "systemd-ssh-generator", "systemd-tpm2-generator", "systemd-cryptsetup-generator",
    "systemd-integritysetup-generator", "systemd-veritysetup-generator", "systemd-bless-boot-generator",
)  # fmt: skip

ENABLED_UNITS = {
    "multi-user.target.wants": "systemd-networkd.service",
    "sockets.target.wants": "systemd-networkd.socket",
}

# The gateway of every bridge is also its DNS server, and answers for the names of the machines on it.
FILES: Mapping[str, str] = {
    "etc/systemd/network/10-eth0.network": """\
[Match]
Name=eth0
[Network]
DHCP=yes
[DHCPv4]
# The lease belongs to the interface, whichever system is installed behind it.
ClientIdentifier=mac
UseHostname=no
UseDomains=yes
""",
    # The kernel tells every container of all the machine's devices; only the interfaces are its own.
    "etc/systemd/system/systemd-udev-trigger.service.d/containers.conf": """\
[Service]
ExecStart=
ExecStart=-udevadm trigger --subsystem-match=net --action=add
""",
    "etc/systemd/journald.conf.d/lab.conf": "[Journal]\nStorage=volatile\nRuntimeMaxUse=32M\n",
    "etc/systemd/system.conf.d/lab.conf": "[Manager]\nDefaultTimeoutStopSec=10s\n",
    "etc/default/locale": "LANG=C.UTF-8\n",
    "etc/machine-id": "",  # empty, not absent: every machine makes its own, without the work of a first boot
}

_KEYS_AT_START = """\
[Service]
ExecStartPre=
ExecStartPre=/usr/bin/ssh-keygen -A
ExecStartPre=/usr/sbin/sshd -t
"""

ABSENT = ("etc/hostname", "etc/hosts", "etc/fstab", "etc/resolv.conf", "var/lib/dbus/machine-id")


def adapt(system: Path) -> None:
    """Apply everything above to the system in the folder, and mark its caches as up to date. Raises OSError."""
    for name in ABSENT:
        (system / name).unlink(missing_ok=True)
    for name, text in FILES.items():
        _write(system / name, text)
    units = system / "etc/systemd/system"
    for unit in MASKED_UNITS:
        _link(units / unit, "/dev/null")
    for generator in MASKED_GENERATORS:
        _link(system / "etc/systemd/system-generators" / generator, "/dev/null")
    for target, unit in ENABLED_UNITS.items():
        _link(units / target / unit, f"/usr/lib/systemd/system/{unit}")
    if (system / "etc/ssh").exists():
        _without_host_keys(system / "etc")
    _empty(system / "var/lib/apt/lists")
    _mark_up_to_date(system)


def _without_host_keys(settings: Path) -> None:
    """Debian makes them with the package, here once for all computers: so that each makes its own at its first start."""
    for key in (settings / "ssh").glob("ssh_host_*"):
        key.unlink()
    _write(settings / "systemd/system/ssh.service.d/keys.conf", _KEYS_AT_START)


def _mark_up_to_date(system: Path) -> None:
    """Say that /etc and /var are as new as /usr, so that no start rebuilds caches (systemd-update-done.service(8))."""
    now = time.time_ns()
    for folder in ("etc", "var"):
        _write(system / folder / ".updated", f"TIMESTAMP_NSEC={now}\n")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _link(path: Path, target: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
