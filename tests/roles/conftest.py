"""Runs plays with the collection's roles as a user does: `ansible-playbook` in a folder of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

Done = subprocess.CompletedProcess[str]
Hosts = Mapping[str, Mapping[str, Any]]
_PROGRAM = Path(sys.executable).parent / "ansible-playbook"


def play(folder: Path, role: str, hosts: Hosts, *options: str) -> Done:
    """Play one role on hosts with their variables, in the folder; further options follow."""
    process = starting(folder, role, hosts, *options)
    out, err = process.communicate()
    return Done(process.args, process.returncode, out, err)


def starting(folder: Path, role: str, hosts: Hosts, *options: str) -> "subprocess.Popen[str]":
    """The same, not waited for, in a session of its own."""
    roles = [f"freehold.estate.{role}"]
    plays = [{"name": "Test", "hosts": "all", "gather_facts": False, "roles": roles}]
    (folder / "play.yml").write_text(yaml.safe_dump(plays), encoding="utf-8")
    inventory = {"all": {"hosts": {name: dict(variables) for name, variables in hosts.items()}}}
    (folder / "hosts.yml").write_text(yaml.safe_dump(inventory), encoding="utf-8")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ANSIBLE_", "INCUS_"))}
    settings = {"ANSIBLE_HOME": str(folder / "ansible"), "ANSIBLE_NOCOLOR": "1"}
    return subprocess.Popen(
        [sys.executable, str(_PROGRAM), "--inventory", "hosts.yml", "play.yml", *options],
        cwd=folder,
        env={**kept, **settings},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
