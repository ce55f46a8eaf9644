"""What `status` and `ui` know of an estate, as values. Pure; made by `look`, judged by `needs`, rendered by `views`."""

import errno
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from freehold.diagnostics import Diagnostic
from freehold.engine.journal import PastRun
from freehold.engine.lock import Owner
from freehold.model import Infra
from freehold.operations.machine_status import UNKNOWN, Status
from freehold.operations.traffic.kept import Measured
from freehold.operations.updates import Update, not_looked_at
from freehold.planning.plan import Plan

_RENEWED_LATE = 1 / 6
"""Of a certificate's lifetime: Caddy renews when a third is left (CertMagic, `DefaultRenewalWindowRatio`), so half of that time has
passed in vain. Of the 12 hours of Caddy's own authority these are 2 hours, of the 90 days of Let's Encrypt 15 days."""
_LONGEST_NOTICE = timedelta(days=14)  # however many years a certificate is made for
_CARRY_OUT = frozenset({"apply", "undo", "updates apply", "destroy", "ansible"})
"""The verbs whose business the changes of a plan are. `snapshot`, `verify --leaks` and `orphans --prune` hold the lock too."""
_REFUSED = os.strerror(errno.ECONNREFUSED)


class Verdict(StrEnum):
    """The one word: whether somebody has to do something."""

    WELL = "well"
    NEEDS_YOU = "needs-you"
    AT_WORK = "at-work"
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
    """What `ingress`, a service on `target`, shows to who asks for `host`, the name of `service`. `begins` and `expires`, between which it is valid, are None
    when it was not measured, and `problem` says why.

    `fits`: whether it is made out to that name. `issuer` is who signed it, as the certificate says.
    """

    host: str
    service: str
    ingress: str
    target: str
    begins: datetime | None = None
    expires: datetime | None = None
    issuer: str = ""
    fits: bool = True
    problem: str = ""

    @property
    def is_refused(self) -> bool:
        """Whether nobody listens there."""
        return self.expires is None and _REFUSED in self.problem

    def days(self, now: datetime) -> int | None:
        """Whole days until it expires, negative when it has."""
        return (self.expires - now).days if self.expires else None

    def is_late(self, now: datetime) -> bool:
        """Whether so little of its own lifetime is left that something keeps it from being renewed."""
        if self.begins is None or self.expires is None:
            return False
        notice = min((self.expires - self.begins) * _RENEWED_LATE, _LONGEST_NOTICE)
        return self.expires - now < notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Everything at the moment `at` (in UTC); `seconds` is what the look took.

    `runs` are the latest, newest first, and the last that changed something, if that was before them; `at_work` who holds the estate's
    lock right now. `updates` and `isolation` are None where nothing
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
    def not_measured(self) -> tuple[str, ...]:
        """What nothing is known of, in words: kinds, hosts, services that a role installs, certificates."""
        silent = not_looked_at(self.plan)
        unknown = (each for each in self.status.services if each.state == UNKNOWN)
        unread = (each.host for each in self.certificates if each.expires is None)
        return (
            *self.plan.not_measured,
            *(f"service {each.name}" for each in unknown if each.target not in silent),
            *(f"certificate {name}" for name in unread),
        )

    @property
    def as_declared(self) -> bool:
        """Whether everything could be looked at, and is as infra.yml says."""
        return self.status.as_declared and not self.not_measured

    @property
    def is_carried_out(self) -> bool:
        """Whether somebody is about to do what the plan says, or undo it."""
        return self.at_work is not None and self.at_work.verb in _CARRY_OUT

    @property
    def verdict(self) -> Verdict:
        """What needs somebody counts more than what is being done, and that more than what is not known."""
        if self.needs:
            return Verdict.NEEDS_YOU
        if self.is_carried_out and self.plan.changes:
            return Verdict.AT_WORK
        return Verdict.NOT_KNOWN if self.not_measured else Verdict.WELL
