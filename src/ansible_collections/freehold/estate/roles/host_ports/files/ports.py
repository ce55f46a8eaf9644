"""Keeps ports of services for those who may reach them, by rules of nftables. The role host_ports runs it on the host.

    ports.py look | apply ESTATE      the ports as JSON on standard input

A port is {"service": "db", "port": 5432, "protocol": "tcp", "from": ["203.0.113.21"], "beside": false}: `from` are addresses,
networks and names, or `all`; `beside` lets containers of this host in. Prints what differs, or was changed, as JSON.
"""

# ruff: noqa: PTH105, T201, TID251 - it runs in the host, with Python's own library alone

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from ipaddress import collapse_addresses, ip_network
from pathlib import Path
from typing import Any

FOLDER = Path("/var/lib/freehold/host_ports")
UNITS = Path("/etc/systemd/system")
NFTABLES = UNITS / "nftables.service.d"
EVERYBODY = "all"
NO_PROGRAM = 127
BRIDGES = '"svc-*"'  # of the networks of services, as Freehold names them for Docker
_ENABLED = ("sysinit.target.wants", "docker.service.requires")

# Without RemainAfterExit it is never active: each start of Docker runs it again, and no stop of it stops Docker.
UNIT = """\
[Unit]
Description=Ports of services that only some may reach, estate {estate}
DefaultDependencies=no
RequiresMountsFor={folder}
After=local-fs.target nftables.service ufw.service
Wants=network-pre.target
Before=network-pre.target docker.service shutdown.target
Conflicts=shutdown.target

[Service]
Type=oneshot
ExecStart=/usr/sbin/nft --file {file}

[Install]
WantedBy=sysinit.target
RequiredBy=docker.service
"""

# Debian's /etc/nftables.conf begins with `flush ruleset`, and so do a reload, a restart and a stop of its service.
AGAIN = """\
[Service]
ExecStartPost=-/usr/sbin/nft --file {file}
ExecReload=-/usr/sbin/nft --file {file}
ExecStopPost=-/usr/sbin/nft --file {file}
"""

# Before Docker translates addresses (-100) and after connections are known (-200), for whatever is for this computer itself.
# Docker of before 28 lets in who sends to a container's own address by way of this computer: none of our containers is reached so.
TABLE = """\
table inet {name}
delete table inet {name}
table inet {name} {{
	chain arriving {{
		type filter hook prerouting priority -150; policy accept;
		iifname "lo" accept
		ct direction reply accept
		fib daddr type unicast accept
{rules}
	}}
	chain passing {{
		type filter hook forward priority -5; policy accept;
		ct direction original oifname {bridges} iifname != {bridges} ct status & dnat == 0 counter drop
	}}
}}
"""

Rule = dict[str, Any]


