"""The wheel that `make test` built, and an environment in which it is alone with its own dependencies."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def installed() -> Path:
    """The folder into which the wheel was installed; it is what PYTHONPATH leads to."""
    if "FREEHOLD_INSTALLED" not in os.environ:
        pytest.skip("tests the built wheel: run `make test`")
    return Path(os.environ["FREEHOLD_INSTALLED"]).resolve()


@pytest.fixture(scope="session")
def wheel(installed: Path) -> Path:
    (path,) = (installed.parent / "wheel").glob("*.whl")
    return path


@pytest.fixture(scope="session")
def run(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs a program of a fresh environment: the wheel and requirements.lock, nothing else."""
    environment = tmp_path_factory.mktemp("fresh") / "venv"
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}

    def run(*command: str | Path, folder: Path = ROOT) -> "subprocess.CompletedProcess[str]":
        program, *arguments = map(str, command)
        return subprocess.run(
            [str(environment / "bin" / program), *arguments],
            cwd=folder,
            env={**kept, "NO_COLOR": "1", "COLUMNS": "100"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def pip(*arguments: str | Path) -> None:
        target = str(environment / "bin" / "python")
        command = [sys.executable, "-m", "pip", "--python", target, "install"]
        done = subprocess.run(
            [*command, "--quiet", "--root-user-action=ignore", *map(str, arguments)],
            env=kept,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    pip("--require-hashes", "-r", ROOT / "requirements.lock")
    pip("--no-deps", "--no-index", wheel)
    return run
