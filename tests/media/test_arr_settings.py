"""What Radarr, Sonarr and Prowlarr are told by their API: the catalog's own script against a server that keeps what it is told."""

import http.server
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from freehold.config.catalog.catalog import built_in_folder

SCRIPT = built_in_folder() / "files" / "arr_settings.sh"
KEY, PASSWORD = "k3y" * 8, 'pa"ss word'

pytestmark = pytest.mark.skipif(not (shutil.which("jq") and shutil.which("curl")), reason="needs jq and curl")  # fmt: skip


@dataclass
class Arr:
    """As far as the script talks to one."""

    url: str = ""
    keys: set[str] = field(default_factory=set)
    folders: list[dict[str, Any]] = field(default_factory=list)
    media: dict[str, Any] = field(default_factory=lambda: {"id": 1, "minimumFreeSpaceWhenImporting": 100, "other": "stays"})  # fmt: skip
    clients: list[dict[str, Any]] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    tried: list[dict[str, Any]] = field(default_factory=list)
    finds: list[dict[str, Any]] = field(default_factory=list)
    """What it has to say of a client that it tries."""

    def get(self, path: str) -> Any:
        template = {"id": 0, "implementation": "QBittorrent", "name": "", "enable": False, "fields": [{"name": each, "value": None} for each in ("host", "port", "username", "password", "movieCategory")]}  # fmt: skip
        other = {**template, "implementation": "Another"}
        return {
            "/rootfolder": self.folders,
            "/config/mediamanagement": self.media,
            "/downloadclient": self.clients,
            "/downloadclient/schema": [other, template],
        }[path]

    def take(self, method: str, path: str, value: Any) -> tuple[int, Any]:
        if path == "/downloadclient/test?forceTest=true":
            return self.test(value)
        self.changes.append(f"{method} {path}")
        if path == "/rootfolder":
            self.folders.append(value)
        elif path.startswith("/config"):
            self.media = value
        elif method == "POST":
            assert "id" not in value
            self.clients.append({**value, "id": 7})
        else:
            assert path == "/downloadclient/7?forceSave=true"
            self.clients[:] = [value]
        return 201, {**value, "id": 7}

    def test(self, value: Any) -> tuple[int, Any]:
        """It refuses a second one of the name, before anything else."""
        self.tried.append(value)
        if any(
            each["name"] == value["name"] and each["id"] != value.get("id") for each in self.clients
        ):
            return 400, [{"propertyName": "Name", "errorMessage": "Should be unique"}]
        return (400, self.finds) if self.finds else (200, {})


@pytest.fixture
def arr() -> Iterator[Arr]:
    arr = Arr()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(200, arr.get(self.path))

        def do_POST(self) -> None:
            value = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.answer(*arr.take(self.command, self.path, value))

        do_PUT = do_POST  # noqa: N815

        def answer(self, code: int, value: Any) -> None:
            arr.keys.add(self.headers["X-Api-Key"])
            body = json.dumps(value).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    arr.url = f"http://127.0.0.1:{server.server_port}"
    yield arr
    server.shutdown()
    server.server_close()


def run(place: Path, arr: Arr, **more: Any) -> "subprocess.CompletedProcess[str]":
    (place / "key").write_text(KEY)
    (place / "password").write_text(PASSWORD + "\n")
    client = {
        "kind": "downloadclient",
        "implementation": "QBittorrent",
        "name": "qBittorrent",
        "properties": {"enable": True},
        "fields": {"host": "vpn", "port": 8080, "username": "admin", "movieCategory": "films"},
        "secret": "password",
        "secret_file": str(place / "password"),
    }
    wanted = {"url": arr.url, "key_file": str(place / "key"), "folder": str(place), "keep_free": 10, "entries": [client], **more}  # fmt: skip
    (place / "arr.json").write_text(json.dumps(wanted))
    return subprocess.run(["bash", str(SCRIPT), str(place / "arr.json")], capture_output=True, text=True, check=False)  # fmt: skip


