"""Real Ansible modules, built by Ansible itself: the warm Python answers what a fresh one answers."""

import base64
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.warm.local_program import PYTHON, LocalProgram

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}
# What is another each time: when, how long, which folder.
TIMES = re.compile(
    r'"(inode|delta|start|end|[acm]time|date_time|epoch\w*|iso8601\w*|time|hour|minute|second)": ("[^"]*"|[\d.]+)'
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
    program = LocalProgram(PYTHON, ENVIRONMENT)
    program.payload(built([("ping", {})])[0])  # from here on the library is lent
    yield program
    program.stop()


def built(tasks: Sequence[tuple[str, dict[str, Any]]]) -> list[bytes]:
    """The payloads that Ansible would send for these."""
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("build_payloads.py")],
        input=json.dumps(tasks), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [base64.b64decode(payload) for payload in json.loads(done.stdout)]


@pytest.mark.slow
def test_the_answers_are_the_same(program: LocalProgram, tmp_path: Path) -> None:
    answers: dict[str, dict[str, list[str]]] = {}
    for way in ("fresh", "warm"):
        folder = tmp_path / way
        folder.mkdir()
        tasks = json.loads(json.dumps(list(TASKS.values())).replace("FOLDER", str(folder)))
        answers[way] = {
            name: [
                TIMES.sub("", word.replace(str(folder), "FOLDER"))
                for word in _run(program, way, payload)
            ]
            for name, payload in zip(TASKS, built(tasks), strict=True)
        }

    assert answers["warm"] == answers["fresh"]
    assert all(output for _, output, _ in answers["warm"].values())


def _run(program: LocalProgram, way: str, payload: bytes) -> list[str]:
    if way == "warm":
        answer = program.payload(payload)
        return [str(answer.code), answer.output.decode(), answer.errors.decode()]
    done = subprocess.run(
        [program.python], input=payload, capture_output=True, env=ENVIRONMENT, check=False
    )
    return [str(done.returncode), done.stdout.decode(), done.stderr.decode()]
