"""Run in a machine or on the lab's host: prints what it heard as JSON. Argument: the interface.

It ends when it has heard honest frames three times: two whole rounds of the speaker lie between them.
"""

import json
import re
import socket
import sys
import time

ALL_KINDS = 3  # ETH_P_ALL, linux/if_ether.h
SAID = re.compile(rb"<said:([^>]+)>")
ENOUGH, PATIENCE = 3, 15.0

heard: list[str] = []
until = time.monotonic() + PATIENCE
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_KINDS)) as wire:
    wire.bind((sys.argv[1], ALL_KINDS))
    wire.settimeout(0.5)
    while heard.count("honest") < ENOUGH and time.monotonic() < until:
        try:
            found = SAID.search(wire.recv(2048))
        except TimeoutError:
            continue
        if found is not None:
            heard.append(found[1].decode())
sys.stdout.write(json.dumps(sorted(set(heard))))
