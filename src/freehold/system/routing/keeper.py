"""A program of its own: keeps the host's routing to the machine between the domains, and that machine running.

A copy of it lies beside the file that says what to keep; systemd runs it, in the lab the lab's first process. It needs
nothing but Python and `ip`. `program.py` starts it too, with one of these words and the file:

    once     make the routing so
    check    say as JSON what is not so
    watch    do both again and again, and start the machine when it has stopped; one process a file
    release  end whoever watches
    clear    the same, and take the routing away

Routing for the packets that carry the mark: a rule, and in a table of its own a route to the machine with a second
one behind it that refuses, for when the machine's bridge is gone. Facts: ip-rule(8), ip-route(8), ip-sysctl of Linux.
"""

import fcntl
import http.client
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, TextIO

Way = dict[str, Any]

TABLE = "7400"
PREFERENCE = 7400  # before the main table (32766)
PAUSE = 2.0  # seconds between two looks
STOPPED = 2  # looks in a row that find the machine stopped before it is started: others may be at work on it
SILENT = (
    10  # looks in a row (3 s each) without an answer, of a machine that did answer: started anew
)
TIMEOUT = 30.0  # seconds for Incus to answer
LAST = "4294967295"  # the metric of a route behind all others
PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"


def ip(*words: object, must: bool = True) -> str:
    """What `ip` prints. Raises OSError with its words when it refuses and `must`."""
    argv = ["ip", *map(str, words)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env={"PATH": PATH})
    if done.returncode != 0 and must:
        raise OSError(done.stderr.strip() or f"ip ended with exit code {done.returncode}")
    return done.stdout if done.returncode == 0 else ""


def listed(*words: str) -> list[dict[str, Any]]:
    """What `ip` lists; nothing where there is nothing to list (a table that does not exist)."""
    found: list[dict[str, Any]] = json.loads(ip("-json", *words, must=False) or "[]")
    return found


def rules(way: Way) -> list[list[str]]:
    """The words of the rules there are to be.

    Where src_valid_mark is set the kernel asks with the mark where a packet's source lives, as if it came from where the
    packet goes: that way back is the ordinary one.
    """
    mark = f"{way['mark']:#x}/{way['mark']:#x}"
    back = ["priority", str(PREFERENCE - 1), "iif", way["bridge"], "fwmark", mark, "lookup", "main"]
    return [back, ["priority", str(PREFERENCE), "fwmark", mark, "lookup", TABLE]]


def missing_rules(way: Way) -> Iterator[list[str]]:
    """Those that are not there."""
    there = {(rule["priority"], rule.get("iif")) for rule in listed("rule", "show")}
    wanted = ((PREFERENCE - 1, way["bridge"]), (PREFERENCE, None))
    for key, words in zip(wanted, rules(way), strict=True):
        if key not in there:
            yield words


def faults(way: Way) -> Iterator[str]:
    """In words, what is not as it is to be."""
    for words in missing_rules(way):
        yield f"the rule {words[1]} is missing"
    routes = listed("route", "show", "table", TABLE)
    if not any(is_way(route, way) for route in routes):
        yield f"the route to {way['router']} is missing"
    if not any(is_end(route, way) for route in routes):
        yield "the route that refuses is missing"
    if is_strict(way["bridge"]):
        yield f"rp_filter of {way['bridge']} is strict"


def is_way(route: dict[str, Any], way: Way) -> bool:
    """Whether this route leads to the machine."""
    wanted = (way["base"], way["router"], way["bridge"])
    return (route.get("dst"), route.get("gateway"), route.get("dev")) == wanted


def is_end(route: dict[str, Any], way: Way) -> bool:
    """Whether this route refuses."""
    return route.get("type") == "unreachable" and route.get("dst") == way["base"]


def is_strict(bridge: str) -> bool:
    """Whether the kernel drops what comes from there with an address that lives elsewhere (the larger value counts)."""
    values = [setting(name, "rp_filter") for name in ("all", bridge)]
    return max(values) == 1


def setting(interface: str, name: str) -> int:
    """What the kernel does on an interface; 0 for one that is not there."""
    try:
        with open(f"/proc/sys/net/ipv4/conf/{interface}/{name}") as file:
            return int(file.read())
    except OSError:
        return 0


def make(way: Way) -> None:
    """Make it so. Raises OSError when it cannot be, as long as the bridge is not there."""
    for words in missing_rules(way):
        ip("rule", "add", *words)
    ip("route", "replace", "unreachable", way["base"], "metric", LAST, "table", TABLE)
    if is_strict(way["bridge"]):
        with open(f"/proc/sys/net/ipv4/conf/{way['bridge']}/rp_filter", "w") as file:
            file.write("2")
    target = ["via", way["router"], "dev", way["bridge"]]
    ip("route", "replace", way["base"], *target, "table", TABLE)


def unmake(way: Way) -> None:
    """Take the estate's routes away, and the rules with the last one."""
    ip("route", "del", way["base"], "table", TABLE, "dev", way["bridge"], must=False)
    ip("route", "del", "unreachable", way["base"], "metric", LAST, "table", TABLE, must=False)
    back, there = rules(way)
    ip("rule", "del", *back, must=False)
    if not listed("route", "show", "table", TABLE):
        ip("rule", "del", *there, must=False)


