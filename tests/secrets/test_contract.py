"""What the encrypted file and the fake in memory have in common."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.diagnostics import BackendError, UsageError
from freehold.system.secrets import NOT_YET, Secrets, settled
from freehold.system.secrets.document import Entries, read_entries, write_entries
from freehold.system.secrets.fake import FakeSecrets
from freehold.system.secrets.late import LateSecrets
from freehold.system.secrets.store import SecretsFile


@pytest.fixture(params=["fake", "file", "late"])
def secrets(request: pytest.FixtureRequest, folder: Path) -> Secrets:
    if request.param == "fake":
        return FakeSecrets()
    return SecretsFile(folder) if request.param == "file" else LateSecrets(folder)


def test_there_are_none_at_first(secrets: Secrets) -> None:
    assert list(secrets.names()) == []
    assert secrets.fingerprint("any") == NOT_YET


@pytest.mark.parametrize(
    "value",
    [b"hunter2", b"0123", b"yes", b"null", b"~", b" spaces ", b"a: b # c", b"'\"{{ x }}", b"one\ntwo\n",
     b"\n\n x\n", b"tab\there", b"a\r\nb", "Grüße\u2028\x85".encode(), b"\x00\x01\xff", b"\xef\xbb\xbfbom", b"- x"],
)  # fmt: skip
def test_a_value_comes_back_as_it_was(secrets: Secrets, value: bytes) -> None:
    secrets.put("one", b"first")
    secrets.put("two", value)
    assert secrets.value("two") == value
    assert secrets.value("one") == b"first"
    assert list(secrets.names()) == ["one", "two"]


def test_put_replaces_and_add_does_not(secrets: Secrets) -> None:
    assert secrets.add("one", b"first")
    assert not secrets.add("one", b"second")
    assert secrets.value("one") == b"first"
    secrets.put("one", b"third")
    assert secrets.value("one") == b"third"


def test_what_is_removed_is_gone(secrets: Secrets) -> None:
    secrets.put("one", b"first")
    secrets.remove("one")
    assert list(secrets.names()) == []
    for question in (secrets.value, secrets.remove):
        with pytest.raises(BackendError) as caught:
            question("one")
        assert caught.value.diagnostics[0].code == "no-such-secret"
    assert secrets.fingerprint("one") == NOT_YET


def test_an_unknown_name_is_told_with_its_neighbour_and_the_command(secrets: Secrets) -> None:
    secrets.put("db_password", b"hunter2hunter2")
    with pytest.raises(BackendError) as caught:
        secrets.value("db_pasword")
    hint = caught.value.diagnostics[0].hint or ""
    assert "`db_password`" in hint
    assert "freehold secret set db_pasword" in hint
    assert "hunter2" not in str(caught.value) + hint


def test_a_fingerprint_follows_the_value_and_says_nothing_else(secrets: Secrets) -> None:
    secrets.put("one", b"value")
    secrets.put("two", b"value")
    first = secrets.fingerprint("one")
    assert secrets.fingerprint("two") != first
    secrets.put("one", b"other")
    assert secrets.fingerprint("one") != first
    secrets.put("one", b"value")
    assert secrets.fingerprint("one") == first
    assert first != NOT_YET


@pytest.mark.parametrize("name", ["", "1st", "../x", "a/b", "a b", "a" * 129, "ä", "_key", "a\n"])
def test_a_bad_name_is_refused(secrets: Secrets, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        secrets.put(name, b"value")
    assert caught.value.diagnostics[0].code == "secret-name"


def test_an_empty_or_huge_value_is_refused(secrets: Secrets) -> None:
    for value, code in ((b"", "secret-empty"), (b"x" * 300_000, "secret-too-large")):
        with pytest.raises(UsageError) as caught:
            secrets.put("one", value)
        assert caught.value.diagnostics[0].code == code
    assert list(secrets.names()) == []


def test_what_was_to_be_generated_is_settled_once_it_was(secrets: Secrets) -> None:
    secrets.put("old", b"value")
    planned = {"old": secrets.fingerprint("old"), "new": secrets.fingerprint("new")}
    assert planned["new"] == NOT_YET
    secrets.add("new", b"made")
    assert settled(planned, secrets) == {
        "old": planned["old"],
        "new": secrets.fingerprint("new"),
    }


@given(st.dictionaries(st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,20}", fullmatch=True), st.binary(min_size=1) | st.text(min_size=1).map(lambda text: text.encode("utf-8", "replace"))))  # fmt: skip
def test_any_values_come_back_from_the_text(values: dict[str, bytes]) -> None:
    entries = Entries(values, b"k" * 32)
    assert read_entries(write_entries(entries)) == entries
