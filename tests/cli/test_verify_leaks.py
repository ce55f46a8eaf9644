"""`freehold verify --leaks`, as typed: nothing is cut that nobody agreed to."""

from pathlib import Path

import pytest

from tests.cli.conftest import Freehold

MEDIA = """\
freehold: 1
name: maison
hosts: {cortex: {address: 203.0.113.20}}
services:
  vpn: {on: cortex, service: gluetun}
  downloads: {on: cortex, service: qbittorrent}
"""


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--leaks"], "not-agreed"),
        (["--yes"], "needs-leaks"),
        (["--address-url", "http://203.0.113.80/"], "needs-leaks"),
    ],
)
def test_it_is_refused(freehold: Freehold, tmp_path: Path, words: list[str], code: str) -> None:
    (tmp_path / "infra.yml").write_text(MEDIA)
    done = freehold("verify", *words)
    assert done.returncode == 64, done
    assert code in done.stderr


def test_there_must_be_something_behind_a_vpn(freehold: Freehold, tmp_path: Path) -> None:
    (tmp_path / "infra.yml").write_text(MEDIA.rpartition("  downloads")[0])
    done = freehold("verify", "--leaks", "--yes")
    assert (done.returncode, "nothing-behind-a-vpn" in done.stderr) == (64, True), done
