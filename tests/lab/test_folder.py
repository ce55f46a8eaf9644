"""What needs no lab: paths, refusals, the machine's limits."""

import os
from pathlib import Path

import pytest

from freehold.diagnostics import BackendError, UsageError
from freehold.operations.lab import Lab, checks
from freehold.operations.lab.layout import default_cache, default_root, layout
from freehold.operations.lab.limits import Registry


def test_the_folder_is_given_by_argument_then_variable_then_custom() -> None:
    assert default_root({"FREEHOLD_LAB": "/srv/lab"}) == Path("/srv/lab")
    assert default_root({}) == Path("/var/lib/freehold/lab")
    assert default_cache({"FREEHOLD_CACHE": "/srv/images"}) == Path("/srv/images")
    assert Lab(Path("/srv/other")).socket == Path("/srv/other/incus/unix.socket")


def test_labs_do_not_share_a_cgroup() -> None:
    assert layout(Path("/srv/a")).cgroup != layout(Path("/srv/b")).cgroup


def test_a_path_too_long_for_a_socket_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    root = tmp_path / ("x" * 100)
    with pytest.raises(UsageError, match="107 bytes"):
        Lab(root)
    assert not root.exists()


def test_without_root_it_says_sudo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(BackendError) as caught:
        Lab(Path("/tmp/fh-nobody")).start()
    assert "sudo" in (caught.value.diagnostics[0].hint or "")
    assert not Path("/tmp/fh-nobody").exists()


def test_missing_programs_are_named_by_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(
        checks, "find_program", lambda name, also=(): None if name == "nft" else Path("/bin") / name
    )
    monkeypatch.setattr(checks, "daemon_program", lambda: None)
    (problem,) = checks.refusals()
    assert "incus-base, nftables" in problem.detail
    assert "scripts/prerequisites" in (problem.hint or "")


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    for name, value in (("fs/inotify/max_user_instances", 128), ("kernel/keys/maxkeys", 50000)):
        setting = tmp_path / "sys" / name
        setting.parent.mkdir(parents=True)
        setting.write_text(f"{value}\n")
    return Registry(tmp_path / "run" / "limits.json", tmp_path / "sys")


def instances(registry: Registry) -> int:
    return int((registry.settings / "fs/inotify/max_user_instances").read_text())


def test_low_limits_are_raised_told_and_put_back(registry: Registry) -> None:
    (notice,) = registry.raise_for("/srv/a", os.getpid())
    assert "fs.inotify.max_user_instances from 128 to 1024" in notice
    assert instances(registry) == 1024
    registry.release("/srv/a", lambda lab: False)
    assert instances(registry) == 128
    assert int((registry.settings / "kernel/keys/maxkeys").read_text()) == 50000


def test_the_last_lab_puts_them_back(registry: Registry) -> None:
    registry.raise_for("/srv/a", os.getpid())
    assert registry.raise_for("/srv/b", os.getpid()) == ()
    registry.release("/srv/a", lambda lab: True)
    assert instances(registry) == 1024
    registry.release("/srv/b", lambda lab: False)
    assert instances(registry) == 128


def test_labs_that_died_do_not_hold_them(registry: Registry) -> None:
    registry.raise_for("/srv/died", starter_that_has_ended())
    registry.raise_for("/srv/b", os.getpid())
    registry.release("/srv/b", lambda lab: False)
    assert instances(registry) == 128


def test_what_somebody_else_has_set_meanwhile_stays(registry: Registry) -> None:
    registry.raise_for("/srv/a", os.getpid())
    (registry.settings / "fs/inotify/max_user_instances").write_text("8192\n")
    registry.release("/srv/a", lambda lab: False)
    assert instances(registry) == 8192


def starter_that_has_ended() -> int:
    child = os.spawnlp(os.P_NOWAIT, "true", "true")
    os.waitpid(child, 0)
    return child
