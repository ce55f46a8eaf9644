"""`freehold secret …`, as typed: no value in an argument, none shown unasked, and no text lost."""

import json
import signal
import subprocess
from pathlib import Path

import pytest

from freehold.diagnostics import BackendError
from freehold.system.secrets.editing import merged
from freehold.system.secrets.store import SecretsFile
from tests.cli.conftest import Freehold
from tests.cli.conftest import freehold as freehold

ESTATE = """\
freehold: 1
name: maison
domains:
  home:
    subnet_id: 7
    machines:
      box: {provision: {vars: {token: !secret api_token}}}
"""
POISON = "p01s0n-of-the-command"


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    (tmp_path / "infra.yml").write_text(ESTATE)
    return tmp_path


def test_a_value_is_set_from_standard_input_and_shown_on_request_only(
    freehold: Freehold, estate: Path
) -> None:
    done = freehold("secret", "set", "api_token", given=f"{POISON}\n")
    assert done.returncode == 0, done.stderr
    assert "keep a copy" in done.stderr
    listed = freehold("secret", "list")
    assert "api_token" in listed.stdout
    assert "vars of home/box" in listed.stdout
    for each in (done, listed, freehold("secret", "list", "--json"), freehold("validate")):
        assert POISON not in each.stdout + each.stderr
    assert freehold("secret", "show", "api_token").stdout == POISON
    assert json.loads(freehold("secret", "show", "api_token", "--json").stdout)["value"] == POISON
    again = freehold("secret", "set", "api_token", given="other\n")
    assert "keep a copy" not in again.stderr
    assert freehold("secret", "show", "api_token").stdout == "other"


def test_several_lines_stay_as_they_are(freehold: Freehold, estate: Path) -> None:
    key = "-----BEGIN-----\nabc\n-----END-----\n"
    freehold("secret", "set", "key", given=key)
    assert freehold("secret", "show", "key").stdout == key


def test_nothing_is_no_secret(freehold: Freehold, estate: Path) -> None:
    for given in ("", "\n"):
        done = freehold("secret", "set", "api_token", given=given)
        assert done.returncode == 64
        assert "secret-empty" in done.stderr
    assert not (estate / "secrets.yml").exists()


def test_there_is_no_way_to_say_a_value_as_an_argument(freehold: Freehold, estate: Path) -> None:
    assert freehold("secret", "set", "api_token", POISON, given="x").returncode == 64


def test_what_is_absent_is_listed_with_what_to_do(freehold: Freehold, estate: Path) -> None:
    done = freehold("secret", "list")
    assert "absent: set it" in done.stdout
    document = json.loads(freehold("secret", "list", "--json").stdout)
    assert document["kind"] == "secrets"
    assert document["secrets"] == [
        {
            "name": "api_token",
            "file": None,
            "services": [],
            "variables": ["home/box"],
            "generated_length": None,
        }
    ]


def test_a_new_value_is_generated_where_that_can_be(freehold: Freehold, estate: Path) -> None:
    refused = freehold("secret", "rotate", "api_token")
    assert refused.returncode == 64
    assert "secret-not-generated" in refused.stderr
    done = freehold("secret", "rotate", "api_token", "--length", "20")
    assert done.returncode == 0, done.stderr
    assert "provisions again what has it in its vars: home/box" in done.stderr
    value = freehold("secret", "show", "api_token").stdout
    assert len(value) == 20
    assert value not in done.stdout + done.stderr
    freehold("secret", "rotate", "api_token", "--length", "20")
    assert freehold("secret", "show", "api_token").stdout != value


KEEPER = """\
title: Keeper
description: keeps
version: "1"
container: {image: registry.example.org/keeper}
ports: {keep: {number: 7000, network: data}}
secrets: {password: {description: who may, length: 40}}
"""
READER = """\
title: Reader
description: reads
version: "1"
container: {image: registry.example.org/reader}
needs: {keeper: {service: keeper}}
secrets: {password: {description: that of the keeper, shared_with: keeper.password}}
"""
SERVICES = """\
services:
  archive: {on: home/box, service: reader, needs: {keeper: store}}
  store: {on: home/box, service: keeper}
"""


def test_rotating_says_what_restarts_in_which_order(freehold: Freehold, estate: Path) -> None:
    (estate / "catalog").mkdir()
    (estate / "catalog/keeper.yml").write_text(KEEPER)
    (estate / "catalog/reader.yml").write_text(READER)
    (estate / "infra.yml").write_text(ESTATE + SERVICES)
    listed = freehold("secret", "list")
    assert "absent: apply generates it" in listed.stdout, listed.stderr
    done = freehold("secret", "rotate", "store_password")
    assert done.returncode == 0, done.stderr
    assert "restarts, in this order: store, archive" in done.stderr
    assert len(freehold("secret", "show", "store_password").stdout) == 40


def test_removing_needs_a_word_of_agreement(freehold: Freehold, estate: Path) -> None:
    freehold("secret", "set", "api_token", given="value")
    refused = freehold("secret", "remove", "api_token")
    assert refused.returncode == 64
    assert "not-agreed" in refused.stderr
    assert freehold("secret", "remove", "api_token", "--yes").returncode == 0
    assert freehold("secret", "show", "api_token").returncode == 1
    gone = freehold("secret", "remove", "api_token", "--yes")
    assert "no-such-secret" in gone.stderr


def editor(folder: Path, script: str) -> str:
    """A program that changes the file it is given, and keeps a note of where that was and who may read it."""
    path = folder / "editor"
    path.write_text(f'#!/bin/sh\nstat -c "%a %n" "$1" >> {folder}/seen\n{script}\n')
    path.chmod(0o755)
    return str(path)


