"""What `status` and `ui` know of an estate, as values. Pure; made by `look`, judged by `needs`, rendered by `views`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from freehold.diagnostics import Diagnostic
from freehold.engine.journal import PastRun
from freehold.engine.lock import Owner
from freehold.model import Infra
from freehold.operations.machine_status import Status
from freehold.operations.traffic.kept import Measured
from freehold.operations.updates import Update
from freehold.planning.plan import Plan


class Verdict(StrEnum):
    """The one word: whether somebody has to do something."""

    WELL = "well"
    NEEDS_YOU = "needs-you"
    NOT_KNOWN = "not-known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One thing that somebody has to look at. `matter` names its text, which `subjects` (names of the estate) and `facts` fill in.

    `urgent`: something does not work now. `command` is what to type next. A need that comes from a `diagnostic` has its words.
    """

    matter: str
    urgent: bool = False
    subjects: tuple[str, ...] = ()
    facts: Mapping[str, str | int] = field(default_factory=dict)
    command: str = ""
    diagnostic: Diagnostic | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedCertificate:
    """What `ingress`, a service on `target`, shows to who asks for `host`, the name of `service`. `expires` is None when it was not measured, and `problem` says why.

    `fits`: whether it is made out to that name. `issuer` is who signed it, as the certificate says.
    """

    host: str
    service: str
    ingress: str
    target: str
    expires: datetime | None = None
    issuer: str = ""
    fits: bool = True
    problem: str = ""

    def days(self, now: datetime) -> int | None:
        """Whole days until it expires, negative when it has."""
        return (self.expires - now).days if self.expires else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Everything at the moment `at` (in UTC); `seconds` is what the look took.

    `runs` are the latest, newest first; `at_work` who changes the estate right now. `updates` and `isolation` are None where nothing
    is known. `diagnostics` are those of infra.yml, of the plan and of the schedules.
    """

    at: datetime
    seconds: float
    infra: Infra
    plan: Plan
    status: Status
    runs: tuple[PastRun, ...] = ()
    at_work: Owner | None = None
    certificates: tuple[ServedCertificate, ...] = ()
    updates: tuple[Update, ...] = ()
    isolation: Measured | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    needs: tuple[Need, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """What needs somebody counts more than what is not known."""
        if self.needs:
            return Verdict.NEEDS_YOU
        return Verdict.NOT_KNOWN if self.plan.not_measured else Verdict.WELL
