"""Egress in a real lab: its life with the lab, and machines that get packages by it."""

import asyncio
import functools
import http.server
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest

from freehold.diagnostics import BackendError
from freehold.engine.planner import Planner
from freehold.operations.lab import Lab, LabStatus, api
from freehold.operations.lab.egress import process
from freehold.operations.lab.egress import surroundings as around
from freehold.operations.lab.images import ensure_image
from freehold.planning.resource import Impact
from freehold.providers.incus.images import ServerImages
from freehold.providers.incus.provider import IncusProvider
from freehold.system.incus.client import IncusClient
from freehold.system.processes import identify
from tests.lab.conftest import NewLab, network_namespace, traces
from tests.provider.estate import Counting, Server, change_of, infra_of

pytestmark = pytest.mark.lab


def wait_for(condition: Callable[[], bool]) -> bool:
    until = time.monotonic() + 60
    while not (met := condition()) and time.monotonic() < until:
        time.sleep(0.02)
    return met


def proxy_of(lab: Lab) -> int:
    pid = lab.status().egress_pid
    assert pid is not None
    return pid


def test_it_comes_and_goes_with_the_lab(new_lab: NewLab) -> None:
    lab = new_lab()
    lab.start()
    assert (lab.status().egress, lab.status().egress_pid) == (False, None)
    assert not lab.start(egress=True).fresh
    pid, network = proxy_of(lab), network_namespace(lab)
    lab.start()
    assert proxy_of(lab) == pid, "one that runs is left alone"
    assert Path(f"/proc/{pid}/ns/net").stat().st_ino == Path("/proc/self/ns/net").stat().st_ino
    status = Path(f"/proc/{pid}/status").read_text()
    assert "\nUid:\t65534\t65534\t65534\t65534\n" in status, "it is nobody, in every way"
    assert "\nGroups:\t \n" in status
    assert lab._place.egress_socket.stat().st_mode & 0o777 == 0o600
    lab.stop()
    assert identify(pid) is None
    assert not lab._place.egress_socket.exists()
    assert traces(lab, network) == []
    lab.start()
    assert proxy_of(lab) != pid, "it is kept in mind until it is turned off"
    lab.start(egress=False)
    lab.stop()
    lab.start()
    assert lab.status().egress_pid is None


def test_killed_it_is_missed_and_comes_back(new_lab: NewLab) -> None:
    lab = new_lab()
    lab.start(egress=True)
    pid = proxy_of(lab)
    os.kill(pid, signal.SIGKILL)
    assert wait_for(lambda: lab.status().egress_pid is None)
    assert lab.status().egress
    lab.start()
    assert proxy_of(lab) != pid
    os.kill(holder_of(lab.status()), signal.SIGKILL)
    last = process.running(lab._place)
    assert wait_for(lambda: last is None or not last.alive), (
        "it ends with the lab, however that ends"
    )


def holder_of(status: LabStatus) -> int:
    assert status.pid is not None
    return status.pid


def test_it_outlives_who_started_it(new_lab: NewLab) -> None:
    lab = new_lab()
    program = f"""
import os, signal
from pathlib import Path
from freehold.operations.lab import Lab
Lab(Path({str(lab.root)!r})).start(egress=True)
os.killpg(0, signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", program], start_new_session=True, check=False)
    assert lab.running
    assert identify(proxy_of(lab)) is not None


def test_a_proxy_it_cannot_use_is_refused_without_its_password(
    new_lab: NewLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = new_lab()
    monkeypatch.setenv("https_proxy", "socks5://me:secret@127.0.0.1:1080")
    with pytest.raises(BackendError) as caught:
        lab.start(egress=True)
    (problem,) = caught.value.diagnostics
    assert problem.code == "lab-egress-proxy-unusable"
    assert "https" in problem.detail
    assert "secret" not in str(problem)
    assert api.answers(lab.socket), "the lab itself runs"
    monkeypatch.delenv("https_proxy")
    lab.start()
    assert proxy_of(lab)


def test_that_no_package_server_is_known_is_told(
    new_lab: NewLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = new_lab()
    monkeypatch.setattr(around, "_apt_mirrors", list)
    monkeypatch.setattr(around, "package_servers", lambda settings, cache: [])
    (notice,) = lab.start(egress=True).notices
    assert "name no package servers" in notice
    assert proxy_of(lab)


def test_when_it_cannot_start_its_log_is_told(
    new_lab: NewLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = new_lab()
    lab.start()
    monkeypatch.setattr(process, "running", lambda place: None)
    monkeypatch.setattr(process, "end", lambda place: place.holder.rename(place.root / "gone"))
    with pytest.raises(BackendError) as caught:
        lab.start(egress=True)
    (lab.root / "gone").rename(lab._place.holder)
    assert caught.value.diagnostics[0].code == "lab-egress-did-not-start"
    assert "the lab has ended" in caught.value.diagnostics[0].detail


ESTATE = """
    freehold: 1
    name: test-estate
    domains:
      one:
        subnet_id: 7
        machines: {a: {ip: 10.100.7.10}}
      two:
        subnet_id: 8
        trust: untrusted
        machines: {b: {ip: 10.100.8.10}}
      shut:
        subnet_id: 9
        internet: false
        machines: {c: {ip: 10.100.9.10}}
    """


class InLab(Server):
    """The estate as it is in its lab."""

    lab: Lab

    def planner(self, text: str, **options: object) -> Planner:
        provider = IncusProvider(self.incus, ServerImages(self.incus))
        infra = self.lab.equip(infra_of(self.folder, text))
        return Planner(infra=infra, provider=provider, **options)  # type: ignore[arg-type]

    def inside(self, project: str, machine: str, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run a command in a machine, as `incus exec` does."""
        command = ["incus", "exec", "--project", project, f"{project}-{machine}", "--", *argv]
        return subprocess.run(
            command, env=self.lab.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def done(self, project: str, machine: str, script: str) -> str:
        """What a shell script says that must succeed."""
        done = self.inside(project, machine, "sh", "-euc", script)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def site(lab: Lab, tmp_path: Path) -> Iterator[InLab]:
    """The estate, applied in a lab that had no egress then."""
    ensure_image(lab, "debian/13", lambda _: None)
    loop = asyncio.new_event_loop()
    client = loop.run_until_complete(_client(lab))
    site = InLab(Counting(client), tmp_path, loop, is_real=True)
    site.lab = lab
    site.apply(ESTATE)
    yield site
    loop.run_until_complete(client.close())
    loop.close()


async def _client(lab: Lab) -> IncusClient:
    return IncusClient(lab.socket)


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package server on this machine's loopback, which this machine takes for its mirror; its address."""
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "package").write_bytes(b"package" * 100_000)
    serve = functools.partial(
        http.server.SimpleHTTPRequestHandler, directory=str(tmp_path / "mirror")
    )
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv("FREEHOLD_DEBIAN_MIRROR", address)
        yield address
        server.shutdown()


