"""A poison secret is delivered where it belongs, and found nowhere else; and the search finds one that is planted."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.secrets.poison import Search, poison
from tests.secrets.stages import STAGES, MachineStage, Stage


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where targets have what they were given."""
    path = tmp_path / "targets"
    path.mkdir()
    return path


def lived(stage: Stage) -> tuple[Search, list[str]]:
    """What was found, and what was delivered."""
    search = Search(stage.poison)
    stage.live(search)
    search.folder(stage.folder)
    return search, stage.targets(search)


@pytest.mark.timeout(300)  # Ansible twice
@pytest.mark.parametrize("kind", STAGES)
def test_a_secret_is_where_it_belongs_and_nowhere_else(
    kind: str, folder: Path, place: Path
) -> None:
    stage = STAGES[kind](folder=folder, place=place, poison=poison())
    search, delivered = lived(stage)
    assert delivered
    assert set(delivered) == {stage.poison}
    assert search.found == []
    assert search.looked_at > 50


@pytest.mark.slow
def test_without_the_mask_the_log_would_have_it(folder: Path, place: Path) -> None:
    """The role of this estate shows its secret on purpose: so the test above would fail if nobody hid it."""
    stage = MachineStage(folder=folder, place=place, poison=poison(), masked=False)
    found = lived(stage)[0].found
    for place_of_leak in (".freehold/provision", "what failed", "log of", ".freehold/runs"):
        assert any(place_of_leak in each for each in found), found


@pytest.mark.parametrize("name", ["plain.txt", ".freehold/runs/x.jsonl", "deep/er/file"])
def test_a_leak_into_a_file_is_found(tmp_path: Path, name: str) -> None:
    value = poison()
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"before {value} after")
    search = Search(value)
    search.folder(tmp_path)
    assert search.found == [f"{path} (as it is)"]


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
def test_a_leak_in_other_forms_is_found(before: str) -> None:
    import base64

    value = poison()
    coded = base64.b64encode(f"{before}{value}{before}z".encode())
    for text in (coded, f"{before}{value}".encode().hex(), value):
        search = Search(value)
        search.text("a text", text)
        assert len(search.found) == 1, text


def test_a_name_of_a_file_is_looked_at(tmp_path: Path) -> None:
    value = poison()
    (tmp_path / value).touch()
    search = Search(value)
    search.folder(tmp_path)
    assert len(search.found) == 1


@pytest.mark.parametrize("how", ["argument", "environment"])
def test_a_leak_into_a_process_is_found(how: str) -> None:
    value = poison()
    search = Search(value)
    argument = value if how == "argument" else "nothing"
    variables = {"TOKEN": value} if how == "environment" else {}
    # A grandchild: what we start starts programs itself.
    grandchild = "print('ready', flush=True); input()"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {grandchild!r}, *sys.argv[1:]])"
    command = [sys.executable, "-c", child, argument]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=variables, stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        with search.processes():
            assert process.stdout.readline() == b"ready\n"
        process.communicate(b"\n")
    kind = "cmdline" if how == "argument" else "environ"
    assert any(each.startswith(kind) for each in search.found), search.found


def test_what_holds_nothing_is_not_accused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("nothing of it: p01s0n-0")
    search = Search(poison())
    search.folder(tmp_path)
    with search.processes():
        subprocess.run(["true"], check=True)
    assert search.found == []
