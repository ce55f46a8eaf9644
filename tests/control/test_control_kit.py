"""What goes into a control machine: Freehold as a wheel that pip takes, and the estate's folder without what is hidden."""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

import freehold
from freehold.system.control_kit import wheel
from freehold.system.control_kit.estate import TooLarge, make_archive
from freehold.system.control_kit.versions import constraints
from freehold.system.host_agent.charge import code_digest

SOURCE = Path(freehold.__file__).parent


@pytest.mark.lab
def test_pip_installs_the_same_freehold(tmp_path: Path) -> None:
    made = wheel.make_wheel(tmp_path)
    target = tmp_path / "target"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    subprocess.run([*pip, "--no-deps", "--no-index", "--target", target, made], check=True)
    assert code_digest(target / "freehold") == code_digest(SOURCE)
    roles = target / "ansible_collections/freehold/estate/roles"
    assert (roles / "control/tasks/main.yml").is_file()
    assert (target / "bin/freehold").is_file()
    asked = "import freehold.cli.main as m, sys; sys.exit(not m.__file__.startswith(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", asked, str(target)], env={"PYTHONPATH": str(target)}, check=False
    )
    assert done.returncode == 0
    [notes] = metadata.distributions(name="freehold", path=[str(target)])
    assert notes.version in made.name
    assert notes.requires == metadata.requires("freehold")


def test_pip_sees_by_the_version_whether_it_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = wheel.make_wheel(tmp_path)
    content = first.read_bytes()
    assert wheel.make_wheel(tmp_path) == first
    assert first.read_bytes() == content, "the same to the byte"

    copy = tmp_path / "copy/freehold"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "__init__.py").write_text("# changed\n")
    monkeypatch.setattr(freehold, "__file__", str(copy / "__init__.py"))
    changed = wheel.make_wheel(tmp_path)
    assert changed != first
    assert changed.name.startswith(f"freehold-{freehold.__version__}+c")


def test_the_record_lists_every_file_of_the_wheel(tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel.make_wheel(tmp_path)) as archive:
        names = archive.namelist()
        [record] = [name for name in names if name.endswith("/RECORD")]
        listed = [line.rsplit(",", 2)[0] for line in archive.read(record).decode().splitlines()]
    assert sorted(listed) == sorted(names)
    assert not [name for name in names if "__pycache__" in name]


def test_versions_are_those_that_run_here_of_all_that_is_needed() -> None:
    lines = dict(line.split("==") for line in constraints("freehold").splitlines())
    assert lines["ansible-core"] == metadata.version("ansible-core")
    assert lines["aiohttp"] == metadata.version("aiohttp")
    assert "yarl" in lines, "aiohttp needs it"
    assert not {"freehold", "pytest", "ruff"} & lines.keys()


def test_the_archive_has_the_folder_without_what_is_hidden(tmp_path: Path) -> None:
    estate = tmp_path / "estate"
    for name in ("infra.yml", "roles/mine/tasks/main.yml", ".git/config", ".freehold/lock", ".env"):
        (estate / name).parent.mkdir(parents=True, exist_ok=True)
        (estate / name).write_text("x")
    (estate / "files").mkdir()
    (estate / "files/run.sh").write_text("x")
    (estate / "files/run.sh").chmod(0o755)
    with tarfile.open(make_archive(estate, tmp_path / "a.tar.gz")) as archive:
        entries = {entry.name: entry for entry in archive if entry.isfile()}
    assert sorted(entries) == ["./files/run.sh", "./infra.yml", "./roles/mine/tasks/main.yml"]
    assert {entry.uname for entry in entries.values()} == {"root"}
    assert entries["./files/run.sh"].mode == 0o700
    assert entries["./infra.yml"].mode == 0o600


def test_a_folder_that_is_too_large_is_not_taken(tmp_path: Path) -> None:
    estate = tmp_path / "estate"
    estate.mkdir()
    with (estate / "disk.img").open("wb") as file:
        file.truncate(65 * 1024 * 1024)
    with pytest.raises(TooLarge, match="64 MiB"):
        make_archive(estate, tmp_path / "a.tar.gz")
