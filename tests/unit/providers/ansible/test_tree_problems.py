"""What is in the way of the Ansible tree is told with its place and a command, and nothing is changed by it."""

import errno
import os
from pathlib import Path

import pytest

from freehold.diagnostics import Severity
from freehold.engine.execute import Status
from freehold.providers.ansible.managed import BEGIN, END
from tests.unit.providers.ansible.estates import (
    INFRA,
    WEB,
    codes,
    contents,
    edit,
    estate,
    planned,
    synced,
)


@pytest.mark.allow("process")
def test_a_file_that_is_not_ours_stops_the_plan_and_says_how_to_share_it(tmp_path: Path) -> None:
    infra = estate(tmp_path)
    (tmp_path / "group_vars").mkdir()
    (tmp_path / WEB).write_text("mine: 1")
    plan = planned(tmp_path, infra)
    assert not plan.can_apply
    (problem,) = plan.diagnostics
    assert problem.code == "not-ours"
    assert problem.hint is not None
    command = problem.hint.splitlines()[-1].strip()
    assert os.system(command) == 0  # as typed
    synced(tmp_path, infra)
    text = (tmp_path / WEB).read_text()
    assert text.startswith("mine: 1\n# >>> freehold >>>\nfreehold_domain: web\n")
    assert planned(tmp_path, infra).is_empty


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (END, "", 4),
        (BEGIN, BEGIN[:-4], 4),
        (END, f"{END}\n{END}", 11),
        (BEGIN, f"{END}\n{BEGIN}", 4),
    ],
)
def test_a_damaged_mark_is_told_with_file_and_line_and_nothing_is_written(
    tmp_path: Path, old: str, new: str, line: int
) -> None:
    synced(tmp_path, estate(tmp_path))
    edit(tmp_path / WEB, old, new)
    before = contents(tmp_path)
    infra = estate(tmp_path, INFRA.replace("hello", "salut").replace("hunter2", "swordfish"))
    plan = planned(tmp_path, infra)
    assert not plan.can_apply
    (problem,) = plan.diagnostics
    assert problem.code == "damaged-mark"
    assert problem.source is not None
    assert (problem.source.file, problem.source.line) == (str(tmp_path / WEB), line)
    before["infra.yml"] = (tmp_path / "infra.yml").read_bytes()
    assert contents(tmp_path) == before


def test_a_variable_that_the_user_sets_too_is_told_by_line(tmp_path: Path) -> None:
    infra = estate(tmp_path)
    synced(tmp_path, infra)
    path = tmp_path / WEB
    edit(path, "---\n", '---\n"api_key": above\nfreehold_trustee: fine\n')
    path.write_text(path.read_text() + "freehold_trust: below\n  api_key: indented\n")
    plan = planned(tmp_path, infra)
    assert plan.is_empty
    assert [(d.code, d.severity, d.source and d.source.line) for d in plan.diagnostics] == [
        ("set-twice", Severity.WARNING, 2),
        ("set-twice", Severity.WARNING, 13),
    ]
    assert "Freehold's" in plan.diagnostics[0].detail
    assert "your line" in plan.diagnostics[1].detail
    assert "above" not in repr(plan.diagnostics)


def test_a_setting_that_ansible_would_refuse_to_read_twice_is_an_error(tmp_path: Path) -> None:
    infra = estate(tmp_path)
    synced(tmp_path, infra)
    path = tmp_path / "ansible.cfg"
    before = path.read_text()
    path.write_text(f"{before}forks = 20\n[ssh_connection]\nretries = 3\n")
    assert planned(tmp_path, infra).diagnostics == ()
    for more in ("gathering = explicit\n", "[defaults]\nforks = 20\n"):
        path.write_text(before + more)
        plan = planned(tmp_path, infra)
        assert codes(plan) == ["set-twice"]
        assert not plan.can_apply


@pytest.mark.allow("process")
@pytest.mark.parametrize(
    "name", ["group_vars/web", "group_vars/web/vault.yml", "host_vars/web-app"]
)
def test_what_would_hide_our_variables_from_ansible_is_an_error(tmp_path: Path, name: str) -> None:
    infra = estate(tmp_path)
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_text("a: 1\n")
    plan = planned(tmp_path, infra)
    assert codes(plan) == ["variables-hidden"]
    command = str(plan.diagnostics[0].hint).splitlines()[-1].strip()
    assert os.system(command) == 0  # as typed
    assert planned(tmp_path, infra).can_apply


def test_a_folder_in_the_place_of_a_file(tmp_path: Path) -> None:
    infra = estate(tmp_path)
    (tmp_path / "site.yml").mkdir()
    (tmp_path / "host_vars").write_text("a file")
    before = contents(tmp_path)
    plan = planned(tmp_path, infra)
    assert set(codes(plan)) == {"unusable-file"}
    assert not plan.can_apply
    assert contents(tmp_path) == before


def test_links_are_followed_inside_of_the_folder_only(tmp_path: Path) -> None:
    folder, outside = tmp_path / "estate", tmp_path / "outside.yml"
    (folder / "group_vars").mkdir(parents=True)
    (folder / "shared").mkdir()
    outside.write_text(f"{BEGIN}\n{END}\n")
    (folder / WEB).symlink_to("../shared/web.yml")
    (folder / "group_vars/all.yml").symlink_to(outside)
    (folder / "host_vars").symlink_to(tmp_path)
    infra = estate(folder)
    plan = planned(folder, infra)
    found = {Path(d.source.file).name: d.detail for d in plan.diagnostics if d.source}
    assert "leads out" in found["all.yml"]
    assert "leads nowhere" in found["web.yml"]
    (folder / "group_vars/all.yml").unlink()
    (folder / "host_vars").unlink()
    (folder / "shared/web.yml").write_text(f"{BEGIN}\n{END}\nmine: 1\n")
    synced(folder, infra)
    assert (folder / WEB).is_symlink()
    assert "freehold_domain: web" in (folder / "shared/web.yml").read_text()
    assert outside.read_text() == f"{BEGIN}\n{END}\n"
    assert not (tmp_path / "web-app.yml").exists()


def test_nothing_is_written_through_a_folder_that_leads_out(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "estate", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    (folder / "host_vars").symlink_to(elsewhere)
    plan = planned(folder, estate(folder))
    assert not plan.can_apply
    assert set(codes(plan)) == {"unusable-file"}


def test_a_read_only_file_is_told_only_when_it_is_to_change(tmp_path: Path) -> None:
    infra = estate(tmp_path)
    synced(tmp_path, infra)
    (tmp_path / WEB).chmod(0o444)
    assert planned(tmp_path, infra).diagnostics == ()
    plan = planned(tmp_path, estate(tmp_path, INFRA.replace("hunter2", "swordfish")))
    assert codes(plan) == ["cannot-write"]
    assert not plan.can_apply


def test_a_full_disk_leaves_every_file_as_it_was_or_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced(tmp_path, estate(tmp_path))
    before = contents(tmp_path)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    infra = estate(tmp_path, INFRA.replace("hunter2", "swordfish").replace("hello", "salut"))
    before["infra.yml"] = (tmp_path / "infra.yml").read_bytes()
    result = synced(tmp_path, infra)
    assert [outcome.diagnostics[0].code for outcome in result.of(Status.FAILED)] == [
        "cannot-write",
        "cannot-write",
    ]
    assert "No space left" in result.of(Status.FAILED)[0].diagnostics[0].detail
    assert contents(tmp_path) == before  # and no temporary file either
