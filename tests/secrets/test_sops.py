"""Files of SOPS: read as SOPS reads them, and refused as soon as anything else has touched them."""

import re
from pathlib import Path

import pytest

from freehold.diagnostics import BackendError, Diagnostic
from freehold.system.secrets.store import SecretsFile
from tests.secrets.conftest import DATA

WHOLE = {
    "big": b"123456789012",
    "db_password": b"correct horse battery staple",
    "disabled": b"false",
    "enabled": b"true",
    "exact": b"0.0000001",
    "key": b"-----BEGIN TEST-----\none\ntwo\n-----END TEST-----\n",
    "pin": b"42",
    "ratio": b"1.5",
    "smtp.password": b"s3cr3t: with # signs",
    "smtp.user": b"mailer",
    "tokens.0": b"first",
    "tokens.1.nested": b"second",
    "tokens.2": b"3",
    "umlaut": "Grüße, 世界".encode(),
}
CHOSEN = {name: WHOLE[name] for name in ("db_password", "smtp.password", "smtp.user")}

pytestmark = pytest.mark.usefixtures("test_key")


def placed(folder: Path, name: str, text: str | None = None) -> SecretsFile:
    content = text if text is not None else (DATA / name).read_text()
    (folder / "secrets.yml").write_text(content)
    return SecretsFile(folder)


def problem(secrets: SecretsFile) -> Diagnostic:
    with pytest.raises(BackendError) as caught:
        secrets.names()
    return caught.value.diagnostics[0]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("sops.yml", WHOLE), ("sops-two-recipients.yml", WHOLE), ("sops-encrypted-regex.yml", CHOSEN),
     ("sops-mac-only-encrypted.yml", CHOSEN)],
)  # fmt: skip
def test_what_sops_has_written_is_read(folder: Path, name: str, expected: dict[str, bytes]) -> None:
    secrets = placed(folder, name)
    assert {each: secrets.value(each) for each in secrets.names()} == expected


def test_fingerprints_are_told_apart(folder: Path) -> None:
    secrets = placed(folder, "sops.yml")
    found = {secrets.fingerprint(name) for name in secrets.names()}
    assert len(found) == len(WHOLE)
    assert SecretsFile(folder).fingerprint("pin") in found


def test_it_is_not_written_and_the_way_out_is_told(folder: Path) -> None:
    secrets = placed(folder, "sops.yml")
    before = (folder / "secrets.yml").read_bytes()
    for name in ("new", "pin"):
        with pytest.raises(BackendError) as caught:
            secrets.put(name, b"value")
        assert caught.value.diagnostics[0].code == "secrets-of-sops"
        assert "mv secrets.yml secrets.sops.yml" in (caught.value.diagnostics[0].hint or "")
    assert (folder / "secrets.yml").read_bytes() == before


TEXT = (DATA / "sops.yml").read_text()
LINES = TEXT.splitlines(keepends=True)


def _without(start: str) -> str:
    return "".join(line for line in LINES if not line.startswith(start))


def _swapped() -> str:
    """Two values in each other's place: each is authentic, but not there."""
    pin = re.search(r"^pin: (.*)$", TEXT, re.MULTILINE)
    big = re.search(r"^big: (.*)$", TEXT, re.MULTILINE)
    assert pin
    assert big
    text = TEXT.replace(pin[1], "@").replace(big[1], pin[1])
    return text.replace("@", big[1])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (_without("pin:"), "MAC"),
        (TEXT.replace("port_unencrypted: 5432", "port_unencrypted: 5433"), "MAC"),
        (TEXT.replace("port_unencrypted: 5432", "port_unencrypted: 5432\nnew: plain"), "MAC"),
        (_swapped(), "line"),
        (TEXT.replace("data:NiM=", "data:NiQ="), "line 3"),
        (TEXT.replace("data:NiM=", "data:N!"), "line 3"),
        (TEXT.replace("    mac: ENC[", "    mac: XENC["), "damaged"),
        (TEXT.replace('lastmodified: "2026', 'lastmodified: "2025'), "changed"),
        (TEXT.replace("recipient:", "other:").replace("enc: |", "not: |"), None),
        (TEXT.replace("    age:\n", "    nobody:\n"), "age"),
        (TEXT.replace("sops:\n", "sops:\n    key_groups: []\n"), "groups"),
        (TEXT + "---\nmore: 1\n", "documents"),
        ("sops: [\n", "YAML"),
        ("a: 1\nsops: 3\n", "mapping"),
    ],
)  # fmt: skip
def test_what_else_has_touched_is_refused(folder: Path, text: str, says: str | None) -> None:
    assert text != TEXT
    found = problem(placed(folder, "", text))
    assert found.code == ("secrets-unreadable" if says else "not-a-recipient")
    assert (says or "encrypted for others") in found.detail
    assert "horse" not in f"{found.detail} {found.hint}"


def test_another_key_does_not_open_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from freehold.system.secrets import identities

    monkeypatch.delenv("FREEHOLD_AGE_IDENTITY")
    identities.make_identity()
    assert problem(placed(folder, "sops.yml")).code == "not-a-recipient"
