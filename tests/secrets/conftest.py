"""An estate's folder and a user's own configuration folder, both empty; and files made by the real programs."""

from pathlib import Path

import pytest

DATA = Path(__file__).parent / "data"
TEST_KEY = DATA / "test-only-identity.txt"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nobody's own key is found, and none is made in a real home."""
    for variable in ("FREEHOLD_AGE_IDENTITY", "SOPS_AGE_KEY_FILE", "VISUAL", "EDITOR"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "estate"
    path.mkdir()
    return path


@pytest.fixture
def test_key(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The key of the files in `data`."""
    monkeypatch.setenv("FREEHOLD_AGE_IDENTITY", str(TEST_KEY))
    return TEST_KEY
