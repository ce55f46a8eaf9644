"""What is tried and what came of it, as values. Pure; made by `checks` and `verdict`, shown by `views.traffic`."""

from dataclasses import dataclass
from enum import StrEnum

CONTROL = "a control: it shows that the way of measuring works"


class Kind(StrEnum):
    """How something is tried."""

    ICMP = "icmp"
    TCP = "tcp"
    UDP = "udp"
    DNS = "dns"
    IPV6 = "ipv6"
    SPOOFED = "spoofed"


class Verdict(StrEnum):
    """What a measurement says about the declaration."""

    AS_DECLARED = "as declared"
    DIFFERENT = "different"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing to try. `source` and `target` are `domain/machine`, `host` or `internet`.

    `because` says why it is to arrive; None: it must not. `gateway_of` is set when `address` is a domain's gateway,
    `forged` when the packet carries that source address instead of its own.
    """

    source: str
    target: str
    kind: Kind
    address: str
    port: int | None = None
    because: str | None = None
    gateway_of: str | None = None
    forged: str | None = None

    @property
    def is_control(self) -> bool:
        return self.because == CONTROL


@dataclass(frozen=True, slots=True)
class Result:
    """A check and whether its packets arrived; None when that is not known, and `remark` says why."""

    check: Check
    arrived: bool | None
    remark: str = ""

    @property
    def verdict(self) -> Verdict:
        if self.arrived is None:
            return Verdict.NOT_MEASURED
        as_declared = self.arrived == (self.check.because is not None)
        return Verdict.AS_DECLARED if as_declared else Verdict.DIFFERENT


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficReport:
    """All results of one estate. `outside` is what stood for the internet; `notes` say what was left out, and why."""

    estate: str
    machines: tuple[str, ...]
    results: tuple[Result, ...]
    outside: str | None
    notes: tuple[str, ...]
    seconds: float

    def count(self, verdict: Verdict) -> int:
        """How many results have this verdict."""
        return sum(result.verdict is verdict for result in self.results)

    @property
    def as_declared(self) -> bool:
        """Whether nothing differs. What was not measured does not differ; it is counted apart."""
        return self.count(Verdict.DIFFERENT) == 0
