"""Beside the real `age` and `sops`, where they are installed: each reads what the other side has written.

FREEHOLD_TEST_TOOLS names a folder with them when they are not on PATH. What they wrote once is in `data`, so that the other tests need
neither.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from freehold.system.secrets.document import read_entries
from freehold.system.secrets.recipients import FILE as RECIPIENTS
from freehold.system.secrets.store import SecretsFile
from tests.secrets.conftest import DATA

PATH = os.pathsep.join([os.environ.get("FREEHOLD_TEST_TOOLS", ""), os.environ["PATH"]])


def tool(name: str) -> str:
    found = shutil.which(name, path=PATH)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def run(*command: str | Path, given: bytes = b"") -> bytes:
    done = subprocess.run([*map(str, command)], input=given, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_age_alone_reads_what_freehold_wrote(folder: Path, home: Path) -> None:
    age = tool("age")
    values = {"one": b"plain", "pin": b"0042", "lines": b"a\nb\n", "raw": b"\x00\xff"}
    for name, value in values.items():
        SecretsFile(folder).put(name, value)
    key = home / "config/freehold/age.txt"
    text = run(age, "-d", "-i", key, folder / "secrets.yml").decode()
    assert "pin: '0042'" in text
    assert dict(read_entries(text).values) == values


def test_freehold_reads_what_age_wrote_for_the_recipients(folder: Path) -> None:
    age = tool("age")
    SecretsFile(folder).put("one", b"value")
    given = b"two: from age\n"
    out = folder / "secrets.yml"
    run(age, "-a", "-R", folder / RECIPIENTS, "-o", out, given=given)
    assert SecretsFile(folder).value("two") == b"from age"
    SecretsFile(folder).put("three", b"value")
    assert sorted(SecretsFile(folder).names()) == ["three", "two"]


def test_a_key_of_age_keygen_is_taken(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keygen = tool("age-keygen")
    run(keygen, "-o", tmp_path / "key.txt")
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", str(tmp_path / "key.txt"))
    SecretsFile(folder).put("one", b"value")
    public = run(keygen, "-y", tmp_path / "key.txt").decode().strip()
    assert public in (folder / RECIPIENTS).read_text()


def test_freehold_and_sops_read_the_same(
    folder: Path, test_key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sops, keygen = tool("sops"), tool("age-keygen")
    public = run(keygen, "-y", test_key).decode().strip()
    written = run(sops, "encrypt", "--age", public, DATA / "plain.yml")
    (folder / "secrets.yml").write_bytes(written)
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", str(test_key))
    theirs = run(sops, "decrypt", "--output-type", "json", folder / "secrets.yml")
    ours = SecretsFile(folder)
    read = json.loads(theirs)
    assert ours.value("smtp.password").decode() == read["smtp"]["password"]
    assert ours.value("key").decode() == read["key"]
    assert ours.value("umlaut").decode() == read["umlaut"]
    assert ours.value("tokens.1.nested").decode() == read["tokens"][1]["nested"]
    assert int(ours.value("big")) == read["big"]
