"""`freehold ui` beside a real estate: what it says follows what is real, and `status` says the same."""

import asyncio
import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

from freehold.operations.lab import Lab
from freehold.operations.overview.certificates import Ingress, certificates
from freehold.system.namespaces import enter_argv
from tests.e2e.estate import TWO_MACHINES, Estate, pid_of
from tests.ui.test_certificates import ENDS, certified

pytestmark = [pytest.mark.lab, pytest.mark.slow]
PATIENCE = 60.0


def test_the_page_follows_the_estate(estate: Estate) -> None:
    estate.write(TWO_MACHINES)
    serving = estate.start("ui", "--port", "0", "--every", "5")
    assert serving.stdout is not None
    printed = "".join(serving.stdout.readline() for _ in range(2))
    address = re.search(r"http://127\.0\.0\.1:\d+/\?token=[\w-]+", printed)
    assert address, printed
    jar = CookieJar()
    visitor = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(jar)
    )

    def page() -> str:
        with visitor.open(address[0], timeout=PATIENCE) as answer:
            return str(answer.read().decode())

    def shows(what: Callable[[str], bool]) -> str:
        end = time.monotonic() + PATIENCE
        while not what(found := page()):
            assert time.monotonic() < end, found
            time.sleep(0.5)
        return found

    before = shows(lambda text: "changes wait to be applied" in text)
    assert "not there yet" in before
    estate.ok("apply", "--yes")
    well = shows(lambda text: "All is well" in text)
    assert "home/desk" in well
    assert "10.100.11.10" in well
    estate.ok("verify", "--traffic")
    estate.incus("stop", "--force", "--project", "home", "home-desk")
    ill = shows(lambda text: "home/desk does not run" in text)
    assert "What passed is what infra.yml said" in ill
    document = estate.ok("status", "--json").document
    assert document["verdict"] == "needs-you"
    assert [need["code"] for need in document["needs"]] == ["machines-down", "changes-wait"]
    assert document["isolation"]["as_declared"] is True
    assert [run["verb"] for run in document["runs"]] == ["apply"]
    told = estate.ok("status").out
    assert re.search(
        r"^Last change: apply at [\d: -]+, done; to see it: freehold --lab log last$", told, re.M
    )
    assert re.search(
        r"^Isolation: \d+ checks at [\d: -]+, (?:\d+ )?as declared(?:, \d+ not measured)?$",
        told,
        re.M,
    )
    with visitor.open(address[0].replace("/?", "/status.json?"), timeout=PATIENCE) as answer:
        assert json.load(answer)["estate"] == "cottage"
    serving.send_signal(2)
    assert serving.wait(PATIENCE) == 0


_SERVES = """
import os, socket, ssl, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(sys.argv[1])
with socket.create_server(("127.0.0.1", 0)) as taken:
    print(taken.getsockname()[1], flush=True)
    while True:
        try:
            context.wrap_socket(taken.accept()[0], server_side=True).close()
        except OSError:
            pass
"""  # it ends with its input: whoever ends `nsenter` does not reach it


def test_certificates_are_asked_for_in_the_labs_own_network(e2e_lab: Lab, tmp_path: Path) -> None:
    path = certified(tmp_path, "media.example.org")
    argv = [sys.executable, "-c", _SERVES, str(path)]
    server = subprocess.Popen(
        enter_argv(pid_of(e2e_lab), argv, "/"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        asked = Ingress("proxy", "home/box", "127.0.0.1", port, {"media.example.org": "media"})
        (inside,) = asyncio.run(certificates([asked], pid_of(e2e_lab)))
        assert (inside.expires, inside.fits, inside.problem) == (ENDS, True, "")
        (here,) = asyncio.run(certificates([asked], None))  # nobody listens on this side
        assert here.expires is None
    finally:
        server.communicate(timeout=PATIENCE)
