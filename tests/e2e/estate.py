"""An estate as its user has it: a folder with infra.yml, and the installed command run on it as a process."""

import json
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from freehold.operations.lab import Lab
from freehold.operations.lab.record import read_holder
from freehold.system.namespaces import enter_argv
from freehold.system.unix_http import ask
from tests.e2e.execution import execute

FREEHOLD = Path(sys.executable).with_name("freehold")
PATIENCE = 180.0  # seconds for any one command

TWO_MACHINES = """
    freehold: 1
    name: cottage
    domains:
      home:
        subnet_id: 11
        machines:
          desk: {ip: 10.100.11.10, memory: 512MiB}
          shelf: {ip: 10.100.11.11}
    """

THREE_DOMAINS = """
    freehold: 1
    name: cottage
    domains:
      home: {subnet_id: 11, machines: {desk: {ip: 10.100.11.10}}}
      lodge: {subnet_id: 12, machines: {till: {ip: 10.100.12.10}}}
      mill: {subnet_id: 13, machines: {wheel: {ip: 10.100.13.10}}}
    """


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended, and what it said where."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Everything, its lines joined: messages are wrapped at the terminal's width."""
        return " ".join((self.out + " " + self.err).split())

    @property
    def document(self) -> Any:
        """What was printed on standard output, which holds JSON and nothing else."""
        return json.loads(self.out)


@dataclass
class Estate:
    """A folder, and the lab that its machines run in."""

    folder: Path
    lab: Lab
    prefix: Sequence[str] = ()
    started: list["subprocess.Popen[str]"] = field(default_factory=list)

    def write(self, text: str) -> None:
        (self.folder / "infra.yml").write_text(textwrap.dedent(text), encoding="utf-8")

    def edit(self, old: str, new: str) -> None:
        """Replace what must be there in infra.yml."""
        path = self.folder / "infra.yml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def argv(self, *words: str | Path) -> list[str]:
        return [*self.prefix, str(FREEHOLD), "--lab", *map(str, words)]

    def environment(self) -> dict[str, str]:
        return os.environ | {"FREEHOLD_LAB": str(self.lab.root), "NO_COLOR": "1", "COLUMNS": "400"}

    def freehold(self, *words: str | Path) -> Done:
        """Run it to its end, with nobody at standard input."""
        done = subprocess.run(
            self.argv(*words),
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        assert "This is a bug" not in done.stderr, done.stderr + self.bug()
        return Done(done.returncode, done.stdout, done.stderr)

    def bug(self) -> str:
        reports = sorted(self.folder.glob(".freehold/freehold-bug-*.txt"))
        return reports[-1].read_text() if reports else ""

    def ok(self, *words: str | Path) -> Done:
        """Run it; it must exit 0."""
        done = self.freehold(*words)
        assert done.code == 0, done
        return done

    def start(self, *words: str | Path) -> "subprocess.Popen[str]":
        """Run it in the background, until `end_of`."""
        process = subprocess.Popen(
            self.argv(*words),
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def end_of(self, process: "subprocess.Popen[str]") -> Done:
        out, err = process.communicate(timeout=PATIENCE)
        assert "Traceback" not in err, err
        assert "This is a bug" not in err, err + self.bug()
        return Done(process.returncode, out, err)

    def end_all(self) -> None:
        """Nothing that was started here goes on."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.communicate()

    def runs(self) -> list[Path]:
        return sorted((self.folder / ".freehold" / "runs").glob("*.jsonl"))

    def start_apply(self, *words: str) -> "subprocess.Popen[str]":
        """Start an apply and return when it has begun to change things."""
        before = len(self.runs())
        process = self.start("apply", "--yes", *words)
        until = time.monotonic() + PATIENCE
        while process.poll() is None and time.monotonic() < until:
            runs = self.runs()
            if len(runs) > before and "change-started" in runs[-1].read_text():
                return process
            time.sleep(0.01)
        raise AssertionError(self.end_of(process))

    def plan(self, *words: str) -> Any:
        return self.ok("plan", "--json", *words).document

    def settled(self) -> None:
        """Everything is as infra.yml says, and every way of asking says so."""
        verified = self.freehold("verify")
        assert verified.code == 0, verified
        planned = self.freehold("plan", "--detailed-exitcode")
        assert planned.code == 0, planned

    def incus(self, *words: str) -> str:
        """What somebody types with Incus's own client."""
        done = subprocess.run(
            enter_argv(pid_of(self.lab), ["incus", *words], "/"),
            env=self.lab.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done
        return done.stdout

    def inside(self, machine: str, *command: str) -> str:
        """What a command in DOMAIN/MACHINE prints; it must exit 0."""
        project, instance = machine.partition("/")[0], machine.replace("/", "-")
        code, output, errors = execute(self.lab.socket, project, instance, *command)
        assert code == 0, (command, output, errors)
        return output

    def get(self, path: str) -> Any:
        """The metadata of a GET on the lab's Incus."""
        answer = ask(self.lab.socket, "GET", f"/1.0{path}")
        assert answer.code == 200, answer
        return answer.body["metadata"]

    def states(self) -> Mapping[str, tuple[str, tuple[str, ...]]]:
        """Machine to (state, addresses), as `status --json` tells."""
        document = self.ok("status", "--json").document
        return {m["name"]: (m["state"], tuple(m["addresses"])) for m in document["machines"]}


def pid_of(lab: Lab) -> int:
    """The process that holds the lab's namespaces."""
    holder = read_holder(lab._place)
    assert holder is not None
    return holder[0].pid


def told(plan: Any) -> dict[str, tuple[str, str | None, tuple[str, ...]]]:
    """A plan's changes as address: (action, impact, paths of fields); paths only where something is corrected."""
    return {
        change["address"]: (
            change["action"],
            change["impact"],
            tuple(field["path"] for field in change["fields"])
            if change["action"] in ("update", "replace")
            else (),
        )
        for change in plan["changes"]
    }


def created(*addresses: str) -> dict[str, tuple[str, None, tuple[()]]]:
    return dict.fromkeys(addresses, ("create", None, ()))


def deleted(*addresses: str) -> dict[str, tuple[str, None, tuple[()]]]:
    return dict.fromkeys(addresses, ("delete", None, ()))
