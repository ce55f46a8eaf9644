#!/usr/bin/env python3
"""Stands for the image of qBittorrent: what is to run before the program does, then a page on its port."""

import http.server
import os
import pathlib
import signal
import subprocess


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    for script in sorted(pathlib.Path("/custom-cont-init.d").glob("*")):
        subprocess.run(["bash", str(script)], check=True)
    port = int(os.environ["WEBUI_PORT"])
    http.server.ThreadingHTTPServer(
        ("", port), http.server.SimpleHTTPRequestHandler
    ).serve_forever()


if __name__ == "__main__":
    main()