def test_it_has_a_folder_free_space_and_somebody_who_downloads(tmp_path: Path, arr: Arr) -> None:
    done = run(tmp_path, arr)
    assert done.returncode == 0, done
    assert arr.folders == [{"path": str(tmp_path)}]
    disk = shutil.disk_usage(tmp_path)
    reserved = disk.total - disk.used - disk.free
    wanted = max(100, (disk.total / 10 - reserved) / 2**20)
    assert arr.media["minimumFreeSpaceWhenImporting"] == pytest.approx(wanted, abs=2)
    assert arr.media["copyUsingHardlinks"] is True
    assert arr.media["other"] == "stays"
    [client] = arr.clients
    assert (client["name"], client["enable"]) == ("qBittorrent", True)
    given = {each["name"]: each["value"] for each in client["fields"]}
    assert given == {"host": "vpn", "port": 8080, "username": "admin", "password": PASSWORD, "movieCategory": "films"}  # fmt: skip
    assert arr.tried == [{**client, "id": 7}], "as it is kept, password and all"
    assert arr.keys == {KEY}
    assert not {KEY, PASSWORD} & {*done.stdout.split("\n"), *done.stderr.split("\n")}


@pytest.mark.parametrize(("keep_free", "asked"), [(20, 50_000), (10, 100)])
def test_what_is_reserved_for_root_is_free_already(
    tmp_path: Path, arr: Arr, monkeypatch: pytest.MonkeyPatch, keep_free: int, asked: int
) -> None:
    """Of 1000 GB 150 are root's, and 100 used: whoever may fill 750 has 200 left free when he leaves 50."""
    df = tmp_path / "bin" / "df"
    df.parent.mkdir()
    df.write_text("#!/bin/sh\necho Filesystem\necho /dev/sda1 1000000 100000 750000 12% /media\n")
    df.chmod(0o755)
    monkeypatch.setenv("PATH", f"{df.parent}:{os.environ['PATH']}")
    assert run(tmp_path, arr, keep_free=keep_free).returncode == 0
    assert arr.media["minimumFreeSpaceWhenImporting"] == asked


def test_a_second_time_nothing_is_added(tmp_path: Path, arr: Arr) -> None:
    run(tmp_path, arr)
    arr.changes.clear()
    assert run(tmp_path, arr).returncode == 0
    assert arr.changes == ["PUT /config/mediamanagement/1", "PUT /downloadclient/7?forceSave=true"]
    assert (len(arr.folders), len(arr.clients)) == (1, 1)


def test_without_a_folder_and_others_nothing_is_asked(tmp_path: Path, arr: Arr) -> None:
    assert run(tmp_path, arr, folder=None, entries=[]).returncode == 0
    assert arr.changes == []


def test_a_program_that_refuses_is_told(tmp_path: Path, arr: Arr) -> None:
    done = run(tmp_path, arr, url="http://127.0.0.1:1")
    assert done.returncode != 0


REFUSED = {"isWarning": False, "propertyName": "Username", "errorMessage": "Authentication failure", "attemptedValue": PASSWORD}  # fmt: skip
WARNS = {"isWarning": True, "propertyName": "", "errorMessage": "Torrents are removed too soon"}


@pytest.mark.parametrize("again", [False, True], ids=["the first time", "once it is there"])
def test_a_client_that_cannot_be_used_fails_it_and_says_why(
    tmp_path: Path, arr: Arr, again: bool
) -> None:
    """Such as a qBittorrent of a version whose answers the program does not understand."""
    if again:
        assert run(tmp_path, arr).returncode == 0
    arr.finds = [REFUSED, WARNS]
    done = run(tmp_path, arr)
    assert done.returncode != 0
    assert "qBittorrent cannot be used: Authentication failure\n" in done.stderr
    assert "removed too soon" not in done.stderr
    assert PASSWORD not in done.stdout + done.stderr
    assert [each["name"] for each in arr.clients] == ["qBittorrent"], "what it was told stays"


def test_what_it_only_warns_of_fails_nothing(tmp_path: Path, arr: Arr) -> None:
    arr.finds = [WARNS]
    assert run(tmp_path, arr).returncode == 0


def test_an_answer_that_says_nothing_is_no_success(tmp_path: Path, arr: Arr) -> None:
    arr.finds = {"message": "an error within"}  # type: ignore[assignment]
    done = run(tmp_path, arr)
    assert done.returncode != 0
    assert "qBittorrent cannot be used: no answer" in done.stderr
