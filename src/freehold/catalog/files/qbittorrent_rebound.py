"""qBittorrent listens again after its tunnel was renewed. Run beside it by its image, from the catalog's qbittorrent, as long as that runs.

Gluetun renews a tunnel by deleting the interface and making it anew. qBittorrent's listeners stay with the one that is gone, and no peer
reaches them any more (gluetun#1407). The kernel gives each interface a number of its own, so another number is how a renewal is seen. Another
port and the old one again, told by qBittorrent's API, make it open its listeners anew; it stays bound to the tunnel all the while.
"""

import fcntl
import json
import logging
import socket  # noqa: TID251 - a program of its own, no part of Freehold
import struct
import time
from collections.abc import Callable
from http.client import HTTPException  # noqa: TID251
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, ProxyHandler, build_opener  # noqa: TID251

LOG = logging.getLogger("freehold")
WANTED = Path("/run/freehold/qbittorrent.json")
LOOK = 2.0  # seconds between two looks
AGAIN = 30.0  # seconds until it is asked again, where it did not answer or refused
SETTLE = 1.0  # seconds that it has to take a port in
TIMEOUT = 10.0
SIOCGIFADDR = 0x8915  # netdevice(7)
LARGEST = 65535


def main() -> None:
    """Look for ever."""
    logging.basicConfig(format="%(name)s: %(message)s", level=logging.INFO)
    wanted = json.loads(WANTED.read_text(encoding="utf-8"))
    bound = number(wanted["interface"])
    LOG.info("looking whether %s is renewed", wanted["interface"])
    while True:
        time.sleep(LOOK)
        now = number(wanted["interface"])
        if now is None or now == bound:
            continue
        try:
            port = listen_anew(wanted)
        except (OSError, HTTPException, ValueError, LookupError) as error:
            LOG.warning("%s was renewed, and qBittorrent does not listen anew yet: %s", wanted["interface"], error)  # fmt: skip
            time.sleep(AGAIN)
        else:
            bound = now
            LOG.info("%s was renewed: qBittorrent listens anew, on %d", wanted["interface"], port)


def number(interface: str) -> int | None:
    """The kernel's own for an interface that has an address by now; None without one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            fcntl.ioctl(asking, SIOCGIFADDR, struct.pack("40s", interface.encode()))
            return socket.if_nametoindex(interface)
        except OSError:
            return None


def listen_anew(wanted: dict[str, Any]) -> int:
    """The port on which it does. Raises OSError, HTTPException, ValueError or LookupError where qBittorrent does not take it."""
    ask = session(wanted)
    port = int(json.loads(ask("app/preferences", {}))["listen_port"])
    for each in (port - 1 if port == LARGEST else port + 1, port):
        ask("app/setPreferences", {"json": json.dumps({"listen_port": each})})
        time.sleep(SETTLE)
    return port


def session(wanted: dict[str, Any]) -> Callable[[str, dict[str, str]], bytes]:
    """How its API is asked, logged in (qBittorrent's wiki, WebUI API). Raises OSError, HTTPException and ValueError, without the password."""
    page = f"http://127.0.0.1:{wanted['web_port']}"
    opener = build_opener(ProxyHandler({}), HTTPCookieProcessor())
    opener.addheaders = [("Referer", page)]  # else it may take it for a page of somebody else

    def ask(path: str, fields: dict[str, str]) -> bytes:
        data = urlencode(fields).encode() if fields else None
        with opener.open(f"{page}/api/v2/{path}", data, TIMEOUT) as answer:
            said: bytes = answer.read()
        return said

    password = Path(wanted["password_file"]).read_text(encoding="utf-8").strip()
    if ask("auth/login", {"username": wanted["user"], "password": password}) == b"Fails.":
        raise ValueError("it refuses the password")  # before 5.2, which answers 401
    return ask


if __name__ == "__main__":
    main()
