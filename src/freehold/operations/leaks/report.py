"""What was seen of services behind a VPN, as values. Pure; made by `verdict`, shown by `views.leaks`."""

from dataclasses import dataclass
from enum import StrEnum


class Moment(StrEnum):
    """When something could leak."""

    UP = "tunnel up"
    ADDRESS = "public address"
    DOWN = "tunnel cut"
    RESTART = "restart"


class Verdict(StrEnum):
    """What was seen in a moment."""

    HOLDS = "holds"
    LEAKS = "LEAKS"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class Leak:
    """Packets that left beside the tunnel. `port` 0 where the protocol has none; `ours`: probes, else the service's own or its VPN's."""

    protocol: str
    to: str
    port: int
    interface: str
    count: int
    ours: bool

    def __str__(self) -> str:
        address = f"[{self.to}]" if ":" in self.to else self.to
        where = f"{address}:{self.port}" if self.port else self.to
        return f"{self.protocol} to {where} by {self.interface}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One moment of one service. `why` is what was seen, or why nothing was."""

    moment: Moment
    verdict: Verdict
    why: str
    leaks: tuple[Leak, ...] = ()


@dataclass(frozen=True, slots=True)
class Proof:
    """One service, by name, and the service whose network it has. `back`: whether all runs again as before; None when nobody says so."""

    service: str
    vpn: str
    target: str
    findings: tuple[Finding, ...]
    back: bool | None = True


@dataclass(frozen=True, slots=True)
class LeakReport:
    """All services behind a VPN, each with its moments."""

    estate: str
    proofs: tuple[Proof, ...]
    seconds: float

    def count(self, verdict: Verdict) -> int:
        """How many moments have this verdict."""
        return sum(each.verdict is verdict for proof in self.proofs for each in proof.findings)

    @property
    def holds(self) -> bool:
        """Whether it is proved, of one service at least: nothing leaks, every moment but the public address was measured, and all runs as before."""
        missing = (
            each.verdict is Verdict.NOT_MEASURED and each.moment is not Moment.ADDRESS
            for proof in self.proofs
            for each in proof.findings
        )
        back = all(proof.back for proof in self.proofs)
        whole = bool(self.proofs) and back and not any(missing)
        return whole and self.count(Verdict.LEAKS) == 0
