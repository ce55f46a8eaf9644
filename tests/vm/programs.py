"""Programs of this machine, and programs of a Debian that lies in a folder. Used by the modules beside this one."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SECONDS = 3000.0  # for one program; a busy machine unpacks 350 packages


def inside(system: Path, argv: Sequence[str], binds: Mapping[str, Path] | None = None) -> list[str]:
    """The command line that runs a program of the system in a folder; `binds` are folders of this machine by where it sees them.

    In namespaces of its own: no mount stays behind, and there is no network at all.
    """
    steps = [f"mount --bind '{source}' '{system}{target}'" for target, source in (binds or {}).items()]  # fmt: skip
    steps += [f"mount -t proc proc '{system}/proc'", f"exec chroot '{system}' \"$@\""]
    private = ["unshare", "--mount", "--net", "--propagation", "private"]
    return [*private, "sh", "-ec", "\n".join(steps), "sh", *argv]


def run(argv: Sequence[str], **variables: str) -> None:
    """Run it to its end. Fails the test with its words."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=_SECONDS, env={"PATH": _PATH, **variables})  # fmt: skip
    assert done.returncode == 0, f"{argv}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
