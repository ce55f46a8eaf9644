"""ansible-lint finds nothing, by its production profile: in the collection, and in a tree that `freehold sync` writes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

PROGRAMS = Path(sys.executable).parent

# What an estate may ask for, in the shapes that linters stumble over.
ESTATE = """\
freehold: 1
name: lint
defaults:
  provision:
    roles: [base_system, own]
    vars:
      own_country: "no"
      own_port: "0o22"
      own_words: >-
        a: b # c, with {{ inventory_hostname }} in it, far longer than any linter lets a line of text be,
        so that it has to be broken somewhere by whoever writes it into another file, however that is done
domains:
  one:
    subnet_id: 1
    machines:
      plain: {}
      full:
        provision:
          apt: [tree, "less=590-2"]
          pip: ["packaging>=24,<26"]
          git:
            - {repo: https://git.example.org/app.git, dest: /opt/app, version: "1.0"}
          files:
            - {src: files/note, dest: /etc/note, owner: root, group: adm, mode: "0640"}
          templates:
            - {src: files/note, dest: /etc/other}
          script:
            - {src: files/note, creates: /var/lib/noted}
          vars:
            own_list: [{name: ada, keys: ["ssh-ed25519 AAAA ada@example.org"]}, {name: bob, keys: []}]
            own_text: |
              several lines

              of text
  two:
    subnet_id: 2
    internet: false
    machines:
      other: {}
"""


def run(folder: Path, program: str, *options: str) -> str:
    """What a program of this environment says; it must end well."""
    done = subprocess.run(
        [PROGRAMS / program, *options],
        cwd=folder,
        env={
            **os.environ,
            "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
            "NO_COLOR": "1",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.slow
def test_nothing_in_the_collection() -> None:
    """As `ansible-lint` typed in the repository; `make check` leaves out the Molecule scenarios."""
    said = run(ROOT, "ansible-lint")
    assert "Passed: 0 failure(s), 0 warning(s)" in said
    assert "'production' was required, and it passed" in said


def test_nothing_in_a_tree_that_sync_writes(tmp_path: Path) -> None:
    """As `make lint` in the estate's folder. The role is what a user may have."""
    run(tmp_path, "freehold", "init", ".", "--blueprint", "workstation")
    (tmp_path / "infra.yml").write_text(ESTATE)
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "note").write_text("a note\n")
    tasks = tmp_path / "roles" / "own" / "tasks"
    tasks.mkdir(parents=True)
    (tasks / "main.yml").write_text("---\n- name: Own\n  ansible.builtin.meta: noop\n")
    run(tmp_path, "freehold", "sync")
    said = run(tmp_path, "ansible-lint", "--offline", "--profile", "production")
    assert "Passed: 0 failure(s), 0 warning(s)" in said


def test_a_finding_is_found(tmp_path: Path) -> None:
    run(tmp_path, "freehold", "init", ".", "--blueprint", "workstation")
    run(tmp_path, "freehold", "sync")
    with (tmp_path / "site.yml").open("a") as site:
        site.write("\n- hosts: all\n  tasks:\n    - name: shout\n      shell: echo hello\n")
    with pytest.raises(AssertionError, match=r"command-instead-of-shell"):
        run(tmp_path, "ansible-lint", "--offline", "--profile", "production")
