"""`freehold verify`: is everything as infra.yml says? Exit 2 when not. Changes nothing.

With --traffic, packets prove it too: `operations.traffic`. With --deep, Ansible looks into the machines: `operations.inside`.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from freehold.cli import estate, interrupts
from freehold.cli.options import Common, Directory, InLab, Json, Limit, common
from freehold.cli.site import Site, logs, opened
from freehold.diagnostics import Diagnostic, ExitCode, UsageError
from freehold.engine.planner import Planner
from freehold.model import Infra
from freehold.operations.verify import Verification, verify_estate
from freehold.views.verify import render_verification, verification_document

if TYPE_CHECKING:  # what the proof by packets needs, no plain `verify` should pay for
    from freehold.operations.inside import Inside
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
    ) -> int:
        """Check that everything is as infra.yml says."""
        options = common(context, directory, lab, as_json)
        if not traffic and (report is not None or outside is not None):
            raise UsageError(_needs_traffic("--report" if report is not None else "--outside"))
        infra, _ = estate.loaded(options)
        selection = estate.selection(infra, limit, None)
        beyond = _outside(infra, outside) if traffic else None

        async def look() -> _Found:
            async with opened(options) as provider:
                planner = Planner(infra=infra, provider=provider, selection=selection)
                found = _Found(await verify_estate(planner, provider.incus, provider.timers))
                if deep:
                    found.inside = await _look_inside(planner, provider, options)
                if traffic:
                    found.proof = await _prove(planner, provider.incus, options, beyond)
                return found

        found = interrupts.run(look())
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

    @property
    def is_clean(self) -> bool:
        within = all(each.is_clean for each in self.inside or ())
        return self.estate.is_clean and within and (self.proof is None or self.proof.as_declared)


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
    return await verify_traffic(incus, infra, chosen, HostStation(_holder(options)), outside)


def _holder(options: Common) -> int | None:
    """The process that holds the lab's namespaces; None outside of the lab."""
    if not options.lab:
        return None
    from freehold.operations.lab import Lab

    return Lab().status().pid


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


def _document(found: _Found) -> dict[str, Any]:
    document = verification_document(found.estate)
    if found.inside is not None:
        from freehold.views.inside import inside_document

        document["inside"] = inside_document(found.inside)
    if found.proof is not None:
        from freehold.views.traffic import traffic_document

        document["traffic"] = traffic_document(found.proof)
    return document


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


def _not_an_address(given: str, problem: ValueError) -> Diagnostic:
    return Diagnostic(
        code="bad-outside",
        summary="--outside is not an address with a port",
        detail=f"`{given}`: {problem}.",
        hint="An IPv4 address outside of the estate, and a TCP port that answers there:\n"
        "    freehold verify --traffic --outside 203.0.113.9:443",
    )
