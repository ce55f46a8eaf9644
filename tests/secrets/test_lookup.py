"""The lookup of the collection: what `!secret NAME` becomes in the tree, asked by Ansible itself."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from freehold.providers.ansible.secret_lookups import looked_up, with_lookups
from freehold.providers.ansible.tree import generated
from freehold.system.secrets.store import SecretsFile
from tests.provider.estate import infra_of

ESTATE = """\
    freehold: 1
    name: maison
    defaults: {provision: {vars: {common: !secret everywhere}}}
    domains:
      home:
        subnet_id: 7
        machines:
          box:
            provision: {vars: {token: !secret api_token, deep: [{it: !secret "api_token"}], plain: text}}
    hosts:
      cortex: {address: 203.0.113.20, provision: {vars: {token: !secret host_token}}}
    """


def test_the_tree_has_lookups_where_infra_yml_has_references(tmp_path: Path) -> None:
    files = {file.name: file.body for file in generated(infra_of(tmp_path, ESTATE), [])}
    lookup = "'{{ lookup(''freehold.estate.secret'', ''api_token'') }}'"
    assert f"token: {lookup}\n" in files["host_vars/home-box.yml"]
    assert f"it: {lookup}\n" in files["host_vars/home-box.yml"]
    assert any(
        looked_up(text) == {"everywhere"}
        for name, text in files.items()
        if name.startswith("group_vars/")
    )
    assert looked_up(files["host_vars/home-box.yml"]) >= {"api_token"}
    assert looked_up(files["host_vars/cortex.yml"]) == {"host_token"}


def test_what_is_no_reference_stays_as_it_is(tmp_path: Path) -> None:
    infra = infra_of(tmp_path, ESTATE)
    variables = infra.domains[0].machines[0].provision.vars
    assert with_lookups(variables)["plain"] == "text"
    assert looked_up('{{ lookup( "freehold.estate.secret" , "mine") }}') == {"mine"}
    assert looked_up("lookup('file', 'x')") == set()


def ask(folder: Path, *names: str) -> "subprocess.CompletedProcess[str]":
    """Ansible's own command, in a folder with a playbook that asserts nothing and shows what it is given."""
    words = ", ".join(f"'{name}'" for name in names)
    message = f"{{{{ lookup('freehold.estate.secret', {words}, wantlist=true) | map('length') }}}}"
    (folder / "ask.yml").write_text(
        "- hosts: localhost\n  gather_facts: false\n  tasks:\n"
        f'    - ansible.builtin.debug: {{msg: "{message}"}}\n'
    )
    return subprocess.run(
        [sys.executable, "-m", "ansible", "playbook", "-i", "localhost,", "ask.yml"],
        cwd=folder,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.timeout(200)
def test_ansible_gets_values_and_words_for_what_is_not_there(folder: Path) -> None:
    secrets = SecretsFile(folder)
    secrets.put("one", b"{{ 7 * 6 }} is no template")
    secrets.put("raw", b"\xff\xfe")
    done = ask(folder, "one")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "26" in done.stdout  # its letters, as they are
    missing = ask(folder, "ome")
    assert missing.returncode != 0
    said = missing.stdout + missing.stderr
    assert "There is no secret of this name" in said
    assert "freehold secret set ome" in said
    assert "is not text" in (raw := ask(folder, "raw")).stdout + raw.stderr
