"""The network of a running process: entered, looked at, and its tunnels put down for a moment. Part of what `leaks.text` brings to a target."""

from __future__ import annotations

import contextlib
import ctypes
import ipaddress
import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    Address = ipaddress.IPv4Network | ipaddress.IPv6Network

_NEW_NETWORK = 0x40000000  # CLONE_NEWNET, linux/sched.h
_libc = ctypes.CDLL(None, use_errno=True)


class Network:
    """One, held open. Raises OSError when the process is gone."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.fd = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
        self.inode = os.fstat(self.fd).st_ino

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Sockets that are made meanwhile belong to it for good (setns(2))."""
        own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        _switch(self.fd)
        try:
            yield
        finally:
            _switch(own)
            os.close(own)

    def ip(self, *words: str, check: bool = False) -> str:
        """What `ip` says in it. With `check` raises subprocess.CalledProcessError."""
        command = ["nsenter", f"--net=/proc/self/fd/{self.fd}", "ip", *words]
        done = subprocess.run(
            command, capture_output=True, text=True, pass_fds=[self.fd], check=check
        )
        return done.stdout

    def tunnels(self) -> list[str]:
        """Devices that are up and hand packets to a program or wrap them."""
        return [each["ifname"] for each in self._interfaces() if _is_tunnel(each)]

    def others(self) -> list[str]:
        """The other ways out of it."""
        return [each["ifname"] for each in self._interfaces() if not _is_tunnel(each)]

    def near(self) -> list[Address]:
        """The networks that its other interfaces are in."""
        every = [each for each in self._interfaces() if not _is_tunnel(each)]
        inside = [address for each in every for address in each.get("addr_info", ())]
        return [
            ipaddress.ip_network(f"{each['local']}/{each['prefixlen']}", strict=False)
            for each in inside
        ]

    def _interfaces(self) -> list[dict[str, Any]]:
        every = json.loads(self.ip("-json", "-details", "address") or "[]")
        found = [each for each in every if each.get("ifname") and "UP" in each["flags"]]
        return [each for each in found if each["link_type"] != "loopback"]


class Cut:
    """The tunnels of a network put down. What goes with that, routes and IPv6 addresses, is read before."""

    def __init__(self, network: Network, tunnels: list[str]) -> None:
        self.network, self.tunnels = network, tunnels
        self._back = [words for name in tunnels for words in self._of(name)]

    def down(self) -> None:
        """Put them down. Raises subprocess.CalledProcessError."""
        for name in self.tunnels:
            self.network.ip("link", "set", name, "down", check=True)

    def restore(self) -> None:
        """Put them up, with all that they had."""
        for words in self._back:
            self.network.ip(*words)

    def _of(self, name: str) -> Iterator[list[str]]:
        yield ["link", "set", name, "up"]
        shown = self.network.ip("-6", "-oneline", "address", "show", "dev", name, "scope", "global")
        for line in shown.splitlines():
            yield ["-6", "address", "replace", line.split()[3], "dev", name, "nodad"]
        for family in ("-4", "-6"):
            shown = self.network.ip(family, "route", "show", "table", "all", "dev", name)
            for words in map(str.split, shown.splitlines()):
                # The kernel makes its own again when the device is up.
                if not {"local", "kernel", "multicast", "broadcast"} & set(words):
                    yield [family, "route", "replace", *words, "dev", name]


def _is_tunnel(interface: dict[str, Any]) -> bool:
    """TAP devices look like a network card and are made by a program all the same."""
    kind = (interface.get("linkinfo") or {}).get("info_kind", "")
    return bool(interface["link_type"] != "ether" or kind == "tun")


def _switch(fd: int) -> None:
    if _libc.setns(fd, _NEW_NETWORK):
        raise OSError(ctypes.get_errno(), "setns")
