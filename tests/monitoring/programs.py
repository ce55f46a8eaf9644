"""Prometheus and what belongs to it as Debian 13 has them, unpacked into a folder and run on loopback, each on a free port.

The makers' images cannot be had without a registry; Debian's programs read the same files. Older ones than Debian 13's do not
know `bot_token_file`, so this machine's own packages do not count.
"""

import contextlib
import os
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from freehold.operations.lab.debian import KEYRING, apt_proxies, debian_mirror

PACKAGES = ("prometheus", "prometheus-alertmanager", "prometheus-node-exporter", "prometheus-blackbox-exporter")  # fmt: skip
RELEASE = "trixie"
PATIENCE = 60.0  # seconds for what should happen soon; computers are busy
LOOPBACK = "127.0.0.1"


def unpacked() -> Path:
    """The folder of the programs: made once, in some 15 s, and kept in this user's cache."""
    kept = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "freehold"
    ready = kept / f"test-programs-{RELEASE}"
    if not ready.exists():
        kept.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept) as folder:
            made = _unpack(Path(folder, "debian"))
            with contextlib.suppress(OSError):  # another run was first
                made.rename(ready)
    return ready / "usr/bin"


def _unpack(folder: Path) -> Path:
    mirror = debian_mirror()
    assert mirror is not None, "apt on this machine knows no Debian mirror"
    argv = [
        "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
        "mmdebstrap", "--mode=root", "--variant=extract", "--quiet", f"--keyring={KEYRING}",
        f"--include={','.join(PACKAGES)}", RELEASE, str(folder), mirror,
    ]  # fmt: skip
    variables = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **apt_proxies()}
    done = subprocess.run(argv, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def checked(program: Path, *arguments: str | Path) -> str:
    """What a program says that must find nothing wrong."""
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def with_debian(programs: Path, name: str, *arguments: str) -> list[str]:
    """A program that sees Debian 13's /usr/share in place of this machine's: Debian's Alertmanager has its own templates there."""
    share = programs.parent / "share"
    script = 'mount --bind "$0" /usr/share && exec "$@"'
    private = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, str(share)]
    return [*private, str(programs / name), *arguments]


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(folder: Path, *argv: str | Path, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """A program while the block lasts; what it says goes to `NAME.log` in the folder."""
    with log_of(folder, argv[0]).open("ab") as said:
        process = subprocess.Popen(argv, stdout=said, stderr=said, env={**os.environ, **variables})
    try:
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE)


def log_of(folder: Path, program: str | Path) -> Path:
    """Where it says what it says."""
    return folder / f"{Path(program).name}.log"


def wait_for(what: Callable[[], Any], why: str, seconds: float = PATIENCE) -> Any:
    """The first true answer."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds:.0f} s: {why}")


def answer(url: str, data: bytes | None = None, kind: str = "application/json") -> bytes | None:
    """What is answered there; None where nobody answers or refuses."""
    request = urllib.request.Request(url, data, {"Content-Type": kind})
    try:
        with urllib.request.urlopen(request, timeout=5) as got:
            content: bytes = got.read()
            return content
    except (OSError, urllib.error.HTTPError):
        return None
