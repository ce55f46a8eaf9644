"""`freehold doctor`: whether this computer, or the lab, can carry the estate."""

import json
import sys
from typing import TYPE_CHECKING

import typer

from freehold.cli.options import Common, Directory, InLab, Json, common
from freehold.diagnostics import ExitCode

if TYPE_CHECKING:  # what the doctor needs, no other verb's start should pay for
    from freehold.model import Infra
    from freehold.operations.doctor import Subject
    from freehold.system.targets import Targets


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""

    @app.command()
    def doctor(
        context: typer.Context,
        directory: Directory = None,
        lab: InLab = False,
        as_json: Json = False,
    ) -> int:
        """Check whether this computer can carry the estate, and say what to do."""
        from freehold.operations.doctor import Result, checks_for, examine
        from freehold.operations.doctor.estate import estate_check
        from freehold.operations.doctor.hosts import host_checks
        from freehold.views.doctor import doctor_document, render_doctor

        options = common(context, directory, lab, as_json)
        subject = _subject(options)
        checks = [estate_check(options.directory), *checks_for(subject)]
        checks += host_checks(subject, lambda infra: _targets(options, subject, infra))
        results = examine(subject, checks)
        if options.json:
            print(json.dumps(doctor_document(results), indent=1))
        else:
            render_doctor(results, sys.stdout)
        failed = any(result.finding.result is Result.ERROR for result in results)
        return ExitCode.FAILED if failed else ExitCode.DONE


def _subject(options: Common) -> "Subject":
    from freehold.cli.site import system_socket
    from freehold.operations.doctor import Subject
    from freehold.operations.doctor.estate import readable_estate
    from freehold.operations.lab import Lab
    from freehold.operations.lab.layout import layout
    from freehold.operations.lab.record import read_holder

    infra = readable_estate(options.directory)
    if not options.lab:
        socket = system_socket()
        return Subject(socket=socket, state=socket.parent, infra=infra)
    lab = Lab()
    holder = read_holder(layout(lab.root))
    return Subject(
        socket=lab.socket,
        state=lab.root,
        infra=infra,
        in_lab=True,
        lab=holder[0].pid if holder else None,
    )


def _targets(options: Common, subject: "Subject", infra: "Infra") -> "Targets":
    """A way onto the hosts of its own for each check: they run in threads."""
    from freehold.cli.site import targets_of

    targets = targets_of(options, subject.socket)
    targets.know(infra)
    return targets