# As a program that heeds http_proxy asks; no_proxy would keep this one from it, because of the mirror's address.
ASK = """
import http.client, os, sys, urllib.parse
proxy = urllib.parse.urlsplit(os.environ["http_proxy"])
connection = http.client.HTTPConnection(proxy.hostname, proxy.port, timeout=20)
connection.request("GET", sys.argv[1])
answer = connection.getresponse()
print(answer.status, answer.reason, len(answer.read()))
"""


def asked(site: InLab, project: str, machine: str, address: str) -> str:
    done = site.inside(project, machine, "python3", "-c", ASK, address)
    return done.stdout or done.stderr.splitlines()[-1]


def test_machines_reach_mirrors_and_nothing_else(site: InLab, mirror: str) -> None:
    site.lab.start(egress=True)
    plan = site.plan(ESTATE)
    assert {str(change.address) for change in plan.changes} == {
        "instance:one/a",
        "instance:two/b",
    }, "a domain without internet gets none"
    assert {change.impact for change in plan.changes} == {Impact.LIVE}
    site.apply(ESTATE)
    assert site.plan(ESTATE).is_empty
    for project, machine in (("one", "a"), ("two", "b")):
        assert asked(site, project, machine, f"{mirror}/package") == "200 OK 700000\n"
    for closed in (
        "http://127.0.0.1:9/", "http://localhost/", "http://10.100.8.10/", "http://10.0.0.1/", "http://example.org/",
        *(f"http://{own}/" for own in own_addresses()),
    ):  # fmt: skip
        said = asked(site, "two", "b", closed)
        assert said.startswith("403 Freehold's lab: egress leads to this computer's package"), said
    assert "KeyError" in asked(site, "shut", "c", mirror)
    straight = "import socket; socket.create_connection(('203.0.113.9', 80), 5)"
    refused = site.inside("one", "a", "python3", "-c", straight)
    assert refused.returncode == 1, "the lab has no network of its own, as before"


def own_addresses() -> list[str]:
    """This machine's IPv4 addresses other than loopback."""
    listed = subprocess.run(
        ["ip", "-brief", "-4", "address", "show", "scope", "global"], capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return [word.partition("/")[0] for word in listed.split() if "/" in word]


@pytest.mark.slow
def test_it_is_back_after_a_restart_and_leaves_nothing_when_turned_off(
    site: InLab, mirror: str
) -> None:
    site.lab.start(egress=True)
    site.apply(ESTATE)
    site.lab.stop()
    site.lab.start()
    assert wait_for(lambda: asked(site, "one", "a", f"{mirror}/package") == "200 OK 700000\n")
    site.lab.start(egress=False)
    assert not asked(site, "one", "a", mirror).startswith("200")
    plan = site.plan(ESTATE)
    assert change_of(plan, "instance:one/a").impact is not Impact.RECREATE
    site.apply(ESTATE)
    assert site.plan(ESTATE).is_empty
    left = "find / -xdev -name '*lab-egress*'; find /dev -maxdepth 1 -name '*lab-egress*'; ss -Htln sport = 23128"
    assert site.done("one", "a", left) == ""
    config = site.instance("one", "one-a")["config"]
    assert not [key for key in config if key.startswith("environment.")]


@pytest.mark.slow
def test_apt_and_pip_install_from_this_machines_mirrors(site: InLab) -> None:
    site.lab.start(egress=True)
    site.apply(ESTATE)
    site.done("two", "b", "apt-get -qq update && apt-get -qqy install tree && tree --version")
    install = "apt-get -qq update && apt-get -qqy install --no-install-recommends git python3-venv"
    site.done("one", "a", install)
    site.done("one", "a", "python3 -m venv /opt/venv")
    # pip knows where its index is; no file of ours names it.
    asks = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"
    index = site.done("one", "a", f"/opt/venv/bin/python -c '{asks}'").strip()
    try:
        urllib.request.urlopen(f"{index}/six/", timeout=20).close()
    except OSError as error:
        pytest.skip(f"this machine itself reaches no package index: {error}")
    site.done(
        "one", "a", "/opt/venv/bin/pip install -q six && /opt/venv/bin/python -c 'import six'"
    )
    fetched = site.inside("one", "a", "git", "ls-remote", f"{index}/six/")
    assert "403" not in fetched.stderr, (
        "git gets through; that there is no repository is another matter"
    )
    assert "certificate" not in fetched.stderr
