"""Compares UFW's rules with what is asked for, and makes them so. The role host_access runs it on the host.

    firewall.py look | open | apply      the openings as JSON on standard input

`open` adds rules and nothing else, so that more may come in than before, if anything. Prints the commands that are, or were,
needed as JSON. Only rules with a comment that begins with `freehold ` are taken away.
An opening is {"port": 443 or "6000:6010", "protocol": "tcp", "from": ["192.0.2.0/24"], "interface": "tailscale0"}; all but
the port may be left out. A name in `from` is whatever it leads to now, for UFW knows addresses only.
"""

# ruff: noqa: T201, TID251 - it runs in the host, with Python's own library alone

import json
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import ip_interface
from pathlib import Path
from typing import Any

MARK = "freehold "
POLICY = Path("/etc/default/ufw")


def asked(*words: str) -> str:
    """What `ufw` says; nothing where there is none yet."""
    try:
        return subprocess.run(["ufw", *words], capture_output=True, text=True, check=False).stdout
    except FileNotFoundError:
        return ""


def addresses(source: str) -> "list[str]":
    """As UFW takes it."""
    if source == "any":
        return [source]
    try:
        ip_interface(source)
        return [source]
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(source, None)
    except OSError as error:
        sys.exit(f"{source}, which is to be let in, has no address here: {error}")
    return sorted({str(entry[4][0]).partition("%")[0] for entry in found})


def wanted(openings: "list[dict[str, Any]]") -> "dict[str, list[str]]":
    """The rule for each, by the comment that tells it from every other."""
    rules = {}
    for opening in openings:
        on = ["on", opening["interface"]] if opening.get("interface") else []
        port, protocol = str(opening["port"]), opening.get("protocol") or "tcp"
        sources = opening.get("from") or ["any"]
        for source in (address for each in sources for address in addresses(each)):
            mark = " ".join([MARK.strip(), protocol, port, "from", source, *on])
            rule = [
                "allow",
                "in",
                *on,
                "proto",
                protocol,
                "from",
                source,
                "to",
                "any",
                "port",
                port,
            ]
            rules[mark] = [*rule, "comment", mark]
    return rules


def present() -> "dict[str, list[str]]":
    """Our rules that are there, by their comments: as `ufw delete` takes them."""
    found = {}
    for line in asked("show", "added").splitlines():
        words = shlex.split(line)
        if len(words) > 3 and words[-2] == "comment" and words[-1].startswith(MARK):
            found[words[-1]] = words[1:-2]
    return found


def needed(openings: "list[dict[str, Any]]", *, only_open: bool) -> "Iterator[list[str]]":
    """In an order in which nobody who may come in is ever kept out."""
    rules, there = wanted(openings), present()
    yield from (rule for mark, rule in rules.items() if mark not in there)
    if only_open:
        return
    if not POLICY.exists() or 'DEFAULT_INPUT_POLICY="DROP"' not in POLICY.read_text():
        yield ["default", "deny", "incoming"]
    if not asked("status").startswith("Status: active"):
        yield ["--force", "enable"]
    yield from (["--force", "delete", *rule] for mark, rule in there.items() if mark not in rules)


def main() -> None:
    """What the verb says."""
    verb = sys.argv[1]
    commands = list(needed(json.load(sys.stdin), only_open=verb == "open"))
    if verb != "look":
        for words in commands:
            subprocess.run(["ufw", *words], check=True, stdout=sys.stderr)
    print(json.dumps([" ".join(["ufw", *words]) for words in commands]))


if __name__ == "__main__":
    main()
