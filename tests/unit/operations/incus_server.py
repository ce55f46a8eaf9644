"""A small HTTP server on a unix socket that answers as an Incus server does; for the doctor's questions."""

import json
import socket
import socketserver
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Thread
from typing import Any


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


@contextmanager
def incus_server(
    path: Path, answers: Mapping[str, Any], refusal: tuple[int, str] = (404, "Not Found")
) -> Iterator[None]:
    """Answer GETs with the metadata in `answers`, by path; anything else is refused: by itself, it does not exist."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path in answers
            body: dict[str, Any] = {"type": "sync", "metadata": answers.get(self.path)}
            if not known:
                body = {"type": "error", "error": refusal[1], "error_code": refusal[0]}
            content = json.dumps(body).encode()
            self.send_response(200 if known else refusal[0])
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def address_string(self) -> str:
            return "unix"

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            pass

    with _Server(str(path), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def deaf_socket(path: Path) -> None:
    """A socket file at which nobody listens, as a killed daemon leaves it."""
    with socket.socket(socket.AF_UNIX) as handle:
        handle.bind(str(path))
