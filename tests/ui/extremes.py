"""Estates that nobody has and the page must bear all the same: many machines, and names that mean something to a browser."""

from dataclasses import replace
from datetime import date

from freehold.diagnostics import Diagnostic
from freehold.model import Trust
from freehold.model.exposure import Exposure
from freehold.operations.machine_status import HostState, Status
from freehold.operations.overview.facts import Overview
from freehold.planning.address import Address
from tests.ui.estates import (
    EMPTY,
    FAILED,
    INFRA,
    NOW,
    TROUBLED,
    WELL,
    domain,
    host,
    judged,
    machine,
    placed,
    served,
    version,
)


def large(machines: int) -> Overview:
    """An estate of many machines in ten domains; one of them is down."""
    names = [f"part{number}" for number in range(10)]
    every = tuple(
        machine(
            names[number % 10],
            f"box{number:03}",
            f"10.100.{number % 10}.{number // 10 + 10}",
            "stopped" if number == 7 else "running",
        )
        for number in range(machines)
    )
    domains = tuple(domain(name, number, Trust.TRUSTED, []) for number, name in enumerate(names))
    return judged(
        replace(
            EMPTY,
            infra=replace(EMPTY.infra, domains=domains),
            status=Status(estate="maison", machines=every),
        )
    )


POISON = (
    '"><script>document.title="poison"</script><img src=x onerror=alert(1)>{{7*7}}\x1b[31m\u202e'
)
"""A name that means something to a browser, a template and a terminal."""


def hostile() -> Overview:
    """Names, states and problems that nobody should have let through, everywhere where the outside world has a say."""
    poisoned = served("db", "cortex", POISON, drift=(POISON,))
    problem = Diagnostic(
        code="boom", summary=POISON, detail=f"{POISON}\n{POISON}", hint=f"{POISON}:\n    {POISON}"
    )
    run = replace(FAILED, name=POISON, verb=POISON)
    return judged(
        replace(
            TROUBLED,
            infra=replace(
                INFRA, name=POISON, services=(placed("db", "cortex", expose=Exposure(host=POISON)),)
            ),
            plan=replace(
                TROUBLED.plan,
                changes=(
                    replace(
                        TROUBLED.plan.changes[0],
                        address=Address("a", POISON, POISON),
                        reason=POISON,
                    ),
                ),
            ),
            status=Status(
                estate=POISON,
                machines=(machine(POISON, POISON, "10.100.0.10", POISON, drift=(POISON,)),),
                hosts=(host(POISON, POISON, HostState.UNREACHABLE, problem=POISON),),
                services=(poisoned,),
                orphans=(Address(POISON, "instance", POISON),),
            ),
            runs=(run,),
            certificates=(
                replace(
                    WELL.certificates[0], host=POISON, expires=NOW, issuer=POISON, ingress=POISON
                ),
                replace(WELL.certificates[0], host=POISON, expires=None, problem=POISON),
            ),
            updates=(version(POISON, POISON, POISON, date(2020, 1, 1), POISON),),
            diagnostics=(problem,),
        )
    )
