"""Which servers pip's packages are on: told by a real pip, with an index and a file server on this machine's loopback."""

import ensurepip
import functools
import http.server
import importlib.util
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Thread

import pytest

from freehold.operations.lab.egress import indexes
from freehold.operations.lab.egress.indexes import package_servers


class Serve(http.server.SimpleHTTPRequestHandler):
    """Counts what it is asked."""

    requests = 0

    def log_request(self, code: object = "-", size: object = "-") -> None:
        type(self).requests += 1


def served(stack: ExitStack, folder: Path) -> int:
    """Serve a folder on loopback; the port."""
    folder.mkdir()
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Serve, directory=str(folder))
    )
    stack.enter_context(server)
    stack.callback(server.shutdown)
    Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str]]:
    """The addresses of an index that has pip alone, and of the server that it keeps the file on."""
    (wheel,) = (Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl")
    with ExitStack() as stack:
        index, files = (served(stack, tmp_path / name) for name in ("index", "files"))
        (tmp_path / "files" / wheel.name).symlink_to(wheel)
        (tmp_path / "index" / "pip").mkdir()
        link = f'<a href="http://localhost:{files}/{wheel.name}">{wheel.name}</a>'
        (tmp_path / "index" / "pip" / "index.html").write_text(f"<html><body>{link}</body></html>")
        monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
        monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{index}/")
        monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
        yield f"http://127.0.0.1:{index}/", f"http://localhost:{files}/"


@pytest.mark.parametrize("installed", [True, False])
def test_the_index_and_the_server_of_its_files(
    index: tuple[str, str], installed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not installed:
        find = importlib.util.find_spec
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name: None if name == "pip" else find(name)
        )
    cache = tmp_path / "cache"
    assert package_servers({"index-url": index[0]}, cache) == index
    before = Serve.requests
    assert package_servers({"index-url": index[0]}, cache) == index
    assert Serve.requests == before, "once a day is enough"
    monkeypatch.setattr(indexes, "KEPT_SECONDS", 0.0)
    assert package_servers({"index-url": index[0]}, cache) == index
    assert Serve.requests > before


def test_an_index_that_does_not_answer_is_asked_again_the_next_time(
    index: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/")
    monkeypatch.setenv("PIP_DEFAULT_TIMEOUT", "1")
    assert package_servers({"index-url": index[0]}, tmp_path) == index[:1]
    monkeypatch.setenv("PIP_INDEX_URL", index[0])
    assert package_servers({"index-url": index[0]}, tmp_path) == index


def test_passwords_are_not_kept(
    index: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = index[0].replace("://", "://me:secret@")
    monkeypatch.setenv("PIP_INDEX_URL", secret)
    package_servers({"index-url": secret}, tmp_path)
    assert "secret" not in (tmp_path / "package-servers.json").read_text()


def test_where_pip_is_missing_only_what_is_set_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexes, "_pip", lambda: None)
    assert package_servers({}, tmp_path) == ()
    assert package_servers({"extra-index-url": "https://a.example.org https://b.example.org"}, tmp_path) == (
        "https://a.example.org",
        "https://b.example.org",
    )  # fmt: skip
