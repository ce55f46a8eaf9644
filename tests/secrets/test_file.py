"""The encrypted file: what is on the disk, who can read it, and that nothing is lost."""

import multiprocessing
import os
import resource
import stat
import subprocess
import sys
from pathlib import Path

import pyrage
import pytest

from freehold.diagnostics import BackendError, Diagnostic
from freehold.system.secrets import identities
from freehold.system.secrets.document import read_entries
from freehold.system.secrets.recipients import FILE as RECIPIENTS
from freehold.system.secrets.store import SecretsFile
from tests.secrets.conftest import DATA

POISON = b"p01s0n-hunter2-correct-horse"


def problem(folder: Path) -> Diagnostic:
    """What keeps the secrets from being read or written."""
    with pytest.raises(BackendError) as caught:
        SecretsFile(folder).put("another", b"value")
    return caught.value.diagnostics[0]


def key_of(path: Path) -> str:
    return str(pyrage.x25519.Identity.from_str(path.read_text().split()[-1]).to_public())


def opened(folder: Path, identity: Path) -> dict[str, bytes]:
    """What the file holds, deciphered without the code that is tested."""
    key = pyrage.x25519.Identity.from_str(identity.read_text().split()[-1])
    text = pyrage.decrypt((folder / "secrets.yml").read_bytes(), [key]).decode()
    return dict(read_entries(text).values)


def test_the_first_secret_makes_a_key_that_its_owner_alone_reads(folder: Path, home: Path) -> None:
    secrets = SecretsFile(folder)
    assert secrets.needs_identity()
    secrets.put("one", POISON)
    key = home / "config/freehold/age.txt"
    assert secrets.made is not None
    assert secrets.made.path == key
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    assert key_of(key) in (folder / RECIPIENTS).read_text()
    again = SecretsFile(folder)
    again.put("two", b"value")
    assert again.made is None
    assert not again.needs_identity()


def test_nothing_of_a_value_is_on_the_disk(folder: Path, home: Path) -> None:
    SecretsFile(folder).put("one", POISON)
    assert stat.S_IMODE((folder / "secrets.yml").stat().st_mode) == 0o600
    assert {path.name for path in folder.iterdir()} == {"secrets.yml", RECIPIENTS}
    for path in home.rglob("*"):
        assert not path.is_file() or POISON not in path.read_bytes()


def test_another_process_reads_what_one_has_written(folder: Path) -> None:
    reader, writer = SecretsFile(folder), SecretsFile(folder)
    writer.put("one", b"first")
    assert reader.value("one") == b"first"
    writer.put("one", b"second")
    assert reader.value("one") == b"second"


def test_fingerprints_are_those_of_all_who_can_read(folder: Path) -> None:
    SecretsFile(folder).put("one", b"value")
    first = SecretsFile(folder).fingerprint("one")
    SecretsFile(folder).put("two", b"value")
    assert SecretsFile(folder).fingerprint("one") == first


def test_several_recipients_read_it_and_others_do_not(
    folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    SecretsFile(folder).put("one", POISON)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "colleague"))
    theirs = identities.make_identity()
    assert problem(folder).code == "not-a-recipient"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    with (folder / RECIPIENTS).open("a") as file:
        file.write(f"{theirs.public}\n")
    SecretsFile(folder).put("two", b"value")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "colleague"))
    assert SecretsFile(folder).value("one") == POISON


def test_nobody_locks_himself_out(folder: Path, home: Path) -> None:
    SecretsFile(folder).put("one", POISON)
    before = (folder / "secrets.yml").read_bytes()
    other = pyrage.x25519.Identity.generate().to_public()
    (folder / RECIPIENTS).write_text(f"# others only\n{other}\n")
    found = problem(folder)
    assert found.code == "not-a-recipient"
    assert RECIPIENTS in found.detail
    assert (folder / "secrets.yml").read_bytes() == before


@pytest.mark.parametrize("text", ["age1nonsense\n", "# nobody\n", "ssh-ed25519 nonsense\n"])
def test_a_wrong_recipient_is_told_and_nothing_written(folder: Path, text: str) -> None:
    SecretsFile(folder).put("one", POISON)
    before = (folder / "secrets.yml").read_bytes()
    (folder / RECIPIENTS).write_text(text)
    assert problem(folder).code == "bad-recipient"
    assert (folder / "secrets.yml").read_bytes() == before


