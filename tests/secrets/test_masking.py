"""The last net: secrets in what programs print, in the forms in which they print them."""

import asyncio
import json
from pathlib import Path

import pytest

from freehold.system.ansible import Play
from freehold.system.ansible.program import AnsibleProgram
from freehold.system.secrets.fake import FakeSecrets
from freehold.system.secrets.masking import MASK, Masking
from freehold.system.secrets.store import SecretsFile
from tests.provisioning.test_program import Tree

SECRET = 'hunter2 "with" \\ Grüße'


@pytest.mark.parametrize("form", [SECRET, json.dumps(SECRET), repr(SECRET), json.dumps([SECRET], ensure_ascii=False)])  # fmt: skip
def test_a_value_is_masked_as_programs_write_it(form: str) -> None:
    masked = Masking([SECRET.encode()]).text(f"before {form} after")
    assert "hunter2" not in masked
    assert MASK in masked
    assert masked.startswith("before ")
    assert masked.endswith(" after")


def test_each_line_of_a_key_is_masked() -> None:
    key = b"-----BEGIN TEST-----\nAAAAB3NzaC1yc2EAAAA\n-----END TEST-----\n"
    masked = Masking([key]).text("+AAAAB3NzaC1yc2EAAAA\n-other")
    assert masked == f"+{MASK}\n-other"


def test_the_longer_of_two_is_masked_whole() -> None:
    assert Masking([b"secret", b"secret-and-more"]).text("secret-and-more") == MASK


def test_ordinary_words_stay(folder: Path) -> None:
    assert Masking([b"no", b"admin"]).text("no admin") == "no admin"
    assert Masking([]).text("text") == "text"


def test_secrets_that_cannot_be_read_mask_nothing(folder: Path, home: Path) -> None:
    SecretsFile(folder).put("one", SECRET.encode())
    assert Masking.of(SecretsFile(folder)).text(SECRET) == MASK
    (home / "config/freehold/age.txt").unlink()
    assert Masking.of(SecretsFile(folder)).text("text") == "text"


@pytest.mark.timeout(120)
def test_ansible_s_log_and_failures_are_masked(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.write('- {name: Fail, ansible.builtin.fail: {msg: "no entry with hunter2-secret"}}\n')
    program = AnsibleProgram(tmp_path, secrets=FakeSecrets({"one": b"hunter2-secret"}))
    play = Play(host="here", tags=["provision"], log=tree.log)
    end = asyncio.run(program.run(play, tree.told.append))
    assert end.failures[0].reason == f"no entry with {MASK}"
    assert f"no entry with {MASK}" in tree.log.read_text()
    assert "hunter2" not in tree.log.read_text()
    assert "PLAY RECAP" in tree.log.read_text()


@pytest.mark.timeout(120)
def test_a_line_of_many_megabytes_does_not_stop_the_log(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.write("- {name: Long, ansible.builtin.debug: {msg: \"{{ 'x' * 20000000 }}\"}}\n")
    assert not tree.run().failed
    assert "too long was left out" in tree.log.read_text()
    assert "PLAY RECAP" in tree.log.read_text()
