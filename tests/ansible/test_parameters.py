"""The module's parameters: what `ansible-doc` says of them, and what is answered to wrong ones. Needs no lab."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.freehold.estate.plugins.action.estate import KINDS, PARAMETERS
from ansible_collections.freehold.estate.plugins.action.snapshot import PARAMETERS as SNAPSHOT
from ansible_collections.freehold.estate.plugins.modules.estate import (
    EXAMPLES,
    RETURN,
)
from freehold.cli.ansible_task import Request
from freehold.providers.control.provider import KIND as AGENT
from freehold.providers.firewall.desired import KIND as FIREWALL
from freehold.providers.firewall.docker import KIND as DOCKER
from freehold.providers.firewall.router.desired import KIND as ROUTER
from freehold.providers.incus.provider import KINDS as OF_INCUS
from tests.ansible.tree import PATIENCE, PLAYBOOK

_DEFAULT_IN_WORDS = {"directory", "kinds"}


@pytest.mark.parametrize(("module", "parameters"), [("estate", PARAMETERS), ("snapshot", SNAPSHOT)])
def test_the_documentation_is_what_the_module_takes(
    module: str, parameters: dict[str, dict[str, Any]]
) -> None:
    name = f"freehold.estate.{module}"
    program = Path(sys.executable).with_name("ansible-doc")
    done = subprocess.run([program, "--json", name], capture_output=True, check=True, text=True)
    documented = json.loads(done.stdout)[name]["doc"]["options"]
    assert documented.keys() == parameters.keys()
    for option, parameter in parameters.items():
        said = {key: documented[option].get(key) for key in ("type", "elements", "choices")}
        assert said == {key: parameter.get(key) for key in said}, option
        if option not in _DEFAULT_IN_WORDS:
            assert documented[option].get("default") == parameter.get("default"), option


def test_the_examples_and_what_is_returned_can_be_read() -> None:
    tasks = yaml.safe_load(EXAMPLES)
    given = [task["freehold.estate.estate"] or {} for task in tasks]
    assert all(options.keys() <= PARAMETERS.keys() for options in given)
    assert {"plan", "changes", "orphans", "not_done"} == yaml.safe_load(RETURN).keys()


def test_the_module_knows_every_kind_of_the_infrastructure() -> None:
    assert set(KINDS) == {FIREWALL.name, DOCKER.name, ROUTER.name, AGENT.name, *OF_INCUS}


def test_defaults_are_those_of_the_command_line() -> None:
    request = Request(directory=Path(), kinds=tuple(KINDS))
    assert PARAMETERS["undo_after"]["default"] == request.undo_after
    assert PARAMETERS["lock_timeout"]["default"] == request.lock_timeout


_WRONG = """
- name: Wrong ones
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Too soon
      freehold.estate.estate: {undo_after: 2}
      ignore_errors: true
    - name: No such kind
      freehold.estate.estate: {kinds: [bridges]}
      ignore_errors: true
    - name: No such parameter
      freehold.estate.estate: {limits: [home]}
      ignore_errors: true
    - name: In the background
      freehold.estate.estate: {}
      async: 10
      ignore_errors: true
    - name: No infra.yml
      freehold.estate.estate: {}
      ignore_errors: true
    - name: Another folder
      freehold.estate.estate: {directory: estate, lab: true}
"""


def test_wrong_parameters_are_named(tmp_path: Path) -> None:
    (tmp_path / "wrong.yml").write_text(_WRONG)
    (tmp_path / "estate").mkdir()
    (tmp_path / "estate" / "infra.yml").write_text("freehold: 1\nname: Cottage\n")
    done = subprocess.run(
        [str(PLAYBOOK), "wrong.yml"],
        cwd=tmp_path,
        env=os.environ | {"ANSIBLE_HOME": str(tmp_path / ".ansible"), "COLUMNS": "400"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == 2, said
    assert "undo_after is from 3 to 600 seconds" in said
    assert "kinds must be one or more of: project, bridge" in said
    assert "Got no match for: bridges" in said
    assert "Supported parameters include: confirm, directory, kinds" in said
    assert "does not support async" in said
    assert f"There is no `{tmp_path}/infra.yml`" in said
    assert f"{tmp_path}/estate/infra.yml:2:7" in said
    assert "Traceback" not in said
