"""Debian's packages of other firewalls, unpacked into a folder of the test; nothing is installed. Used by `conftest`."""

import subprocess
from pathlib import Path

_IPTABLES = [
    "iptables",
    "libip4tc2",
    "libip6tc2",
    "libxtables12",
    "libnetfilter-conntrack3",
    "libnfnetlink0",
]
DOCKER = ["docker.io", "containerd", "runc", "tini", "libdevmapper1.02.1"]
_FIREWALLD = ["firewalld", "python3-firewall", "python3-nftables", "python3-cap-ng"]

# sudo: everything here is done as root. firewall-cmd: it asks firewalld over D-Bus, which is not run here; the permanent
# settings are written by firewalld's own firewall-offline-cmd, and --reload has firewalld load them.
_SHIMS = {
    "sudo": 'exec "$@"',
    "firewalld-load": """exec /usr/bin/python3 -c '
from firewall.core.fw import Firewall
Firewall().start()'""",
    "firewall-cmd": 'case $1 in --permanent) shift; exec firewall-offline-cmd "$@";; *) exec firewalld-load;; esac',
}


def unpack(folder: Path, *more: str) -> str | None:
    """Fetch the packages and unpack them below `folder`. What is missing when that cannot be done."""
    argv = [
        "apt-get",
        "download",
        "-o",
        "APT::Sandbox::User=root",
        *_IPTABLES,
        *_FIREWALLD,
        "ufw",
        *more,
    ]
    try:
        done = subprocess.run(
            argv, cwd=folder, capture_output=True, text=True, timeout=120, check=False
        )
    except (FileNotFoundError, subprocess.TimeoutExpired) as failure:
        return f"no packages of Debian: {failure}"
    if done.returncode != 0:
        return f"no packages of Debian: {done.stderr.strip()}"
    for package in folder.glob("*.deb"):
        subprocess.run(["dpkg-deb", "--extract", package, folder], check=True)
    for old in ("lib", "sbin"):  # packages from before /lib was /usr/lib
        if (folder / old).is_dir():
            subprocess.run(["cp", "-a", old, "usr/"], cwd=folder, check=True)
    for family in ("ip", "ip6"):
        for part in ("", "-save", "-restore"):
            (folder / f"usr/sbin/{family}tables{part}").symlink_to(f"{family}tables-nft{part}")
    for name, text in _SHIMS.items():
        (folder / "usr/sbin" / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / "usr/sbin" / name).chmod(0o755)
    return None
