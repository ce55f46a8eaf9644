"""The Ansible tree as files that Freehold shares with the user: written where it must, kept where it may."""

import asyncio
import os
import stat
from pathlib import Path

import pytest

from freehold.engine.execute import Status
from freehold.engine.run import run
from freehold.planning.change import Action
from freehold.planning.document import plan_document
from freehold.planning.plan import Plan
from freehold.providers.ansible.managed import END
from freehold.providers.ansible.site import SETTINGS
from freehold.providers.ansible.tree_look import desired_texts
from tests.unit.providers.ansible.estates import (
    INFRA,
    OLD_DOMAIN,
    WEB,
    codes,
    contents,
    edit,
    estate,
    planned,
    planner,
    synced,
)

ALL = {
    "ansible.cfg", "requirements.yml", "site.yml", "snapshot.yml", "inventory/hosts.yml", "group_vars/all.yml", WEB,
    "host_vars/web-app.yml", "host_vars/web-cache.yml",
}  # fmt: skip


def changed(plan: Plan) -> dict[str, Action]:
    return {change.address.name: change.action for change in plan.changes}


def test_the_tree_is_written_once(tmp_path: Path) -> None:
    infra = estate(tmp_path)
    assert changed(planned(tmp_path, infra)) == dict.fromkeys(ALL, Action.CREATE)
    assert len(synced(tmp_path, infra).of(Status.DONE)) == len(ALL)
    before = contents(tmp_path)
    assert before.keys() == {"infra.yml", *ALL}
    plan = planned(tmp_path, infra)
    assert plan.is_empty
    assert plan.unchanged == len(ALL)
    assert contents(tmp_path) == before


def test_the_wanted_texts_are_what_is_written_with_the_users_part(tmp_path: Path) -> None:
    infra = estate(tmp_path)
    wanted = desired_texts(infra, tmp_path)
    synced(tmp_path, infra)
    assert {name: text.encode() for name, text in wanted.items()} == {
        name: content for name, content in contents(tmp_path).items() if name != "infra.yml"
    }
    (tmp_path / WEB).write_bytes((tmp_path / WEB).read_bytes() + b"mine: 1\r\n")
    assert desired_texts(infra, tmp_path)[WEB].endswith(f"{END}\nmine: 1\r\n")


def test_a_change_of_one_variable_touches_one_file_and_shows_no_value(tmp_path: Path) -> None:
    synced(tmp_path, estate(tmp_path))
    infra = estate(tmp_path, INFRA.replace("hunter2", "swordfish"))
    plan = planned(tmp_path, infra)
    assert changed(plan) == {WEB: Action.UPDATE}
    assert [field.path for field in plan.changes[0].fields] == ["variables.api_key"]
    shown = repr(plan_document(plan)) + repr(plan)
    assert "hunter2" not in shown
    assert "swordfish" not in shown
    synced(tmp_path, infra)
    assert "api_key: swordfish\n" in (tmp_path / WEB).read_text()
    assert planned(tmp_path, infra).is_empty


def test_what_infra_yml_says_openly_is_shown_openly(tmp_path: Path) -> None:
    synced(tmp_path, estate(tmp_path))
    plan = planned(tmp_path, estate(tmp_path, INFRA.replace("apt: [git]", "apt: [git, nano]")))
    (change,) = plan.changes
    (field,) = change.fields
    assert (field.path, field.before, field.after) == (
        "variables.provision_apt",
        ["git"],
        ["git", "nano"],
    )


def test_the_users_lines_stay_where_they_are(tmp_path: Path) -> None:
    synced(tmp_path, estate(tmp_path))
    path = tmp_path / WEB
    path.write_bytes(
        path.read_bytes()
        .replace(b"---\n", b"\xef\xbb\xbf---\r\n# mine  \r\nown: [1,\t2]\r\n\r\n")
        .replace(END.encode() + b"\n", END.encode() + b"   \nlast: 'no newline'")
    )
    before = path.read_bytes()
    infra = estate(tmp_path, INFRA.replace("hunter2", "swordfish"))
    synced(tmp_path, infra)
    assert path.read_bytes() == before.replace(b"hunter2", b"swordfish")
    assert planned(tmp_path, infra).is_empty


def test_a_file_with_the_line_ends_of_windows_keeps_them(tmp_path: Path) -> None:
    infra = estate(tmp_path)
    synced(tmp_path, infra)
    path = tmp_path / WEB
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert planned(tmp_path, infra).is_empty
    infra = estate(tmp_path, INFRA.replace("trust: trusted", "trust: untrusted"))
    synced(tmp_path, infra)
    content = path.read_bytes()
    assert b"freehold_trust: untrusted\r\n" in content
    assert content.count(b"\n") == content.count(b"\r\n")


def test_what_is_edited_between_the_marks_is_put_right(tmp_path: Path) -> None:
    infra = estate(tmp_path)
    synced(tmp_path, infra)
    before = contents(tmp_path)
    edit(tmp_path / WEB, "freehold_trust: trusted", "freehold_trust: admin  # ha")
    edit(tmp_path / "site.yml", "gather_facts: false", "gather_facts: no")
    edit(tmp_path / "group_vars/all.yml", "greeting: hello", "greeting: {hello")
    edit(tmp_path / "ansible.cfg", "[defaults]", "[defaults")
    plan = planned(tmp_path, infra)
    assert {c.address.name: [f.path for f in c.fields] for c in plan.changes} == {
        "ansible.cfg": [f"settings.{name}" for name in sorted(SETTINGS)],
        "group_vars/all.yml": ["variables.freehold_estate", "variables.greeting"],
        WEB: ["variables.freehold_trust"],
        "site.yml": ["managed.text"],
    }
    synced(tmp_path, infra)
    assert contents(tmp_path) == before


