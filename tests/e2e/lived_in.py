"""An estate in whose machines something is written, for the tests of snapshots: files in machines, what Incus has of snapshots."""

import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from freehold.operations.lab import Lab
from freehold.system.namespaces import enter_argv
from freehold.system.unix_http import ask
from tests.e2e.estate import Done, Estate, pid_of

NOTES = ("/root/note", "/data/note")  # on the root disk, and in the volume
_PATIENCE = 60.0

THREE_WITH_VOLUMES = """
    freehold: 1
    name: cottage
    snapshots:
      pre: rm -f /root/after; echo started > /root/before
      post: echo ended > /root/after
    domains:
      home: {subnet_id: 11, machines: {desk: {ip: 10.100.11.10, volumes: {data: {path: /data}}}}}
      lodge: {subnet_id: 12, machines: {till: {ip: 10.100.12.10, volumes: {data: {path: /data}}}}}
      mill: {subnet_id: 13, machines: {wheel: {ip: 10.100.13.10, volumes: {data: {path: /data}}}}}
    """


class LivedIn(Estate):
    """Machines are named DOMAIN/MACHINE here too."""

    def shell(self, machine: str, script: str) -> str:
        """What a script in it prints; it must exit 0."""
        return self.inside(machine, "sh", "-c", script).strip()

    def in_lab(self, *command: str) -> str:
        """What a command prints where the lab's Incus runs."""
        argv = enter_argv(pid_of(self.lab), command, "/")
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout

    def follow(self, told: str) -> None:
        """Do what the error about a disk that was left beside tells."""
        assert "error[restore-cut-off]" in told, told
        *mends, again = re.findall(r"^ +(freehold .+)$", told, re.MULTILINE)
        for mend in mends:
            assert mend.startswith("freehold lab run -- ")
            self.in_lab(*mend.removeprefix("freehold lab run -- ").split())
        assert again.startswith("freehold --lab snapshot restore home/desk")
        self.ok(*again.removeprefix("freehold --lab ").split(), "--yes")

    def note(self, machine: str, text: str, *paths: str) -> None:
        for path in paths or NOTES:
            self.shell(machine, f"echo {text} > {path}")

    def notes(self, machine: str, *paths: str) -> list[str]:
        return self.shell(machine, f"cat {' '.join(paths or NOTES)}").split()

    def snapshot(self, *words: str) -> Done:
        return self.ok("snapshot", *words)

    def listed(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.snapshot("list", "--json").document["snapshots"]
        return found

    def names(self) -> dict[str, list[str]]:
        """Machine to the names of its snapshots, in the order of the list."""
        found: dict[str, list[str]] = {}
        for each in self.listed():
            found.setdefault(each["machine"], []).append(each["name"])
        return found

    def instances(self) -> dict[str, Any]:
        """What Incus has of every machine, by name, without what changes by itself; snapshots included."""
        raw = self.get("/instances?recursion=2&all-projects=true")
        moving = ("state", "last_used_at")
        return {i["name"]: {k: v for k, v in i.items() if k not in moving} for i in raw}

    def volumes(self) -> dict[tuple[str, str], Any]:
        """The same of volumes, by project and name; a snapshot is `NAME/SNAPSHOT`."""
        pools = (url.rsplit("/", 1)[1] for url in self.get("/storage-pools"))
        raw = [
            {**volume, "pool": pool}
            for pool in pools
            for volume in self.get(
                f"/storage-pools/{pool}/volumes/custom?recursion=1&all-projects=true"
            )
        ]
        return {(volume["project"], volume["name"]): volume for volume in raw}

    def stored(self) -> set[str]:
        """Every snapshot that Incus has, of machines and of volumes: `home-desk/NAME`, `desk.data/NAME`."""
        of_machines = (
            f"{name}/{snapshot['name']}"
            for name, instance in self.instances().items()
            for snapshot in instance["snapshots"] or ()
        )
        return {*of_machines, *(name for _, name in self.volumes() if "/" in name)}

    def fresh(self) -> None:
        """All machines run, there are no snapshots, and nothing says that something is half done."""
        self.end_all()
        self.lab.start()
        for instance in self.instances().values():
            home = {"name": instance["name"], "project": instance["project"]}
            if instance["status"] != "Running":
                self._ask(
                    "PUT", "/instances/{name}/state?project={project}", home, {"action": "start"}
                )
            for snapshot in instance["snapshots"] or ():
                at = {**home, "snapshot": snapshot["name"]}
                self._ask("DELETE", "/instances/{name}/snapshots/{snapshot}?project={project}", at)
        for (project, name), volume in self.volumes().items():
            whose, _, snapshot = name.partition("/")
            if snapshot:
                at = {
                    "pool": volume["pool"],
                    "name": whose,
                    "snapshot": snapshot,
                    "project": project,
                }
                path = "/storage-pools/{pool}/volumes/custom/{name}/snapshots/{snapshot}?project={project}"
                self._ask("DELETE", path, at)

    def at_rest(self) -> None:
        """Incus has ended what it was doing for somebody who was killed."""
        soon(lambda: "running" not in self.get("/operations?all-projects=true"))

    def _ask(self, method: str, path: str, at: Mapping[str, str], content: object = None) -> None:
        body = ask(self.lab.socket, method, "/1.0" + path.format_map(at), content).body
        if body["type"] == "async":
            body = ask(self.lab.socket, "GET", f"{body['operation']}/wait", timeout=60.0).body
            assert body["metadata"]["status"] == "Success", body

    def run_states(self) -> Mapping[str, str]:
        return {name: instance["status"] for name, instance in self.instances().items()}

    def soon_running(self, *machines: str) -> None:
        """They are not frozen, within seconds."""
        soon(lambda: {self.run_states()[m.replace("/", "-")] for m in machines} == {"Running"})


def soon(holds: Callable[[], bool], seconds: float = _PATIENCE) -> None:
    """Return once it holds."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.1)


@contextmanager
def lived_in(folder: Path, lab: Lab, text: str) -> Iterator[LivedIn]:
    """Applied, with a file on every disk; gone afterwards."""
    estate = LivedIn(folder, lab)
    estate.write(text)
    try:
        estate.ok("apply", "--yes")
        yield estate
    finally:
        estate.end_all()
        lab.start()  # a test may have left the daemon ended
        estate.freehold("destroy", "--yes", "--confirm", "cottage")
