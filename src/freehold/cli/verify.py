"""`freehold verify`: is everything as infra.yml says? Exit 2 when not. Changes nothing.

With --traffic, packets prove it too: `operations.traffic`. With --deep, Ansible looks into the machines: `operations.inside`. With --leaks,
the tunnels of VPNs are cut and restarted to prove that nothing leaves beside them: `operations.leaks`.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from freehold.cli import estate, interrupts, verify_leaks
from freehold.cli.options import Common, Directory, InLab, Json, Limit, Yes, common
from freehold.cli.site import Site, lab_holder, logs, opened
from freehold.diagnostics import Diagnostic, ExitCode, UsageError
from freehold.engine.planner import Planner
from freehold.model import Infra
from freehold.operations.verify import Verification, verify_estate
from freehold.views.verify import render_verification, verification_document

if TYPE_CHECKING:  # what the proof by packets needs, no plain `verify` should pay for
    from freehold.operations.inside import Inside
    from freehold.operations.leaks.report import LeakReport
    from freehold.operations.traffic import TrafficReport
    from freehold.system.incus.api import Incus

Traffic = Annotated[
    bool, typer.Option("--traffic", help="Prove it by packets, sent from inside the machines.")
]
Deep = Annotated[
    bool,
    typer.Option("--deep", help="Look into the machines too, by Ansible's check mode."),
]
Report = Annotated[
    Path | None,
    typer.Option("--report", metavar="FILE", help="With --traffic: write it as an HTML page too."),
]
Leaks = Annotated[
    bool,
    typer.Option(
        "--leaks",
        help="Prove that nothing leaves beside a VPN: with its tunnel up, cut for a moment, and at its restart.",
    ),
]
AddressUrl = Annotated[
    str | None,
    typer.Option(
        "--address-url",
        metavar="URL",
        help="With --leaks: what answers with the address of who asks.",
        show_default="https://api.ipify.org",
    ),
]
Outside = Annotated[
    str | None,
    typer.Option(
        "--outside",
        metavar="ADDRESS:PORT",
        help="With --traffic: what stands for the internet.",
        show_default="the resolver of the host",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""

    @app.command()
    def verify(
        context: typer.Context,
        directory: Directory = None,
        lab: InLab = False,
        as_json: Json = False,
        limit: Limit = None,
        deep: Deep = False,
        traffic: Traffic = False,
        report: Report = None,
        outside: Outside = None,
        leaks: Leaks = False,
        address_url: AddressUrl = None,
        yes: Yes = False,
    ) -> int:
        """Check that everything is as infra.yml says."""
        options = common(context, directory, lab, as_json)
        if not traffic and (report is not None or outside is not None):
            raise UsageError(_needs_traffic("--report" if report is not None else "--outside"))
        if not leaks and (address_url is not None or yes):
            raise UsageError(_needs_leaks("--yes" if yes else "--address-url"))
        infra, _ = estate.loaded(options)
        selection = estate.selection(infra, limit, None)
        behind = verify_leaks.agreed(infra, selection, yes=yes) if leaks else None
        beyond = _outside(infra, outside) if traffic else None

        async def look() -> _Found:
            async with opened(options) as provider:
                planner = Planner(infra=infra, provider=provider, selection=selection)
                found = _Found(await verify_estate(planner, provider.incus, provider.timers))
                if deep:
                    found.inside = await _look_inside(planner, provider, options)
                if traffic:
                    found.proof = await _prove(planner, provider.incus, options, beyond)
                if behind is not None:
                    found.leaks = await verify_leaks.proved(
                        infra, behind, provider.targets, address_url, options
                    )
                return found

        found = interrupts.run(look())
        if found.proof is not None and not limit:
            _keep(options, infra, found.proof)
        if report is not None and found.proof is not None:
            _write(report, found.proof)
        _tell(found, options)
        return ExitCode.DONE if found.is_clean else ExitCode.DIFFERENCES


@dataclass(slots=True)
class _Found:
    """What was looked at; what was not asked for is None."""

    estate: Verification
    inside: "Sequence[Inside] | None" = None
    proof: "TrafficReport | None" = None
    leaks: "LeakReport | None" = None

    @property
    def is_clean(self) -> bool:
        within = all(each.is_clean for each in self.inside or ())
        proved = (self.proof is None or self.proof.as_declared) and (
            self.leaks is None or self.leaks.holds
        )
        return self.estate.is_clean and within and proved


async def _look_inside(planner: Planner, provider: Site, options: Common) -> "Sequence[Inside]":
    from freehold.operations.inside import look_inside

    def told(text: str) -> None:
        print(text, file=sys.stderr)

    return await look_inside(
        provider.playbooks,
        provider.targets,
        planner.infra,
        planner.selection,
        logs(options),
        told if sys.stderr.isatty() else lambda text: None,
    )


async def _prove(
    planner: Planner, incus: "Incus", options: Common, outside: tuple[str, int] | None
) -> "TrafficReport":
    from freehold.operations.traffic.ends import ends, scope
    from freehold.operations.traffic.station import HostStation
    from freehold.operations.traffic.verify import verify_traffic

    picture = await planner.look()
    infra = planner.infra
    chosen = scope(infra, ends(infra, picture.desired, picture.observed), planner.selection)
    return await verify_traffic(incus, infra, chosen, HostStation(lab_holder(options)), outside)


def _outside(infra: Infra, given: str | None) -> tuple[str, int] | None:
    from freehold.operations.traffic.outside import default_outside, parsed

    if given is None:
        return default_outside(infra)
    try:
        return parsed(given)
    except ValueError as problem:
        raise UsageError(_not_an_address(given, problem)) from problem


def _tell(found: _Found, options: Common) -> None:
    if options.json:
        print(json.dumps(_document(found), indent=1))
        return
    render_verification(found.estate, sys.stdout, command=options.command)
    estate.tell(found.estate.diagnostics, options)
    if found.inside is not None:
        from freehold.views.inside import render_inside

        print()
        render_inside(found.inside, sys.stdout)
        estate.tell([problem for each in found.inside for problem in each.problems], options)
    if found.proof is not None:
        from freehold.views.traffic import render_traffic

        print()
        render_traffic(found.proof, sys.stdout)
    if found.leaks is not None:
        from freehold.views.leaks import render_leaks

        print()
        render_leaks(found.leaks, sys.stdout)


def _document(found: _Found) -> dict[str, Any]:
    document = verification_document(found.estate)
    if found.inside is not None:
        from freehold.views.inside import inside_document

        document["inside"] = inside_document(found.inside)
    if found.proof is not None:
        from freehold.views.traffic import traffic_document

        document["traffic"] = traffic_document(found.proof)
    if found.leaks is not None:
        from freehold.views.leaks import leaks_document

        document["leaks"] = leaks_document(found.leaks)
    return document


def _keep(options: Common, infra: Infra, proof: "TrafficReport") -> None:
    """For `status` and `ui`; that of a part of the estate would hide the rest."""
    from freehold.operations.traffic.kept import keep

    try:
        keep(options.directory, proof, infra)
    except OSError as failure:
        raise estate.unwritable(options.directory, failure) from failure


def _write(path: Path, proof: "TrafficReport") -> None:
    from freehold.system.files import write_atomically
    from freehold.views.traffic_html import traffic_page

    try:
        write_atomically(path, traffic_page(proof))
    except OSError as failure:
        raise estate.unwritable(path, failure) from failure
    print(f"wrote {path}", file=sys.stderr)


def _needs_traffic(option: str) -> Diagnostic:
    return Diagnostic(
        code="needs-traffic",
        summary="An option has no meaning without --traffic",
        detail=f"{option} is about packets, and without --traffic none are sent.",
        hint="Add it:\n    freehold verify --traffic",
    )


def _needs_leaks(option: str) -> Diagnostic:
    return Diagnostic(
        code="needs-leaks",
        summary="An option has no meaning without --leaks",
        detail=f"{option} is about the proof that nothing leaves beside a VPN; all else only looks.",
        hint="Add it:\n    freehold verify --leaks",
    )


def _not_an_address(given: str, problem: ValueError) -> Diagnostic:
    return Diagnostic(
        code="bad-outside",
        summary="--outside is not an address with a port",
        detail=f"`{given}`: {problem}.",
        hint="An IPv4 address outside of the estate, and a TCP port that answers there:\n"
        "    freehold verify --traffic --outside 203.0.113.9:443",
    )
