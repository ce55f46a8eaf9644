"""The two ends of a measurement, each a process in a network namespace; needs nothing but Python.

`senders.py answer` listens for TCP and UDP. `senders.py ask ADDRESS` reads a question a line (`ping 0.2`: what, and for how
many seconds) and answers with a number: microseconds per round trip, per connection or per packet, or Gbit/s.
Started by `rooms.py`.
"""

import os
import socket
import statistics
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator

PORT = 5201
_SINK = (
    PORT + 1
)  # TCP: read to its end; UDP: not read while it is measured, so that only the way there costs
_HELLO = b"hello "
_CHUNK = bytes(1 << 20)


def answer() -> None:
    """Listen until this process is ended."""
    threading.Thread(target=_greet, daemon=True).start()
    opened, stream = (socket.create_server(("", port), backlog=512) for port in (PORT, _SINK))
    threading.Thread(target=_accept, args=(opened, _hang_up), daemon=True).start()
    print("ready", flush=True)
    _accept(stream, _swallow)


def _greet() -> None:
    """Answer the first packet, so that the connection is known as an open one; then read nothing for a while."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("", _SINK))
        while True:
            packet, sender = sink.recvfrom(2048)
            if packet.startswith(_HELLO):
                sink.sendto(packet, sender)
                time.sleep(float(packet.removeprefix(_HELLO)))


def _accept(server: socket.socket, serve: Callable[[socket.socket], None]) -> None:
    while True:
        serve(server.accept()[0])


def _hang_up(connection: socket.socket) -> None:
    connection.close()


def _swallow(connection: socket.socket) -> None:
    """Read all, and tell how much it was."""
    total, buffer = 0, bytearray(1 << 20)
    with connection:
        while got := connection.recv_into(buffer):
            total += got
        connection.sendall(total.to_bytes(8, "big"))


def ask(address: str) -> None:
    """Answer questions until there are no more."""
    ways = {"ping": ping, "open": connect, "packet": udp, "tcp": tcp}
    for line in sys.stdin:
        way, seconds = line.split()
        print(ways[way](address, float(seconds)), flush=True)


def ping(address: str, seconds: float) -> float:
    """Median round trip of an ICMP echo in µs: the other kernel answers, no process has to wake up."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as link:
        link.settimeout(5.0)
        link.connect((address, 0))
        return _median(lambda number: _echo(link, number), seconds)


def _echo(link: socket.socket, number: int) -> None:
    body = struct.pack("!HH", os.getpid() & 0xFFFF, number & 0xFFFF) + bytes(48)
    link.send(struct.pack("!BBH", 8, 0, _checksum(b"\x08\x00\x00\x00" + body)) + body)
    while link.recv(2048)[24:28] != body[:4]:  # behind 20 bytes of IPv4 and 4 of ICMP
        pass


def _checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def connect(address: str, seconds: float) -> float:
    """Median time of opening a TCP connection in µs."""
    return _median(lambda number: _connect(address), seconds)


def _connect(address: str) -> None:
    with socket.socket() as link:
        link.settimeout(20.0)
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        link.connect((address, PORT))


def udp(address: str, seconds: float) -> float:
    """Median time of sending a packet of 64 bytes in µs: the kernel carries it to its end within the call."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.settimeout(20.0)
        link.connect((address, _SINK))
        link.send(_HELLO + str(seconds + 0.1).encode())
        link.recv(2048)
        packet = bytes(64)
        return _median(lambda number: link.send(packet), seconds)


def tcp(address: str, seconds: float) -> float:
    """Gbit/s of one connection, of what has arrived."""
    with socket.create_connection((address, _SINK), timeout=60.0) as link:
        started = time.perf_counter()
        while time.perf_counter() - started < seconds:
            link.sendall(_CHUNK)
        link.shutdown(socket.SHUT_WR)
        arrived = int.from_bytes(link.recv(8, socket.MSG_WAITALL), "big")
        return arrived * 8 / 1e9 / (time.perf_counter() - started)


def _median(work: Callable[[int], object], seconds: float) -> float:
    return statistics.median(_times(work, seconds)) * 1e6


def _times(work: Callable[[int], object], seconds: float) -> Iterator[float]:
    end, number = time.perf_counter() + seconds, 0
    while (started := time.perf_counter()) < end or not number:
        work(number)
        yield time.perf_counter() - started
        number += 1


if __name__ == "__main__":
    answer() if sys.argv[1] == "answer" else ask(sys.argv[2])
