"""What the doctor looks at: this computer or the lab, and the estate it is to carry. Made by `cli.doctor`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from freehold.model import Infra
from freehold.system import namespaces
from freehold.system.processes import Finished, run
from freehold.system.unix_http import ask

PATIENCE = 10.0  # seconds for a program or for Incus to answer a question


class NotMeasured(Exception):
    """A check cannot say anything; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """`infra` is None where there is no (valid) infra.yml.

    `lab` is the process that holds the lab's namespaces, None outside of a running lab. `root` stands in front of
    every file that is read; another folder than `/` in tests.
    """

    socket: Path
    state: Path
    infra: Infra | None = None
    in_lab: bool = False
    lab: int | None = None
    root: Path = Path("/")

    def text(self, path: str) -> str | None:
        """What is in a file of the system; None when it does not exist. Raises NotMeasured when it is not readable."""
        try:
            return (self.root / path.lstrip("/")).read_text(errors="replace")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as failure:
            raise NotMeasured(f"{path} cannot be read: {failure.strerror}.") from failure

    def number(self, path: str) -> int:
        """The number in a file of /proc/sys. Raises NotMeasured when it does not exist."""
        text = self.text(path)
        if text is None:
            raise NotMeasured(f"This kernel has no {path}.")
        return int(text)

    def exists(self, path: str) -> bool:
        """Whether there is such a file, device or folder in the system."""
        return (self.root / path.lstrip("/")).exists()

    def prefix(self) -> list[str]:
        """The command line that leads to where the estate's network is: into the lab's namespaces, or nowhere.

        Raises NotMeasured when the lab does not run.
        """
        if not self.in_lab:
            return []
        if self.lab is None:
            raise NotMeasured("The lab is not running.")
        return namespaces.enter_argv(self.lab, [], "/")

    def inside(self, argv: Sequence[str], given: str | None = None) -> Finished:
        """Run a program where the estate's network is.

        Raises NotMeasured when the lab does not run, BackendError when the program does not start or end.
        """
        return run([*self.prefix(), *argv], given=given, timeout=PATIENCE)

    def incus(self, path: str) -> Any:
        """The metadata of `GET /1.0…`; None for what does not exist. Raises NotMeasured when Incus does not answer."""
        try:
            reply = ask(self.socket, "GET", f"/1.0{path}", timeout=PATIENCE)
        except (OSError, ValueError) as failure:
            raise NotMeasured("Incus does not answer.") from failure
        if reply.code == 404:
            return None
        if reply.code >= 400 or reply.body.get("metadata") is None:
            raise NotMeasured(f"Incus refuses to say: {reply.body.get('error') or reply.code}.")
        return reply.body["metadata"]
