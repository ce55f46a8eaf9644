"""An estate's folder with the Ansible tree of `freehold sync`, used with Ansible's own command."""

import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.estate import Estate

PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
PATIENCE = 180.0  # seconds for a whole playbook on a busy machine
_TASK = re.compile(r"^TASK \[(?:freehold\.estate\.)?(?P<name>.*)\] \**$")
_STATUS = re.compile(r"^(?P<status>ok|changed|skipping|failed|fatal): \[(?P<host>[^]]+)\]")
_VALIDATION = "Validating arguments"


@dataclass(frozen=True, slots=True)
class Played:
    """How a playbook ended, and what it printed."""

    code: int
    text: str

    @property
    def said(self) -> str:
        """All of it, its lines joined."""
        return " ".join(self.text.split())

    @property
    def statuses(self) -> Mapping[tuple[str, str], str]:
        """Role and host to the worst that a task of it ended with; Ansible's own look at parameters is none."""
        worst: dict[tuple[str, str], str] = {}
        task = ""
        for line in self.text.splitlines():
            if found := _TASK.match(line):
                task = found["name"]
            elif (found := _STATUS.match(line)) and _VALIDATION not in task:
                key = (task.split(" : ")[0], found["host"])
                if worst.get(key, "ok") == "ok":
                    worst[key] = found["status"]
        return worst

    @property
    def changed(self) -> set[tuple[str, str]]:
        """Which roles changed something on which host."""
        return {key for key, status in self.statuses.items() if status == "changed"}

    @property
    def failed(self) -> set[tuple[str, str]]:
        return {key for key, status in self.statuses.items() if status in ("fatal", "failed")}


class Tree(Estate):
    """The folder, and the lab that its machines run in."""

    def environment(self) -> dict[str, str]:
        return super().environment() | {
            "ANSIBLE_HOME": str(self.folder / ".ansible"),
            "ANSIBLE_NOCOLOR": "1",
        }

    def synced(self, text: str) -> None:
        """Write infra.yml and the tree beside it."""
        self.write(text)
        self.ok("sync")

    def start_site(self, *words: str) -> "subprocess.Popen[str]":
        """Start site.yml in the background, until `end_of_site`."""
        return self.start_playbook("site.yml", "-e", "freehold_lab=true", *words)

    def start_playbook(
        self, *words: str, more: dict[str, str] | None = None
    ) -> "subprocess.Popen[str]":
        """Any playbook; `more` are variables of its environment."""
        process = subprocess.Popen(
            [str(PLAYBOOK), *words],
            cwd=self.folder,
            env=self.environment() | (more or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def end_of_site(self, process: "subprocess.Popen[str]") -> Played:
        text, _ = process.communicate(timeout=PATIENCE)
        assert "Traceback" not in text, text
        return Played(process.returncode, text)

    def site(self, *words: str) -> Played:
        """Run site.yml to its end."""
        return self.end_of_site(self.start_site(*words))

    def site_ok(self, *words: str) -> Played:
        """Run it; it must succeed."""
        played = self.site(*words)
        assert played.code == 0, played.text
        return played

    def everything(self) -> Any:
        """What Incus has, as far as it is anybody's work: it must be the same when nothing was changed."""
        parts = ("projects", "networks", "profiles", "instances", "storage-pools/default/volumes")
        found = {part: self.get(f"/{part}?recursion=1&all-projects=true") for part in parts}
        for raw in found["instances"]:
            raw.pop("last_used_at", None)
        return found
