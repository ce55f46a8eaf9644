"""`freehold ui` as a user starts it: what it prints, how it ends, and what it does when it cannot do its work."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).with_name("freehold")
PATIENCE = 60.0
INFRA = """freehold: 1
name: maison
domains:
  perso: {subnet_id: 1, machines: {desktop: {}}}
"""


def environment(folder: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("INCUS_", "FREEHOLD_"))}
    return {**kept, "NO_COLOR": "1", "INCUS_SOCKET": str(folder / "no-incus"), "BROWSER": "true"}


@contextmanager
def started(
    folder: Path, *options: str, browser: str = "true"
) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """The command at work, and the address that it printed."""
    process = subprocess.Popen(
        [str(PROGRAM), "ui", "--port", "0", *options],
        cwd=folder,
        env={**environment(folder), "BROWSER": browser},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        printed = "".join(process.stdout.readline() for _ in range(3))
        found = re.search(r"http://\S+/\?token=[\w-]{40,}", printed)
        assert found, printed
        yield process, found[0]
    finally:
        process.kill()
        process.communicate()


def fetched(address: str) -> str:
    """What a browser without scripts gets that is led from the token's address to the page."""
    visitor = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(CookieJar())
    )
    with visitor.open(address, timeout=PATIENCE) as answer:
        assert "token" not in answer.geturl()
        return str(answer.read().decode())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "infra.yml").write_text(INFRA)
    return tmp_path


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_end(folder: Path, number: int) -> None:
    with started(folder) as (process, address):
        page = fetched(address)
        assert "Incus cannot be reached" in page  # here it cannot: the page says so, and why
        assert "Traceback" not in page
        bare = address.partition("?")[0]
        with pytest.raises(urllib.error.HTTPError, match="401"):
            fetched(bare)
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
        assert err == ""
        assert out == ""
    kept = [path.name for path in folder.rglob("*") if path.is_file()]
    assert kept == ["infra.yml"]


def test_each_start_has_a_token_of_its_own_that_is_nowhere_else(folder: Path) -> None:
    with started(folder) as (process, first), started(folder) as (_, second):
        tokens = [address.partition("token=")[2] for address in (first, second)]
        assert tokens[0] != tokens[1]
        words = Path(f"/proc/{process.pid}/cmdline").read_bytes()
        variables = Path(f"/proc/{process.pid}/environ").read_bytes()
        assert tokens[0].encode() not in words + variables


def test_a_browser_is_led_there_by_a_file_that_goes_with_it(folder: Path) -> None:
    with started(folder, "--open") as (process, address):
        leads = folder / ".freehold" / "ui.html"
        assert address in leads.read_text()
        assert leads.stat().st_mode & 0o777 == 0o600
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
        assert not leads.exists()


_BROWSER = """#!{python}
import html, os, pathlib, re, sys, time, urllib.request
pathlib.Path("{folder}", "pid").write_text(str(os.getpid()))
where = urllib.request.url2pathname(sys.argv[1].removeprefix("file://"))
(address,) = re.findall('url=([^"]+)"', pathlib.Path(where).read_text())
with urllib.request.urlopen(html.unescape(address).partition("?")[0] + "page.css", timeout=30) as answer:
    pathlib.Path("{folder}", "seen").write_text(str(answer.status))
time.sleep(600)
"""


def test_a_browser_finds_the_page_served_and_keeps_nobody_waiting(folder: Path) -> None:
    """One that is at work as long as its reader, as those in a terminal are."""
    program = folder / "browser"
    program.write_text(_BROWSER.format(python=sys.executable, folder=folder))
    program.chmod(0o755)
    with started(folder, "--open", browser=str(program)) as (process, address):
        assert "Incus cannot be reached" in fetched(address)
        end = time.monotonic() + PATIENCE
        while not (folder / "seen").exists():
            assert time.monotonic() < end
            time.sleep(0.1)
        assert (folder / "seen").read_text() == "200"
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(PATIENCE) == 0
        finally:
            os.kill(int((folder / "pid").read_text()), signal.SIGKILL)


def test_without_a_browser_it_says_so_and_serves(folder: Path) -> None:
    with started(folder, "--open", browser="false") as (process, address):
        assert process.stderr is not None
        assert "warning[no-browser]" in process.stderr.readline()
        assert "Incus cannot be reached" in fetched(address)


def test_in_the_network_it_warns_and_says_what_is_safer(folder: Path) -> None:
    with started(folder, "--bind", "0.0.0.0") as (process, address):
        assert f"http://{socket.gethostname()}:" in address
        port = re.search(r":(\d+)/", address)
        assert port
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
        assert "warning[ui-in-the-network]" in err
        assert f"ssh -L {port[1]}:127.0.0.1:{port[1]}" in err


def run(folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(PROGRAM), "ui", *options],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_a_port_that_is_taken_is_told_with_the_way_out(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run(folder, "--port", str(taken.getsockname()[1]))
    assert done.returncode == 64
    assert "error[ui-port]" in done.stderr
    assert "freehold ui --port 0" in done.stderr
    assert done.stdout == ""


def test_a_mistake_in_infra_yml_is_told_before_anything_is_served(folder: Path) -> None:
    (folder / "infra.yml").write_text(INFRA.replace("subnet_id: 1", "subnet_id: one"))
    done = run(folder, "--port", "0")
    assert done.returncode == 3
    assert done.stdout == ""
