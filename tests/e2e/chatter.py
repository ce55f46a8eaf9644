"""Sends to a machine from the first moment of its own machine on, and notes what it hears itself; run by systemd inside.

Told the address to send to. What was heard, with the time, is in /root/heard; that it sends is in /root/sent.
"""

import pathlib
import socket
import sys
import time

PORT = 9999

listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
listening.bind(("", PORT))
listening.setblocking(False)
heard, sent = pathlib.Path("/root/heard"), 0
while True:
    try:
        listening.sendto(b"hello", (sys.argv[1], PORT))
        sent += 1
        pathlib.Path("/root/sent").write_text(str(sent))
    except OSError:
        pass  # the network is not there yet
    try:
        _, (address, _) = listening.recvfrom(64)
        with heard.open("a") as file:
            file.write(f"{time.time()} {address}\n")
    except BlockingIOError:
        pass
    time.sleep(0.01)
