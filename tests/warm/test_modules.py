"""Real Ansible modules, built by Ansible itself: the warm Python answers what a fresh one answers."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible._internal._templating._engine import TemplateEngine  # noqa: F401 - Ansible's own order of imports
from ansible.executor.module_common import modify_module
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader, module_loader
from ansible.template import Templar

from tests.warm.local_program import LocalProgram

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}
# What is another each time: when, how long, which folder.
TIMES = re.compile(
    r'"(delta|start|end|[acm]time|date_time|epoch\w*|iso8601\w*|time|hour|minute|second)": ("[^"]*"|[\d.]+)'
    r"|ansible[\w.-]*_payload_\w+"
)
TASKS: dict[str, tuple[str, dict[str, Any]]] = {
    "ping": ("ping", {}),
    "stat": ("stat", {"path": "/etc/os-release"}),
    "command": ("command", {"_raw_params": "printf 'a\\303\\251\\n'; exit 3", "_uses_shell": True}),
    "command that is not there": ("command", {"_raw_params": "/nowhere/x"}),
    "wrong argument": ("stat", {"pathh": "/etc"}),
    "missing argument": ("copy", {}),
    "file": ("file", {"path": "FOLDER/d/e", "state": "directory", "mode": "0750"}),
    "lineinfile": ("lineinfile", {"path": "FOLDER/text", "line": "two", "create": True}),
    "check mode": ("file", {"path": "FOLDER/x", "state": "touch", "_ansible_check_mode": True, "_ansible_diff": True}),
    "slurp": ("slurp", {"src": "/etc/os-release"}),
    "getent": ("getent", {"database": "passwd", "key": "root"}),
    "user": ("user", {"name": "root", "_ansible_check_mode": True}),
    "find": ("find", {"paths": "FOLDER"}),
    "secret": ("command", {"_raw_params": "echo hush", "_ansible_no_log": True}),
    "deprecated": ("stat", {"path": "/etc", "get_md5": True}),
    "facts": ("setup", {"gather_subset": ["!all", "!min", "distribution"]}),
}  # fmt: skip


@pytest.fixture(scope="module")
def program() -> Iterator[LocalProgram]:
    init_plugin_loader()
    program = LocalProgram(sys.executable, ENVIRONMENT)
    program.payload(build("ping", {}))  # from here on the library is lent
    yield program
    program.stop()


def build(name: str, arguments: dict[str, Any]) -> bytes:
    """The payload that Ansible sends."""
    path = module_loader.find_plugin(f"ansible.builtin.{name}")
    built = modify_module(
        module_name=f"ansible.builtin.{name}",
        module_path=path,
        module_args=arguments,
        templar=Templar(loader=DataLoader()),
        module_compression="ZIP_DEFLATED",
    )
    content: bytes = built.b_module_data
    return content


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS.keys())
def test_the_answer_is_the_same(
    program: LocalProgram, task: tuple[str, dict[str, Any]], tmp_path: Path
) -> None:
    name, arguments = task
    answers = []
    for folder in ("fresh", "warm"):
        (tmp_path / folder).mkdir()
        text = json.dumps(arguments).replace("FOLDER", str(tmp_path / folder))
        payload = build(name, json.loads(text))
        answers.append(
            [
                re.sub(TIMES, "", each.replace(str(tmp_path / folder), "FOLDER"))
                for each in _run(program, folder, payload)
            ]
        )

    assert answers[1] == answers[0]
    assert answers[1][1]


def _run(program: LocalProgram, way: str, payload: bytes) -> list[str]:
    if way == "warm":
        answer = program.payload(payload)
        return [str(answer.code), answer.output.decode(), answer.errors.decode()]
    done = subprocess.run(
        [program.python], input=payload, capture_output=True, env=ENVIRONMENT, check=False
    )
    return [str(done.returncode), done.stdout.decode(), done.stderr.decode()]
