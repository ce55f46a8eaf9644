"""An estate with qBittorrent behind Gluetun on a machine of a lab: stand-ins in images of their names, a namespace for the Internet."""

import subprocess
import textwrap
from dataclasses import dataclass
from pathlib import Path

from tests.compose.estate import TARGET
from tests.compose.real import MACHINE, Real
from tests.e2e.estate import Done
from tests.e2e.execution import execute

TELLER = "http://203.0.113.80/"
# The tunnels' device belongs to the lab's computer, so the machine is given one of its own.
_TUNNELS = (
    'profiles: {tunnels: {devices: {tun: {type: unix-char, path: /dev/net/tun, mode: "0666"}}}}'
)
WITH_TUNNELS = MACHINE.replace("machines:", f"{_TUNNELS}\n        machines:").replace("config: {", "profiles: [tunnels]\n            config: {")  # fmt: skip
MEDIA = """
services:
  vpn:
    on: home/box
    service: gluetun
    settings: {provider: custom, endpoint: 192.0.2.2, endpoint_port: "1637", servers: sound}
  torrents: {on: home/box, service: qbittorrent, ports: {http: 8080}}
"""
GLUETUN, QBITTORRENT = "docker.io/qmcgaw/gluetun:v3.41.3", "lscr.io/linuxserver/qbittorrent:5.2.4"
# The machine's own system, with what filters and routes; started by a stand-in.
LOAD = """
set -eu
cd /
build() {
    mkdir -p /var/tmp/image
    install -m 755 "/var/tmp/$2" "/var/tmp/image/$1"
    mkdir -p /var/tmp/image/usr/local/bin
    install -m 755 /var/tmp/curl.py /var/tmp/image/usr/local/bin/curl
    install -m 755 /var/tmp/gluetun.py /var/tmp/image/usr/local/bin/standin
    tar -cf /var/tmp/image.tar --exclude='usr/*bin/docker*' --exclude='*/libLLVM*' bin sbin lib lib64 usr/bin usr/sbin usr/lib/*-linux-gnu \\
        usr/lib/python3* usr/lib64 etc/passwd etc/group etc/nsswitch.conf etc/ld.so.cache etc/alternatives
    tar -rf /var/tmp/image.tar -C /var/tmp/image "$1" usr/local/bin
    docker import --change "ENTRYPOINT [\\"/$1\\"]" /var/tmp/image.tar "$3" >/dev/null
    rm -r /var/tmp/image /var/tmp/image.tar
}
printf '%s\\n' '#!/bin/sh' '[ "$SERVER_NAMES" != sound ] || { iptables -w -P OUTPUT DROP; ip6tables -w -P OUTPUT DROP; }' \\
    'exec python3 /usr/local/bin/standin "$@"' >/var/tmp/gluetun.sh
build gluetun-entrypoint gluetun.sh "$1"
build init qbittorrent.py "$2"
mkdir -p /srv/media
"""
INTERNET = """
set -eu
ip netns add internet
ip link add outside type veth peer name inside netns internet
ip address add 192.0.2.1/30 dev outside
ip link set outside up
ip -n internet link set lo up
ip -n internet address add 192.0.2.2/30 dev inside
ip -n internet link set inside up
ip -n internet route add default via 192.0.2.1
ip route add 203.0.113.0/24 via 192.0.2.2
systemd-run --quiet --unit internet ip netns exec internet python3 /var/tmp/internet.py
"""


@dataclass
class Media:
    """The estate, after `prepare`."""

    real: Real

    def prepare(self) -> None:
        """Images, the Internet, and the secrets that a VPN's provider gives."""
        for path in sorted(Path(__file__).parent.glob("*.py")):
            self.real.estate.incus("file", "push", "--project", "home", str(path), f"{self.instance}/var/tmp/{path.name}")  # fmt: skip
        self.run("sh", "-c", LOAD, "load", GLUETUN, QBITTORRENT)
        self.real.estate.write(textwrap.dedent(WITH_TUNNELS))
        self.applied()
        self.run("sh", "-c", INTERNET)
        self.real.estate.write(textwrap.dedent(WITH_TUNNELS) + MEDIA)
        for name in ("private_key", "preshared_key", "addresses"):
            self.give(f"vpn_{name}", f"the {name}")

    @property
    def instance(self) -> str:
        return TARGET.replace("/", "-")

    def run(self, *words: str) -> str:
        """What a command on the machine prints."""
        code, output, errors = execute(self.real.lab.socket, "home", self.instance, *words)
        assert code == 0, (words, output, errors)
        return output

    def in_tunnel(self, *words: str) -> str:
        """The same in the network of the VPN."""
        script = 'exec nsenter -n -t "$(docker inspect -f {{.State.Pid}} maison-vpn-1)" "$@"'
        return self.run("sh", "-c", script, "in", *words)

    def give(self, name: str, value: str) -> None:
        estate = self.real.estate
        done = subprocess.run(estate.argv("secret", "set", name), cwd=estate.folder, env=estate.environment(), input=value, capture_output=True, text=True, check=False)  # fmt: skip
        assert done.returncode == 0, done

    def applied(self) -> None:
        done = self.real.estate.end_of(self.real.estate.start("apply", "--yes"))
        assert done.code == 0, done

    def becomes(self, kind: str) -> None:
        """How well the VPN keeps others from leaving beside it."""
        path = self.real.estate.folder / "infra.yml"
        text = path.read_text()
        path.write_text("".join(line.partition("servers:")[0] + f"servers: {kind}}}\n" if "servers:" in line else line for line in text.splitlines(True)))  # fmt: skip
        self.applied()

    def verified(self, *words: str) -> Done:
        return self.real.estate.freehold("verify", "--leaks", "--yes", "--address-url", TELLER, *words)  # fmt: skip

    def start_verify(self) -> "subprocess.Popen[str]":
        return self.real.estate.start("verify", "--leaks", "--yes", "--address-url", TELLER)

    def kill_prober(self) -> None:
        """The program on the machine, and not what it left there to mend."""
        self.run("sh", "-c", 'kill -9 $(pgrep -P "$(pgrep -x -o timeout)" python3)')

    def started(self, service: str) -> str:
        """When its container was; nothing while it does not run."""
        shown = "{{if .State.Running}}{{.State.StartedAt}}{{end}}"
        return self.run("docker", "inspect", "-f", shown, f"maison-{service}-1").strip()

    def together(self) -> bool:
        """Whether both are in one network."""
        shown = "readlink /proc/$(docker inspect -f {{.State.Pid}} maison-$each-1)/ns/net"
        return len(set(self.run("sh", "-c", f"for each in vpn torrents; do {shown}; done").split())) == 1  # fmt: skip
