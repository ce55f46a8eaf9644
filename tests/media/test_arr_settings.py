"""What Radarr, Sonarr and Prowlarr are told by their API: the catalog's own script against a server that keeps what it is told."""

import http.server
import json
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

    def get(self, path: str) -> Any:
        template = {"id": 0, "implementation": "QBittorrent", "name": "", "enable": False, "fields": [{"name": each, "value": None} for each in ("host", "port", "username", "password", "movieCategory")]}  # fmt: skip
        other = {**template, "implementation": "Another"}
        return {
            "/rootfolder": self.folders,
            "/config/mediamanagement": self.media,
            "/downloadclient": self.clients,
            "/downloadclient/schema": [other, template],
        }[path]

    def take(self, method: str, path: str, value: Any) -> None:
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


@pytest.fixture
def arr() -> Iterator[Arr]:
    arr = Arr()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(arr.get(self.path))

        def do_POST(self) -> None:
            arr.take(self.command, self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"]))))  # fmt: skip
            self.answer({})

        do_PUT = do_POST  # noqa: N815

        def answer(self, value: Any) -> None:
            arr.keys.add(self.headers["X-Api-Key"])
            body = json.dumps(value).encode()
            self.send_response(200)
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
    disk = shutil.disk_usage(tmp_path).total >> 20
    assert arr.media["minimumFreeSpaceWhenImporting"] == pytest.approx(disk / 10, rel=0.01)
    assert arr.media["copyUsingHardlinks"] is True
    assert arr.media["other"] == "stays"
    [client] = arr.clients
    assert (client["name"], client["enable"]) == ("qBittorrent", True)
    given = {each["name"]: each["value"] for each in client["fields"]}
    assert given == {"host": "vpn", "port": 8080, "username": "admin", "password": PASSWORD, "movieCategory": "films"}  # fmt: skip
    assert arr.keys == {KEY}
    assert not {KEY, PASSWORD} & {*done.stdout.split("\n"), *done.stderr.split("\n")}


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