def test_a_domain_that_comes_brings_files_and_one_that_goes_leaves_orphans(tmp_path: Path) -> None:
    synced(tmp_path, estate(tmp_path))
    more = estate(tmp_path, INFRA + OLD_DOMAIN)
    assert changed(planned(tmp_path, more)) == {
        "group_vars/old.yml": Action.CREATE,
        "host_vars/old-box.yml": Action.CREATE,
        "inventory/hosts.yml": Action.UPDATE,
    }
    synced(tmp_path, more)
    less = estate(tmp_path)
    synced(tmp_path, less)
    plan = planned(tmp_path, less)
    assert plan.is_empty
    assert [orphan.address.name for orphan in plan.orphans] == [
        "group_vars/old.yml",
        "host_vars/old-box.yml",
    ]
    synced(tmp_path, less, prune=True)
    assert contents(tmp_path).keys() == {"infra.yml", *ALL}
    assert planned(tmp_path, less).orphans == ()


def test_an_orphan_with_lines_of_the_users_is_kept(tmp_path: Path) -> None:
    synced(tmp_path, estate(tmp_path, INFRA + OLD_DOMAIN))
    kept = tmp_path / "group_vars/old.yml"
    kept.write_text(kept.read_text() + "mine: 1\n")
    infra = estate(tmp_path)
    plan = planned(tmp_path, infra, prune=True)
    assert changed(plan)["host_vars/old-box.yml"] is Action.DELETE
    assert codes(plan) == ["protected-orphan"]
    assert plan.can_apply
    assert f"rm {kept}" in str(plan.diagnostics[0].hint)
    before = kept.read_bytes()
    synced(tmp_path, infra, prune=True)
    assert kept.read_bytes() == before
    assert not (tmp_path / "host_vars/old-box.yml").exists()


def test_files_of_the_users_beside_ours_are_never_orphans(tmp_path: Path) -> None:
    infra = estate(tmp_path)
    synced(tmp_path, infra)
    (tmp_path / "group_vars/mine.yml").write_text("a: 1\n")
    (tmp_path / "host_vars/binary.yml").write_bytes(b"\xff\xfe")
    (tmp_path / "group_vars/folder.yml").mkdir()
    (tmp_path / "group_vars/out.yml").symlink_to("/etc/hostname")
    plan = planned(tmp_path, infra, prune=True)
    assert (plan.is_empty, plan.orphans, plan.diagnostics) == (True, (), ())


def test_permissions_and_owner_of_a_file_stay(tmp_path: Path) -> None:
    synced(tmp_path, estate(tmp_path))
    path = tmp_path / WEB
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, 12345, 54321)
    synced(tmp_path, estate(tmp_path, INFRA.replace("hunter2", "swordfish")))
    status = path.stat()
    assert stat.S_IMODE(status.st_mode) == 0o640
    if os.geteuid() == 0:
        assert (status.st_uid, status.st_gid) == (12345, 54321)
    assert sorted(each.name for each in path.parent.iterdir()) == ["all.yml", "web.yml"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_makes_belongs_to_whom_the_folder_belongs(tmp_path: Path) -> None:
    infra = estate(tmp_path)
    os.chown(tmp_path, 12345, 54321)
    synced(tmp_path, infra)
    for name in ("site.yml", "group_vars", WEB):
        status = (tmp_path / name).stat()
        assert (status.st_uid, status.st_gid) == (12345, 54321), name


def test_who_edits_between_plan_and_write_loses_nothing(tmp_path: Path) -> None:
    synced(tmp_path, estate(tmp_path))
    infra = estate(tmp_path, INFRA.replace("hunter2", "swordfish"))

    async def work() -> None:
        at_work = planner(tmp_path, infra)
        plan = (await at_work.look()).plan
        path = tmp_path / WEB
        path.write_text(path.read_text() + "late: 1\n")
        await run(at_work, plan, lambda event: None, asyncio.Event())

    asyncio.run(work())
    text = (tmp_path / WEB).read_text()
    assert "api_key: swordfish" in text
    assert text.endswith("late: 1\n")


def test_the_tree_is_looked_after_when_something_goes_inside_or_it_is_there(tmp_path: Path) -> None:
    bare = INFRA.replace("apt: [git], roles: [base_system]", "")
    assert planned(tmp_path, estate(tmp_path), always=False).changes
    assert not planned(tmp_path, estate(tmp_path, bare), always=False).changes
    synced(tmp_path, estate(tmp_path, bare))
    edit(tmp_path / WEB, "freehold_domain: web", "freehold_domain: other")
    assert changed(planned(tmp_path, estate(tmp_path, bare), always=False)) == {WEB: Action.UPDATE}
    (tmp_path / "site.yml").write_text("- hosts: all\n")  # the user's own
    plan = planned(tmp_path, estate(tmp_path, bare), always=False)
    assert (plan.changes, plan.diagnostics) == ((), ())
