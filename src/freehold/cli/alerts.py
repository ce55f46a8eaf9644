"""`freehold alerts …`: whether whoever should be told of alerts is told. `alerts test` sends one and follows it."""

import json
import sys
from typing import Annotated

import typer

from freehold.cli import estate, interrupts
from freehold.cli.options import Directory, InLab, Json, common
from freehold.cli.site import opened
from freehold.diagnostics import ExitCode

Seconds = Annotated[
    int, typer.Option("--timeout", metavar="SECONDS", min=1, help="How long each part may take.")
]


def register(app: typer.Typer) -> None:
    """Add the group of verbs to the command line."""
    group = typer.Typer(
        help="Whether whoever should be told of alerts is told.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.callback()(lambda: None)  # a group, though it has one verb only
    group.command("test")(send_test)
    app.add_typer(group, name="alerts")


def send_test(
    context: typer.Context,
    directory: Directory = None,
    lab: InLab = False,
    as_json: Json = False,
    timeout: Seconds = 180,
) -> int:
    """Send an alert that is none, and follow it until Telegram has it. Exit 1 when it did not arrive."""
    from freehold.operations.alert_test.steps import AlertTest, Step
    from freehold.operations.alert_test.way import send_test_alert
    from freehold.views.alerts import alert_test_document, render_step

    options = common(context, directory, lab, as_json)
    infra, _ = estate.loaded(options)

    def told(step: Step) -> None:
        if not options.json:
            render_step(step, sys.stdout)
            sys.stdout.flush()

    if sys.stderr.isatty() and not options.json:
        print("Waiting for Prometheus's next alert and the next beat: a minute or so.", file=sys.stderr)  # fmt: skip

    async def sent() -> AlertTest:
        async with opened(options, tree=False) as site:
            site.targets.know(infra)
            return await send_test_alert(infra, site.targets, timeout, told)

    found = interrupts.run(sent())
    if options.json:
        print(json.dumps(alert_test_document(found), indent=1))
    if found.problem is not None:
        estate.tell((found.problem,), options)
    return ExitCode.DONE if found.arrived else ExitCode.FAILED
