"""infra.yml and infra.d go back to earlier texts, byte for byte, and nothing that somebody wrote is lost."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from freehold.diagnostics import BackendError
from freehold.operations.undo.texts import Texts
from freehold.planning.change import Action
from tests.unit.operations.estates import estate

EARLIER = "\ufeff# é\r\nfreehold: 1\n\n"
STAMP = "20261121-193012"


def texts(folder: Path, wanted: Mapping[str, str], known: Mapping[str, str]) -> Texts:
    return Texts(
        infra=estate([]), folder=folder, wanted=wanted, known=known, stamp=STAMP, source="a run"
    )


def carried_out(of: Texts) -> dict[str, Action]:
    """What was done, by file; afterwards nothing is left to do."""

    async def work() -> dict[str, Action]:
        changes = (await of.look()).plan.changes
        for change in changes:
            for step in of.steps("cottage", change):
                await step.run(lambda text: None)
        assert (await of.look()).plan.is_empty
        return {change.address.name: change.action for change in changes}

    return asyncio.run(work())


def test_the_earlier_text_comes_back_to_the_byte_with_its_mode(tmp_path: Path) -> None:
    main = tmp_path / "infra.yml"
    main.write_text("now")
    main.chmod(0o640)
    done = carried_out(texts(tmp_path, {"infra.yml": EARLIER}, {"infra.yml": "now"}))
    assert done == {"infra.yml": Action.UPDATE}
    assert main.read_bytes() == EARLIER.encode()
    assert main.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["infra.yml"]


def test_what_is_in_no_plan_stays_beside(tmp_path: Path) -> None:
    (tmp_path / "infra.d").mkdir()
    (tmp_path / "infra.yml").write_bytes(b"mine \xff")
    (tmp_path / "infra.d" / "new.yml").write_text("mine too")
    (tmp_path / "infra.d" / "known.yml").write_text("as the run had it")
    known = {"infra.yml": "of the run", "infra.d/known.yml": "as the run had it"}
    wanted = {"infra.yml": EARLIER, "infra.d/gone.yml": "back"}
    assert carried_out(texts(tmp_path, wanted, known)) == {
        "infra.yml": Action.UPDATE,
        "infra.d/gone.yml": Action.CREATE,
        "infra.d/known.yml": Action.DELETE,
        "infra.d/new.yml": Action.DELETE,
    }
    assert (tmp_path / f"infra.yml.before-undo-{STAMP}").read_bytes() == b"mine \xff"
    extra = {path.name: path.read_text() for path in (tmp_path / "infra.d").iterdir()}
    assert extra == {"gone.yml": "back", f"new.yml.before-undo-{STAMP}": "mine too"}


def test_where_it_is_as_it_was_nothing_is_done(tmp_path: Path) -> None:
    (tmp_path / "infra.yml").write_bytes(EARLIER.encode())
    assert carried_out(texts(tmp_path, {"infra.yml": EARLIER}, {})) == {}


def test_a_link_stays_one(tmp_path: Path) -> None:
    real = tmp_path / "elsewhere.yml"
    real.write_text("now")
    (tmp_path / "infra.yml").symlink_to(real)
    carried_out(texts(tmp_path, {"infra.yml": EARLIER}, {"infra.yml": "now"}))
    assert (tmp_path / "infra.yml").is_symlink()
    assert real.read_bytes() == EARLIER.encode()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_the_files_stay_their_owners(tmp_path: Path) -> None:
    (tmp_path / "infra.d").mkdir()
    (tmp_path / "infra.yml").write_text("now")
    for path in (tmp_path / "infra.yml", tmp_path / "infra.d"):
        os.chown(path, 12345, 12346)
    wanted = {"infra.yml": EARLIER, "infra.d/gone.yml": "back"}
    carried_out(texts(tmp_path, wanted, {"infra.yml": "now"}))
    for name in wanted:
        status = (tmp_path / name).stat()
        assert (status.st_uid, status.st_gid) == (12345, 12346), name


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "infra.d").write_text("in the way")
    with pytest.raises(BackendError, match=r"infra\.d/gone\.yml"):
        carried_out(texts(tmp_path, {"infra.d/gone.yml": "back"}, {}))
