"""What one agent is there for, as a file beside its program; written by `program.py`, read by `operations.host_agent`."""

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from ipaddress import IPv4Network
from pathlib import Path

SUFFIX = ".agent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """One estate on one host: its network, and where things are. All paths are the host's.

    `listen` is the agent's socket, `incus` that of Incus. `rules` and `ways` are the folders of `BootRules` and
    `RoutingProgram`, `units` that of systemd's unit files, empty where no systemd reads them.
    """

    estate: str
    base: str
    listen: str
    incus: str
    rules: str
    ways: str
    units: str = ""

    @property
    def network(self) -> IPv4Network:
        return IPv4Network(self.base)

    def dump(self) -> str:
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def read(cls, path: Path) -> "Charge | None":
        """What the file says; None when there is none, or none of this version. Raises OSError for any other reason."""
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            return cls(**{each.name: str(document[each.name]) for each in fields(cls)})
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None


def code_digest(package: Path) -> str:
    """A fingerprint of a Freehold: equal for equal code, wherever it lies. `package` is the folder `freehold`."""
    total = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        total.update(f"{path.relative_to(package)}\0".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:16]
