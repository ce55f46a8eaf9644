"""Files of the user's, written by several at once."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from freehold.system import kept_files


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_files_of_a_new_folder_written_at_once_belong_to_its_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.chown(tmp_path, 12345, 54321)
    give = os.chown

    def late(*arguments: Any) -> None:
        time.sleep(0.05)
        give(*arguments)

    monkeypatch.setattr(os, "chown", late)
    names = [f"group_vars/{name}.yml" for name in ("all", "home", "lodge", "mill")]
    with ThreadPoolExecutor(len(names)) as threads:
        list(threads.map(lambda name: kept_files.write(tmp_path, name, b"---\n"), names))
    owners = {(path.stat().st_uid, path.stat().st_gid) for path in tmp_path.rglob("*")}
    assert owners == {(12345, 54321)}
    assert sorted(path.name for path in (tmp_path / "group_vars").iterdir()) == [
        "all.yml", "home.yml", "lodge.yml", "mill.yml",
    ]  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["group_vars"]
