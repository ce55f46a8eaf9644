"""What the doctor says of an Incus server: one that answers on a real socket, one that is not there."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from freehold.model import Infra
from freehold.operations.doctor import NotMeasured, Result, Subject, storage
from freehold.operations.doctor import server as checks
from freehold.operations.server_options import server_options
from tests.unit.operations.estates import estate
from tests.unit.operations.incus_server import deaf_socket, incus_server

pytestmark = pytest.mark.allow("connection")
GIB = 1024**3


@contextmanager
def subject(
    folder: Path,
    *,
    version: str = "6.0.4",
    auth: str = "trusted",
    driver: str = "lxc | qemu",
    extensions: tuple[str, ...] = checks.EXTENSIONS,
    pools: dict[str, Any] | None = None,
    infra: Infra | None = None,
) -> Iterator[Subject]:
    about = {
        "auth": auth,
        "api_extensions": extensions,
        "environment": {"server_version": version, "driver": driver},
    }
    path = folder / "incus.socket"
    with incus_server(path, {"/1.0": about, **(pools or {})}):
        yield Subject(socket=path, state=folder, root=folder, infra=infra)


def test_a_server_that_answers_is_fine(tmp_path: Path) -> None:
    with subject(tmp_path) as found:
        assert checks.reachable(found).result is Result.OK
        assert checks.version(found).result is Result.OK
        assert checks.extensions(found).result is Result.OK


def test_a_missing_socket_is_an_error_that_says_how_to_start(tmp_path: Path) -> None:
    found = checks.reachable(Subject(socket=tmp_path / "none", state=tmp_path))
    assert found.result is Result.ERROR
    assert "incus admin init" in (found.remedy or "")
    in_lab = checks.reachable(Subject(socket=tmp_path / "none", state=tmp_path, in_lab=True))
    assert "freehold lab start" in (in_lab.remedy or "")


def test_a_socket_without_a_daemon_is_an_error(tmp_path: Path) -> None:
    deaf_socket(tmp_path / "socket")
    found = checks.reachable(Subject(socket=tmp_path / "socket", state=tmp_path))
    assert found.result is Result.ERROR
    assert "Nobody answers" in found.detail


def test_without_a_server_nothing_else_is_measured(tmp_path: Path) -> None:
    with pytest.raises(NotMeasured):
        checks.version(Subject(socket=tmp_path / "none", state=tmp_path))


def test_a_server_that_does_not_trust_us_is_an_error(tmp_path: Path) -> None:
    with subject(tmp_path, auth="untrusted") as found:
        answer = checks.reachable(found)
    assert answer.result is Result.ERROR
    assert "incus-admin" in (answer.remedy or "")


@pytest.mark.parametrize(
    ("version", "result"),
    [("5.21", Result.ERROR), ("6.0", Result.OK), ("6.14", Result.OK), ("10.1.2", Result.OK)],
)
def test_versions_are_compared_as_numbers(version: str, result: Result, tmp_path: Path) -> None:
    with subject(tmp_path, version=version) as found:
        assert checks.version(found).result is result


def test_missing_extensions_are_named(tmp_path: Path) -> None:
    with subject(tmp_path, extensions=checks.EXTENSIONS[1:]) as found:
        answer = checks.extensions(found)
    assert answer.result is Result.ERROR
    assert checks.EXTENSIONS[0] in answer.detail


@pytest.mark.parametrize(("driver", "result"), [("btrfs", Result.OK), ("dir", Result.WARNING)])
def test_slow_storage_is_a_warning(driver: str, result: Result, tmp_path: Path) -> None:
    with subject(tmp_path, pools={"/1.0/storage-pools/default": {"driver": driver}}) as found:
        assert storage.pool(found).result is result


def test_the_estates_own_pool_is_looked_for(tmp_path: Path) -> None:
    infra = replace(estate([1]), storage="fast")
    with subject(tmp_path, pools={"/1.0/storage-pools/default": {"driver": "zfs"}}) as found:
        answer = storage.pool(replace(found, infra=infra))
    assert answer.result is Result.ERROR
    assert "'fast'" in answer.detail


@pytest.mark.parametrize(
    ("free", "result"),
    [(GIB // 2, Result.ERROR), (5 * GIB, Result.WARNING), (50 * GIB, Result.OK)],
)
def test_space_is_compared_with_what_the_estate_may_take(
    free: int, result: Result, tmp_path: Path
) -> None:
    space = {"space": {"total": 100 * GIB, "used": 100 * GIB - free}}
    pools = {"/1.0/storage-pools/default/resources": space}
    with subject(tmp_path, pools=pools, infra=estate([6])) as found:
        assert storage.space(found).result is result


def test_options_are_asked_from_the_server(tmp_path: Path) -> None:
    keys: dict[str, Any] = {"configs": {"instance": {"boot": {"keys": [{"boot.autostart": {}}]}}}}
    with subject(tmp_path, pools={"/1.0/metadata/configuration": keys}) as found:
        known = server_options(found.socket)
    assert known is not None
    assert known.is_known("boot.autostart")
    assert not known.is_known("boot.autostrat")


def test_without_a_server_no_options_are_known(tmp_path: Path) -> None:
    assert server_options(tmp_path / "none") is None
    deaf_socket(tmp_path / "socket")
    assert server_options(tmp_path / "socket") is None


def test_a_server_that_does_not_say_is_no_problem(tmp_path: Path) -> None:
    with subject(tmp_path) as found:
        assert server_options(found.socket) is None