def test_secrets_are_edited_in_memory_and_nothing_is_left(freehold: Freehold, estate: Path) -> None:
    freehold("secret", "set", "one", given=POISON)
    freehold("secret", "set", "two", given="value")
    edit = editor(estate, 'sed -i "s/^two:.*/three: 0123/" "$1"; cp "$1" "$1~"')
    done = freehold("secret", "edit", EDITOR=edit)
    assert done.returncode == 0, done.stderr
    assert "2 secrets (1 new, 0 changed, 1 deleted)" in done.stderr
    assert freehold("secret", "show", "three").stdout == "0123"
    assert freehold("secret", "show", "one").stdout == POISON
    mode, path = (estate / "seen").read_text().split()
    assert mode == "600"
    assert Path(path).is_relative_to("/dev/shm")
    assert not Path(path).parent.exists()


def test_a_mistake_does_not_lose_the_text(freehold: Freehold, estate: Path) -> None:
    freehold("secret", "set", "one", given=POISON)
    edit = editor(estate, 'printf "two: new\\nbroken: [\\n" >> "$1"')
    done = freehold("secret", "edit", EDITOR=edit)
    assert done.returncode == 1
    assert "secrets-syntax" in done.stderr
    assert "secrets-draft-kept" in done.stderr
    assert POISON not in done.stderr
    kept = Path((estate / "seen").read_text().split()[1])
    try:
        assert POISON in kept.read_text()
        assert kept.stat().st_mode & 0o777 == 0o600
        mended = kept.read_text().replace("broken: [\n", "")
        again = freehold("secret", "edit", "--stdin", given=mended)
        assert again.returncode == 0, again.stderr
        assert freehold("secret", "show", "two").stdout == "new"
    finally:
        subprocess.run(["rm", "-r", kept.parent], check=True)


def test_an_editor_that_fails_changes_nothing(freehold: Freehold, estate: Path) -> None:
    freehold("secret", "set", "one", given=POISON)
    before = (estate / "secrets.yml").read_bytes()
    done = freehold("secret", "edit", EDITOR=editor(estate, 'echo "two: x" >> "$1"; exit 1'))
    assert "editor-failed" in done.stderr
    assert "no-editor" in freehold("secret", "edit", EDITOR="/no/such/editor").stderr
    assert (estate / "secrets.yml").read_bytes() == before


def test_an_empty_text_deletes_nothing_unasked(freehold: Freehold, estate: Path) -> None:
    freehold("secret", "set", "one", given=POISON)
    freehold("secret", "set", "two", given="value")
    given = freehold("secret", "edit", "--stdin", given="")
    edited = freehold("secret", "edit", EDITOR=editor(estate, ': > "$1"'))
    subprocess.run(["rm", "-r", Path((estate / "seen").read_text().split()[1]).parent], check=True)
    assert "not-agreed" in given.stderr
    assert "not-agreed" in edited.stderr
    assert freehold("secret", "show", "one").stdout == POISON
    assert freehold("secret", "edit", "--stdin", "--yes", given="").returncode == 0
    assert "no-such-secret" in freehold("secret", "show", "one").stderr


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_closed_terminal_leaves_nothing_in_memory(
    number: signal.Signals, freehold: Freehold, estate: Path
) -> None:
    freehold("secret", "set", "one", given=POISON)
    before = (estate / "secrets.yml").read_bytes()
    script = f'kill -{number.value} "$PPID"; echo "one: changed" > "$1"; exec sleep 30'
    done = freehold("secret", "edit", EDITOR=editor(estate, script))
    assert done.returncode == 128 + number
    path = Path((estate / "seen").read_text().split()[1])
    assert not path.parent.exists()
    assert (estate / "secrets.yml").read_bytes() == before


def test_what_others_changed_meanwhile_is_kept(folder: Path) -> None:
    secrets = SecretsFile(folder)
    for name in ("one", "two", "three"):
        secrets.put(name, b"value")
    before = secrets.own()
    secrets.put("one", b"other")
    secrets.change(merged(before, {"one": b"value", "two": b"mine", "four": b"new"}))
    assert secrets.own() == {"one": b"other", "two": b"mine", "four": b"new"}
    with pytest.raises(BackendError) as caught:  # both have changed it since
        secrets.change(merged(before, {**before, "two": b"again"}))
    assert caught.value.diagnostics[0].code == "secrets-moved"
    assert secrets.value("two") == b"mine"


def test_without_the_key_every_verb_says_what_to_do(freehold: Freehold, estate: Path) -> None:
    freehold("secret", "set", "api_token", given=POISON)
    (estate / "config/freehold/age.txt").unlink()
    for verb in ("list", "edit", "set api_token"):
        done = freehold("secret", *verb.split(), given="x", EDITOR="true")
        assert done.returncode == 1, verb
        assert "no-identity" in done.stderr
        assert "FREEHOLD_AGE_IDENTITY" in done.stderr


def test_files_of_sops_are_listed_and_shown(
    freehold: Freehold, estate: Path, test_key: Path
) -> None:
    from tests.secrets.conftest import DATA

    (estate / "secrets.yml").write_bytes((DATA / "sops.yml").read_bytes())
    variables = {"SOPS_AGE_KEY_FILE": str(test_key)}
    assert "smtp.password" in freehold("secret", "list", **variables).stdout
    shown = freehold("secret", "show", "smtp.password", **variables)
    assert shown.stdout == "s3cr3t: with # signs"
    assert "secrets-of-sops" in freehold("secret", "edit", **variables).stderr
