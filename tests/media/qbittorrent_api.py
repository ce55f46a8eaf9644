#!/usr/bin/env python3
"""Stands for qBittorrent as peers and its API see it: it listens at the tunnel, bound to that interface, and anew only when its port changes.

Called with its own port, the user and the password; it says each change of its preferences.
"""

import http.server
import json
import socket
import sys
import threading
import urllib.parse

TUNNEL = "tun0"
COOKIE = (
    "QBT_SID_8080=a-session"  # since 5.2 its name holds the port, and a login is answered by 204
)


class Listener:
    """Where peers come in."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.socket = self.opened()

    def opened(self) -> socket.socket:
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, TUNNEL.encode())
        made.bind(("", self.port))
        made.listen()
        threading.Thread(target=self.serve, args=(made,), daemon=True).start()
        return made

    def serve(self, made: socket.socket) -> None:
        while True:
            try:
                made.accept()[0].close()
            except OSError:
                return

    def move(self, port: int) -> None:
        """As libtorrent: an unchanged port keeps the listener that there is."""
        if port != self.port:
            self.socket.shutdown(socket.SHUT_RDWR)
            self.socket.close()
            self.port = port
            self.socket = self.opened()


class Api(http.server.BaseHTTPRequestHandler):
    listener: Listener
    login: dict[str, str]

    def do_GET(self) -> None:
        if self.path == "/api/v2/app/preferences" and self.headers["Cookie"] == COOKIE:
            self.answer(200, json.dumps({"listen_port": self.listener.port, "dht": True}))
        else:
            self.answer(403)

    def do_POST(self) -> None:
        given = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))  # fmt: skip
        if self.path == "/api/v2/auth/login":
            self.answer(204 if given == self.login else 401)
        elif self.path == "/api/v2/app/setPreferences" and self.headers["Cookie"] == COOKIE:
            changes = json.loads(given["json"])
            say(json.dumps(changes))
            self.listener.move(changes["listen_port"])
            self.answer(204)
        else:
            self.answer(403)

    def answer(self, code: int, said: str = "") -> None:
        self.send_response(code)
        if self.path == "/api/v2/auth/login" and code == 204:
            self.send_header("Set-Cookie", f"{COOKIE}; HttpOnly; SameSite=Strict; path=/")
        if code != 204:
            self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said.encode())

    def log_message(self, *_: object) -> None:
        pass


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    port, user, password = sys.argv[1:]
    Api.listener = Listener(int(port))
    Api.login = {"username": user, "password": password}
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 8080), Api)
    say("ready")
    server.serve_forever()


if __name__ == "__main__":
    main()