def say(*words: str, given: "str | None" = None) -> "subprocess.CompletedProcess[str]":
    """Run a program; it may fail, or not be there."""
    env = {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin", "LC_ALL": "C"}
    try:
        return subprocess.run(words, input=given, capture_output=True, text=True, check=False, env=env)  # fmt: skip
    except OSError as error:
        return subprocess.CompletedProcess(words, NO_PROGRAM, "", str(error))


def must(*words: str, given: "str | None" = None) -> None:
    """The same; it must succeed."""
    done = say(*words, given=given)
    if done.returncode:
        sys.exit(f"{' '.join(words)}: {(done.stderr or done.stdout).strip()}")


def networks(port: Rule) -> "list[str]":
    """From where it may be reached. A name is whatever it leads to now."""
    found = set()
    for source in port["from"]:
        try:
            found.add(ip_network(source))
        except ValueError:
            found |= {ip_network(address) for address in resolved(source, port)}
    versions = ([each for each in found if each.version == version] for version in (4, 6))
    return [str(each) for same in versions for each in collapse_addresses(sorted(same))]  # type: ignore[type-var]


def resolved(name: str, port: Rule) -> "set[str]":
    """The addresses of a name."""
    try:
        return {str(entry[4][0]).partition("%")[0] for entry in socket.getaddrinfo(name, None)}
    except OSError as error:
        sys.exit(f"{name}, which may reach {port['service']}, has no address here: {error}")


def restricted(ports: "Iterable[Rule]") -> "dict[str, Rule]":
    """Those that only some may reach, by `tcp/5432`."""
    return {
        key_of(port): {
            "service": port["service"],
            "from": networks(port),
            "beside": port.get("beside", False),
        }
        for port in ports
        if EVERYBODY not in port["from"]
    }


def key_of(port: Rule) -> str:
    """What tells a port from every other."""
    return f"{port.get('protocol') or 'tcp'}/{port['port']}"


def in_use(estate: str) -> "set[str]":
    """Ports that something listens on, or that a container of the estate has even when it stands still.

    Raises LookupError where Docker is there and does not say.
    """
    found = set()
    for name, listening in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")):
        path = Path("/proc/net", name)
        for line in path.read_text().splitlines()[1:] if path.exists() else ():
            _, local, _, state, *_ = line.split()
            if state == listening:
                found.add(f"{name[:3]}/{int(local.rpartition(':')[2], 16)}")
    for line in bindings(estate):
        for inner, outer in (json.loads(line) or {}).items():
            found |= {f"{inner.partition('/')[2]}/{each['HostPort']}" for each in outer or ()}
    return found


def bindings(estate: str) -> "list[str]":
    """What Docker says of the estate's containers, one line for each."""
    ids = say("docker", "ps", "--all", "--quiet", "--filter", f"label=freehold.estate={estate}")
    if ids.returncode == NO_PROGRAM or not (ids.stdout or ids.returncode):
        return []
    shown = say("docker", "inspect", "--format", "{{json .HostConfig.PortBindings}}", *ids.stdout.split())  # fmt: skip
    if ids.returncode or shown.returncode:
        raise LookupError(ids.stderr or shown.stderr)
    return shown.stdout.splitlines()


def ruleset(name: str, rules: "dict[str, Rule]") -> str:
    """The table as one transaction; of what there was nothing stays."""
    lines = [line for key, rule in sorted(rules.items()) for line in _rules(key, rule)]
    return TABLE.format(name=name, bridges=BRIDGES, rules="\n".join(f"\t\t{each}" for each in lines))  # fmt: skip


def _rules(key: str, rule: Rule) -> "Iterator[str]":
    protocol, _, port = key.partition("/")
    there = f"{protocol} dport {port}"
    if rule["beside"]:
        yield f"{there} iifname {BRIDGES} accept"
    for family, version in (("ip", 4), ("ip6", 6)):
        sources = [each for each in rule["from"] if ip_network(each).version == version]
        if sources:
            yield f"{there} {family} saddr {{ {', '.join(sources)} }} accept"
    yield f'{there} counter drop comment "{re.sub("[^A-Za-z0-9 ._-]", "", rule["service"])}"'


class Keeper:
    """The rules of one estate on this host: as they are kept, loaded, and loaded again when it starts."""

    def __init__(self, estate: str) -> None:
        self.estate = estate
        self.table = f"freehold_ports_{estate}"
        self.file = FOLDER / f"{estate}.nft"
        self.note = FOLDER / f"{estate}.json"
        self.unit = f"freehold-ports-{estate}.service"
        self.again = NFTABLES / f"freehold-ports-{estate}.conf"

    def noted(self) -> "dict[str, Any]":
        """What was written last: the rules, and the table as nft shows it."""
        try:
            found: dict[str, Any] = json.loads(self.note.read_text())
        except (OSError, ValueError):
            return {"rules": {}, "shown": ""}
        return found

    def shown(self) -> str:
        """The table as nft shows it, without what it has counted; nothing where there is none."""
        return say("nft", "--stateless", "list", "table", "inet", self.table).stdout

    def wanted(self, ports: "list[Rule]", *, looking: bool) -> "dict[str, Rule]":
        """What is asked for. A port that nobody speaks of any more stays shut while something is behind it; a look leaves that open."""
        asked = {key_of(port) for port in ports}
        before = {key: rule for key, rule in self.noted()["rules"].items() if key not in asked}
        try:
            used = in_use(self.estate) if before and not looking else set(before)
        except LookupError:  # Docker may come back, with what is behind them
            used = set(before)
        return {**{key: before[key] for key in used & set(before)}, **restricted(ports)}

    def differences(self, rules: "dict[str, Rule]") -> "list[str]":
        """What is to be done."""
        if not rules:
            left = self.note.exists() or self.file.exists() or self.shown()
            return [f"delete table {self.table}"] if left else []
        found = []
        noted, text = self.noted(), ruleset(self.table, rules)
        if read(self.file) != text or noted["rules"] != rules or self.shown() != noted["shown"]:
            found.append(f"load table {self.table}")
        linked = (UNITS / folder / self.unit for folder in _ENABLED)
        units = {UNITS / self.unit: self._unit(), self.again: self._again()}
        if any(read(path) != text for path, text in units.items()) or not all(
            map(Path.is_symlink, linked)
        ):
            found.append(f"enable {self.unit}")
        return found

    def apply(self, rules: "dict[str, Rule]") -> None:
        """Have exactly these."""
        if not rules:
            self._forget()
            return
        FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
        text = ruleset(self.table, rules)
        must("nft", "--file", "-", given=text)
        write(self.file, text)
        NFTABLES.mkdir(mode=0o755, exist_ok=True)
        write(self.again, self._again())
        write(UNITS / self.unit, self._unit())
        must("systemctl", "daemon-reload")
        must("systemctl", "--quiet", "enable", self.unit)
        write(self.note, json.dumps({"rules": rules, "shown": self.shown()}))

    def _unit(self) -> str:
        return UNIT.format(estate=self.estate, folder=FOLDER, file=self.file)

    def _again(self) -> str:
        return AGAIN.format(file=self.file)

    def _forget(self) -> None:
        self.again.unlink(missing_ok=True)
        if (UNITS / self.unit).exists():
            must("systemctl", "--quiet", "disable", self.unit)
            (UNITS / self.unit).unlink()
            must("systemctl", "daemon-reload")
        if self.shown():
            must("nft", "delete", "table", "inet", self.table)
        for path in (self.file, self.note):
            path.unlink(missing_ok=True)


def read(path: Path) -> str:
    """What is in it; nothing where there is none."""
    return path.read_text() if path.exists() else ""


def write(path: Path, text: str) -> None:
    """In one step, and so that it outlives a power cut."""
    new = path.with_name(f".{path.name}.new")
    with new.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)


def main() -> None:
    """What the verb says."""
    verb, estate = sys.argv[1:]
    keeper = Keeper(estate)
    rules = keeper.wanted(json.load(sys.stdin), looking=verb == "look")
    found = keeper.differences(rules)
    if found and verb == "apply":
        keeper.apply(rules)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
