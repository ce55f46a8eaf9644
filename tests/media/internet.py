"""Stands for the Internet, in a network namespace of a lab's machine: the VPN's server, and one who tells everybody his address.

Run in that namespace. What comes out of the tunnel is from 10.8.0.2 there; what comes beside it is from the machine.
"""

import fcntl
import http.server
import os
import socket
import struct
import subprocess
import threading
from typing import Any

TELLER = "203.0.113.80"
PORT = 1637


class Teller(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        said = self.client_address[0].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: Any) -> None:
        pass


def main() -> None:
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(
        device, 0x400454CA, struct.pack("16sH22x", b"server", 0x1001)
    )  # TUNSETIFF, IFF_TUN | IFF_NO_PI
    for words in (
        "address add 10.8.0.1/24 dev server",
        "link set server up",
        f"address add {TELLER}/32 dev lo",
    ):
        subprocess.run(["ip", *words.split()], check=True)
    outer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    outer.bind(("0.0.0.0", PORT))
    client: list[Any] = []

    def answer() -> None:
        while True:
            packet = os.read(device, 65536)
            if client:
                outer.sendto(packet, client[-1])

    threading.Thread(target=answer, daemon=True).start()
    server = http.server.ThreadingHTTPServer((TELLER, 80), Teller)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    while True:
        packet, where = outer.recvfrom(65536)
        client[:] = [where]
        os.write(device, packet)


if __name__ == "__main__":
    main()
