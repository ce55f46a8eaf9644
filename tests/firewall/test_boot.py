"""The files that are loaded at the next start, and what becomes of them. systemd itself is in tests/e2e."""

import stat
from pathlib import Path

import pytest

from freehold.system.nftables import NftablesError
from freehold.system.nftables.boot import BootRules
from freehold.system.nftables.listing import emptied

NAME = "freehold-cottage"
RULES = emptied(NAME)


@pytest.fixture
def boot(tmp_path: Path) -> BootRules:
    return BootRules(tmp_path / "state" / "firewall", units=None)


def test_what_is_written_is_read_again(boot: BootRules, tmp_path: Path) -> None:
    assert boot.read(NAME) is None
    boot.write(NAME, RULES)
    assert boot.read(NAME) == RULES
    assert boot.read("freehold-mill") is None
    [file] = (tmp_path / "state/firewall").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_folder_goes_with_the_last_table(boot: BootRules, tmp_path: Path) -> None:
    boot.write(NAME, RULES)
    boot.write("freehold-mill", RULES)
    boot.write(NAME, None)
    assert boot.read("freehold-mill") == RULES
    boot.write("freehold-mill", None)
    assert not (tmp_path / "state/firewall").exists()
    boot.write("freehold-mill", None)


def test_a_write_that_was_cut_off_goes_too(boot: BootRules, tmp_path: Path) -> None:
    boot.write(NAME, RULES)
    (tmp_path / "state/firewall" / f".{NAME}.json.abc").write_text("{")
    boot.write(NAME, None)
    assert not (tmp_path / "state/firewall").exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"other": []}', "\x00\xff"])
def test_a_damaged_file_is_none(boot: BootRules, tmp_path: Path, text: str) -> None:
    boot.write(NAME, RULES)
    (tmp_path / "state/firewall" / f"{NAME}.json").write_text(text, encoding="latin-1")
    assert boot.read(NAME) is None


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(NftablesError) as refused:
        BootRules(tmp_path / "state" / "firewall", units=None).write(NAME, RULES)
    assert str(tmp_path / "state") in refused.value.diagnostics[0].detail


def test_with_systemd_a_file_alone_is_nothing(tmp_path: Path) -> None:
    BootRules(tmp_path / "state", units=None).write(NAME, RULES)
    assert BootRules(tmp_path / "state", units=tmp_path / "units").read(NAME) is None