def test_an_ssh_key_is_an_identity_too(
    folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = home / "id_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    (folder / RECIPIENTS).write_text(key.with_suffix(".pub").read_text())
    monkeypatch.setenv("FREEHOLD_AGE_IDENTITY", str(key))
    SecretsFile(folder).put("one", POISON)
    assert SecretsFile(folder).value("one") == POISON


def test_without_the_key_it_is_told_where_it_was_looked_for(
    folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    SecretsFile(folder).put("one", POISON)
    (home / "config/freehold/age.txt").unlink()
    found = problem(folder)
    assert found.code == "no-identity"
    assert str(home / "config/freehold/age.txt") in found.detail
    assert "FREEHOLD_AGE_IDENTITY" in (found.hint or "")
    monkeypatch.setenv("FREEHOLD_AGE_IDENTITY", str(home / "elsewhere.txt"))
    assert str(home / "elsewhere.txt") in problem(folder).detail
    assert not (home / "elsewhere.txt").exists()


def test_a_key_that_is_named_is_never_made(
    folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", str(home / "keys.txt"))
    assert problem(folder).code == "no-identity"
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("text", ["", "nonsense\n", "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n"])
def test_a_file_that_is_no_key_is_told_apart_from_none(
    folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    key = home / "key"
    key.write_text(text)
    monkeypatch.setenv("FREEHOLD_AGE_IDENTITY", str(key))
    assert problem(folder).code == "bad-identity"


def test_a_damaged_file_is_not_overwritten(folder: Path) -> None:
    SecretsFile(folder).put("one", POISON)
    path = folder / "secrets.yml"
    for content in (path.read_bytes()[:-120], path.read_bytes()[:40]):
        path.write_bytes(content)
        assert problem(folder).code == "secrets-unreadable"
        assert path.read_bytes() == content


def test_a_file_in_the_open_is_refused_without_a_word_of_it(folder: Path) -> None:
    (folder / "secrets.yml").write_text("one: p01s0n\n")
    found = problem(folder)
    assert found.code == "secrets-not-encrypted"
    assert "p01s0n" not in f"{found.detail} {found.hint}"


@pytest.mark.parametrize(
    ("text", "says"),
    [("one: [p01s0n]", "no list"), ("one: p01s0n\none: x", "twice"), ("- p01s0n", "Names"),
     ("one: {p01s0n: x}", "no list"), ("one:", "empty"), ("one: !x p01s0n", "tag"), ("'", "not YAML"),
     ("a: b\n---\nc: p01s0n", "Names"), ("one: !!binary '***'", "base64"), ("{[p01s0n]: x}", "name"),
     ("one: 'p01s0n\x00'", "characters"), ("one: *p01s0n", "not YAML")],
)  # fmt: skip
def test_a_strange_text_is_refused_without_a_word_of_it(
    folder: Path, test_key: Path, text: str, says: str
) -> None:
    public = pyrage.x25519.Recipient.from_str(key_of(test_key))
    (folder / "secrets.yml").write_bytes(pyrage.encrypt(text.encode(), [public], armored=True))
    found = problem(folder)
    assert found.code == "secrets-unreadable"
    assert says in found.detail
    assert "p01s0n" not in f"{found.detail} {found.hint}"


def test_a_binary_file_of_age_is_read_too(folder: Path, test_key: Path) -> None:
    public = pyrage.x25519.Recipient.from_str(key_of(test_key))
    (folder / "secrets.yml").write_bytes(pyrage.encrypt(b"pin: 0042\n", [public]))
    assert SecretsFile(folder).value("pin") == b"0042"
    first = SecretsFile(folder).fingerprint("pin")
    assert first == SecretsFile(folder).fingerprint("pin")


def test_a_full_disk_loses_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    SecretsFile(folder).put("one", POISON)
    before = (folder / "secrets.yml").read_bytes()
    script = (
        "import resource, sys; from pathlib import Path;"
        "from freehold.system.secrets.store import SecretsFile; import signal;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200));"
        "SecretsFile(Path(sys.argv[1])).put('two', b'x' * 5000)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, folder], capture_output=True, text=True, check=False
    )
    assert "cannot be written" in done.stderr
    assert "x" * 50 not in done.stderr
    assert (folder / "secrets.yml").read_bytes() == before
    assert {path.name for path in folder.iterdir()} == {"secrets.yml", RECIPIENTS}
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 200


def _put_many(folder: Path, prefix: str) -> None:
    for number in range(8):
        SecretsFile(folder).put(f"{prefix}{number}", b"value")


def test_writers_at_the_same_time_lose_nothing(folder: Path) -> None:
    SecretsFile(folder).put("first", b"value")
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_put_many, args=(folder, word)) for word in ("a", "b", "c")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert len(SecretsFile(folder).names()) == 25


@pytest.mark.skipif(os.geteuid() != 0, reason="only root writes for others")
def test_root_leaves_the_file_to_the_folder_s_owner(folder: Path) -> None:
    os.chown(folder, 12345, 12345)
    SecretsFile(folder).put("one", POISON)
    for name in ("secrets.yml", RECIPIENTS):
        assert (folder / name).stat().st_uid == 12345


def test_a_name_that_sops_has_is_not_given_another_value(folder: Path, test_key: Path) -> None:
    (folder / "secrets.sops.yml").write_bytes((DATA / "sops.yml").read_bytes())
    secrets = SecretsFile(folder)
    assert secrets.value("smtp.password") == b"s3cr3t: with # signs"
    secrets.put("mine", POISON)
    assert secrets.value("mine") == POISON
    with pytest.raises(BackendError) as caught:
        secrets.put("pin", b"43")
    assert caught.value.diagnostics[0].code == "secrets-of-sops"
    with pytest.raises(BackendError) as caught:
        secrets.remove("pin", "mine")
    assert caught.value.diagnostics[0].code == "secrets-of-sops"
    assert secrets.value("pin") == b"42"
    assert secrets.value("mine") == POISON
    assert secrets.file_of("pin") == "secrets.sops.yml"


def test_a_name_in_two_files_is_told_and_ours_can_be_removed(folder: Path, test_key: Path) -> None:
    secrets = SecretsFile(folder)
    secrets.put("pin", b"43")
    (folder / "secrets.sops.yml").write_bytes((DATA / "sops.yml").read_bytes())
    with pytest.raises(BackendError) as caught:
        secrets.value("pin")
    assert caught.value.diagnostics[0].code == "secret-twice"
    secrets.refuse_removal(["pin"])
    secrets.remove("pin")
    assert secrets.value("pin") == b"42"
