"""The memory of graphics cards as drivers tell it: files of a folder of the test, and a small script for nvidia-smi."""

from pathlib import Path

import pytest

from freehold.system.card_memory import memory_of_cards

AMD, NVIDIA = "0000:03:00.0", "0000:01:00.0"


def amd_tells(sysfs: Path, text: str) -> None:
    folder = sysfs / "bus" / "pci" / "devices" / AMD
    folder.mkdir(parents=True)
    (folder / "mem_info_vram_total").write_text(text)


def nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")


def test_amds_driver_tells_bytes_in_sysfs(tmp_path: Path) -> None:
    amd_tells(tmp_path, "17163091968\n")
    assert memory_of_cards([AMD], tmp_path) == {AMD: 17163091968}


@pytest.mark.allow("process")
def test_nvidias_is_asked_by_its_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    amd_tells(tmp_path, "1024\n")
    asked = 'case "$*" in *pci.bus_id,memory.total*) echo "00000000:01:00.0, 24564" ;; esac'
    nvidia_smi(tmp_path, monkeypatch, asked)
    assert memory_of_cards([AMD, NVIDIA], tmp_path) == {AMD: 1024, NVIDIA: 24564 * 1024**2}


@pytest.mark.allow("process")
@pytest.mark.parametrize(
    "script", ["exit 9", "echo 'No devices were found'", "echo '00000000:01:00.0, [N/A]'"]
)
def test_a_program_that_fails_tells_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    nvidia_smi(tmp_path, monkeypatch, script)
    assert memory_of_cards([NVIDIA], tmp_path) == {}


def test_a_card_whose_driver_tells_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    amd_tells(tmp_path, "lost\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert memory_of_cards([AMD, "0000:09:00.0"], tmp_path) == {}
