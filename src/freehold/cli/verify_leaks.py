"""`freehold verify --leaks`: what has to be agreed to and held before, and after. Called by `cli.verify`."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from freehold.cli import estate
from freehold.cli.agreement import agree_to
from freehold.cli.options import Common
from freehold.diagnostics import Diagnostic, UsageError
from freehold.engine.lock import STATE_FOLDER, lock
from freehold.model import Infra
from freehold.planning.selection import Selection

if TYPE_CHECKING:
    from freehold.operations.leaks.prove import Behind
    from freehold.operations.leaks.report import LeakReport
    from freehold.system.targets.estate import EstateTargets

VERB = "verify"


def agreed(infra: Infra, selection: Selection, *, yes: bool) -> "Sequence[Behind]":
    """What is to be proved, after somebody agreed that it is disturbed. Raises UsageError, FreeholdError."""
    from freehold.operations.leaks.prove import behind_vpns

    chosen = behind_vpns(infra, selection)
    if not chosen:
        raise UsageError(_nothing_behind())
    if not yes:
        agree_to(_question(chosen))
    return chosen


async def proved(
    infra: Infra,
    chosen: "Sequence[Behind]",
    targets: "EstateTargets",
    url: str | None,
    options: Common,
) -> "LeakReport":
    """The proof, under the estate's lock: nobody else starts or stops services meanwhile."""
    from freehold.operations.leaks.prove import TELLS_ADDRESS, prove

    def told(text: str) -> None:
        if sys.stderr.isatty() and not options.json:
            print(text, file=sys.stderr)

    targets.know(infra)
    try:
        with lock(options.directory, VERB) as notice:
            estate.tell([notice] if notice else [], options)
            return await prove(infra, chosen, targets, url or TELLS_ADDRESS, told)
    except OSError as error:
        raise estate.unwritable(options.directory / STATE_FOLDER, error) from error


def _question(chosen: "Sequence[Behind]") -> str:
    """Name what is disturbed."""
    vpns = ", ".join(f"{each.vpn.name} on {each.vpn.target}" for each in chosen)
    names = ", ".join(one.name for each in chosen for one in each.guests)
    return f"Cut the tunnel of {vpns} for some seconds, then restart it, and with it {names}?"


def _nothing_behind() -> Diagnostic:
    return Diagnostic(
        code="nothing-behind-a-vpn",
        summary="No service is behind a VPN",
        detail="--leaks is about services that share the network of another one (`network_of` in their descriptor), and there is none.",
        hint="See which services of the catalog do:\n    freehold catalog show qbittorrent",
    )
