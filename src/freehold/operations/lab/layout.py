"""Where everything of one lab lies. All of it is in one folder, the lab's root, but for the image cache.

Called by every module of the lab. Pure but for `open_folder` and the environment's two variables.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from freehold.diagnostics import Diagnostic, UsageError
from freehold.system.host_agent.charge import Charge

DEFAULT_ROOT = Path("/var/lib/freehold/lab")
DEFAULT_CACHE = Path("/var/cache/freehold/images")
SOCKET_LIMIT = 107  # bytes of a path in sockaddr_un, unix(7)
LONGEST_SOCKET = "incus/seccomp.socket"


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of the lab that lives in `root` (absolute)."""

    root: Path

    @property
    def identifier(self) -> str:
        """Eight characters that tell this lab from every other one on the machine."""
        return hashlib.sha256(os.fsencode(self.root)).hexdigest()[:8]

    @property
    def cgroup(self) -> str:
        """The name of the lab's cgroup, right below the root of the v2 hierarchy."""
        return f"freehold-lab-{self.identifier}"

    @property
    def options(self) -> Path:
        return self.root / "lab.json"

    @property
    def holder(self) -> Path:
        """Which process holds the namespaces; written by the holder's parent."""
        return self.root / "holder.json"

    @property
    def lock(self) -> Path:
        return self.root / "lab.lock"

    @property
    def log(self) -> Path:
        return self.root / "lab.log"

    @property
    def daemon_log(self) -> Path:
        return self.root / "incusd.log"

    @property
    def daemon_ended(self) -> Path:
        """Exists while incusd is not running though the holder is; its text says how incusd ended."""
        return self.root / "incusd.ended"

    @property
    def incus(self) -> Path:
        """INCUS_DIR of the lab's daemon."""
        return self.root / "incus"

    @property
    def socket(self) -> Path:
        return self.incus / "unix.socket"

    @property
    def client(self) -> Path:
        """INCUS_CONF of the `incus` client inside the lab, so that the user's own remotes play no part."""
        return self.root / "client"

    @property
    def temporary(self) -> Path:
        return self.root / "tmp"

    @property
    def subordinate(self) -> Path:
        """What the lab sees as /etc/subuid and /etc/subgid."""
        return self.root / "subordinate-ids"

    @property
    def firewall(self) -> Path:
        """The rules that are loaded before incusd starts."""
        return self.root / "firewall"

    def charge(self, estate: str, base: str) -> Charge:
        """What the agent of an estate is to do in the lab; the name of its socket is short (`LONGEST_SOCKET`)."""
        digest = hashlib.sha256(estate.encode()).hexdigest()[:8]
        return Charge(
            estate=estate,
            base=base,
            listen=str(self.firewall / f"{digest}.s"),
            incus=str(self.socket),
            rules=str(self.firewall),
            ways=str(self.firewall),
        )

    @property
    def egress(self) -> Path:
        """What machines with egress see at `egress.machines.INSIDE`."""
        return self.root / "egress"

    @property
    def egress_socket(self) -> Path:
        """Where the proxy of egress listens."""
        return self.root / "egress.sock"

    @property
    def egress_record(self) -> Path:
        """Which process that proxy is; written by its parent."""
        return self.root / "egress.json"

    @property
    def egress_log(self) -> Path:
        return self.root / "egress.log"

    @property
    def ssh(self) -> Path:
        """What leads by SSH to the hosts that are played here: `entrance.py`."""
        return self.root / "ssh"

    @property
    def everything(self) -> tuple[Path, ...]:
        """All that a lab ever writes in its root; the lock last."""
        return (
            self.incus, self.client, self.firewall, self.temporary, self.subordinate, self.holder, self.daemon_ended,
            self.egress, self.egress_socket, self.egress_record, self.egress_log, self.ssh, self.log, self.daemon_log, self.options, self.lock,
        )  # fmt: skip


def default_root(environment: Mapping[str, str] = os.environ) -> Path:
    """$FREEHOLD_LAB, else the system's folder for it."""
    return Path(environment.get("FREEHOLD_LAB") or DEFAULT_ROOT)


def default_cache(environment: Mapping[str, str] = os.environ) -> Path:
    """Where images are kept for all labs: $FREEHOLD_CACHE, else the system's folder for it."""
    return Path(environment.get("FREEHOLD_CACHE") or DEFAULT_CACHE)


def layout(root: Path) -> Layout:
    """The layout of the lab in `root`. Raises UsageError when sockets in it would have too long a path."""
    found = Layout(root.expanduser().resolve())
    longest = len(os.fsencode(found.root / LONGEST_SOCKET))
    if longest > SOCKET_LIMIT:
        raise UsageError(_too_long(found.root, longest - SOCKET_LIMIT))
    return found


def open_folder(root: Path) -> None:
    """Make the lab's folder, such that machines find their way into it: their root is nobody special outside.

    Raises UsageError when a folder above lets only its owner pass, as /root does.
    """
    root.mkdir(parents=True, exist_ok=True)
    root.chmod(root.stat().st_mode | 0o011)
    closed = [folder for folder in root.parents if not folder.stat().st_mode & 0o001]
    if closed:
        raise UsageError(_closed(root, closed[0]))


def _closed(root: Path, folder: Path) -> Diagnostic:
    return Diagnostic(
        code="lab-folder-closed",
        summary="The lab's machines could not enter its folder",
        detail=f"{root} lies in {folder}, which only its owner may pass; the root user of a machine is somebody else.",
        hint=f"Choose another folder with FREEHOLD_LAB, such as {DEFAULT_ROOT}.",
    )


def _too_long(root: Path, excess: int) -> Diagnostic:
    return Diagnostic(
        code="lab-path-too-long",
        summary="The lab's folder has too long a path",
        detail=f"The path of a unix socket may have {SOCKET_LIMIT} bytes; in {root} it would have {excess} more.",
        hint=f"Choose a folder with a shorter path, such as {DEFAULT_ROOT}, with FREEHOLD_LAB.",
    )