class Incus(http.client.HTTPConnection):
    """Incus over its unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("incus", timeout=TIMEOUT)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(TIMEOUT)
        self.sock.connect(self.path)

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """The metadata of the answer. Raises OSError when there is none."""
        try:
            self.request(method, f"/1.0{path}", json.dumps(body) if body else None)
            answer = json.loads(self.getresponse().read())
            if answer.get("type") == "error":
                raise OSError(answer.get("error"))
            return answer["metadata"]
        except (http.client.HTTPException, ValueError, KeyError) as error:
            raise OSError(f"{method} {path}: {error}") from error
        finally:
            self.close()


class Machine:
    """The machine between the domains: started when it has stopped, started anew when it no longer answers."""

    def __init__(self) -> None:
        self.stopped = self.silent = 0
        self.answered = False

    def look(self, way: Way) -> None:
        """Do what is needed. Raises OSError when Incus does not answer."""
        incus = Incus(way["socket"])
        project = f"?project={way['project']}"
        path = f"/instances/{way['instance']}"
        status = incus.ask("GET", path + project)["status"]
        self.stopped = self.stopped + 1 if status in ("Stopped", "Frozen", "Error") else 0
        self.hear(way, status)
        action = self.action(status)
        if action and not self.is_worked_on(incus, way, project):
            say(f"{way['instance']} is {status.lower()}: {action}")
            body = {"action": action, "timeout": -1, "force": action == "restart"}
            incus.ask("PUT", f"{path}/state{project}", body)
            self.stopped = self.silent = 0
            self.answered = False

    def hear(self, way: Way, status: str) -> None:
        if status != "Running":
            self.silent, self.answered = 0, False
        elif answers(way["router"]):
            self.silent, self.answered = 0, True
        elif self.answered:
            self.silent += 1

    def action(self, status: str) -> str | None:
        if self.stopped >= STOPPED:
            return "unfreeze" if status == "Frozen" else "start"
        return "restart" if self.silent >= SILENT else None

    def is_worked_on(self, incus: Incus, way: Way, project: str) -> bool:
        """Whether Incus is doing something with it (a rebuild, a snapshot): then it is left to whoever asked for it."""
        under_way = incus.ask("GET", f"/operations{project}&recursion=1") or {}
        return any(
            f"/{way['instance']}" in json.dumps(operation.get("resources") or {})
            for operation in under_way.get("running", [])
        )


def answers(address: str) -> bool:
    """Whether it answers a ping within a second."""
    number = os.getpid() & 0xFFFF
    pinging = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    with pinging, suppress(OSError):
        pinging.sendto(echo(number), (address, 0))
        until = time.monotonic() + 1
        while (left := until - time.monotonic()) > 0:
            if not select.select([pinging], [], [], left)[0]:
                return False
            packet, (source, _) = pinging.recvfrom(256)
            if source == address and is_echo_reply(packet, number):
                return True
    return False


def is_echo_reply(packet: bytes, number: int) -> bool:
    """Whether the packet, with its IPv4 header of 20 bytes, answers us."""
    return packet[20:21] == b"\0" and packet[24:26] == struct.pack("!H", number)


def echo(number: int) -> bytes:
    """An echo request (RFC 792) without content."""
    total = 0x0800 + number + 1
    total = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    return struct.pack("!BBHHH", 8, 0, total, number, 1)


def read(path: str) -> Way | None:
    """What the file says; None when it is gone."""
    try:
        with open(path) as file:
            way: Way = json.load(file)
    except FileNotFoundError:
        return None
    return way


def lock(path: str, block: bool = False) -> TextIO | None:
    """The lock of whoever watches over this file; None when somebody else has it."""
    handle = open(f"{path}.lock", "a+")  # noqa: SIM115 - held until this process ends
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if block else fcntl.LOCK_NB))
    except BlockingIOError:
        handle.close()
        return None
    return handle


def watch(path: str) -> int:
    """Until the file is gone; then the routing goes too."""
    held = lock(path)
    if held is None:
        return 0
    held.truncate(0)
    held.write(str(os.getpid()))
    held.flush()
    machine = Machine()
    last: Way | None = None
    said = ""
    while (way := read(path)) is not None:
        last = way
        told = "\n".join(attempted(way, machine))
        if told != said:
            say(told or "all is well again")
        said = told
        time.sleep(PAUSE)
    if last is not None:
        unmake(last)
    return 0


def attempted(way: Way, machine: Machine) -> Iterator[str]:
    """One look at all of it; what could not be done, in words."""
    try:
        if any(faults(way)):
            make(way)
    except OSError as error:
        yield str(error)
    try:
        machine.look(way)
    except OSError as error:
        yield str(error)


def clear(path: str) -> int:
    """The file is taken away first, so that nobody makes the routing again."""
    way = read(path)
    with suppress(FileNotFoundError):
        os.unlink(path)
    release(path)
    if way is not None:
        unmake(way)
    return 0


def release(path: str) -> int:
    """End whoever watches."""
    with suppress(OSError, ValueError):
        if (free := lock(path)) is None:
            with open(f"{path}.lock") as file:
                os.kill(int(file.read()), signal.SIGTERM)
            free = lock(path, block=True)
        os.unlink(f"{path}.lock")
        if free is not None:
            free.close()
    return 0


def check(path: str) -> int:
    """Say what is not so."""
    way = read(path)
    free = lock(path)
    found = ["nothing is kept"] if way is None else list(faults(way))
    if free is not None:
        found.append("nobody watches over it")
    sys.stdout.write(json.dumps(found) + "\n")
    return 0


def once(path: str) -> int:
    """Make it so."""
    if (way := read(path)) is not None:
        make(way)
    return 0


def say(text: str) -> None:
    """Standard error is the journal's."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    word, where = sys.argv[1:3]
    words = {"once": once, "check": check, "watch": watch, "release": release, "clear": clear}
    try:
        sys.exit(words[word](where))
    except OSError as problem:
        say(str(problem))
        sys.exit(1)
