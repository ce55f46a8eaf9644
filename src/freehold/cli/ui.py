"""`freehold ui`: a page on this computer that says whether everything is well. It only reads; Ctrl-C ends it."""

import asyncio
import contextlib
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from freehold.cli import estate, interrupts
from freehold.cli.options import Common, Directory, InLab, common
from freehold.diagnostics import Diagnostic, ExitCode, FreeholdError, Severity, UsageError

if TYPE_CHECKING:  # a web server and its pages: no other verb should pay for them
    from freehold.operations.overview import Overview
    from freehold.system.pages import PageServer, Site

PORT = 8765
EVERY = 20.0

Port = Annotated[
    int,
    typer.Option("--port", min=0, max=65535, help="The port to listen at; 0: any that is free."),
]
Bind = Annotated[
    str,
    typer.Option("--bind", metavar="ADDRESS", help="The address of this computer to listen at."),
]
Open = Annotated[
    bool, typer.Option("--open/--no-open", help="Show it in a browser of this computer.")
]
Every = Annotated[
    float,
    typer.Option(
        "--every",
        metavar="SECONDS",
        min=5,
        help="How old what is shown may be, while somebody reads.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""

    @app.command()
    def ui(
        context: typer.Context,
        directory: Directory = None,
        lab: InLab = False,
        port: Port = PORT,
        bind: Bind = "127.0.0.1",
        show: Open = False,
        every: Every = EVERY,
    ) -> int:
        """Serve a page that says whether everything is well; it only reads."""
        options = common(context, directory, lab)
        estate.read(
            options
        )  # a mistake in infra.yml is told here, not on a page that nobody sees yet
        interrupts.run(_serve(options, port, bind, show, every))
        return ExitCode.DONE


async def _serve(options: Common, port: int, bind: str, show: bool, every: float) -> None:
    from freehold.cli.ui_site import OverviewSite
    from freehold.operations.overview.watch import Watch
    from freehold.system.pages.guard import new_token

    bugs = Bugs(options.directory)
    watch = Watch(lambda: _look(options, bugs), every)
    token = new_token()
    server = _listening(OverviewSite(options, watch, bugs.told), token, bind, port)
    address = server.address(token)
    with interrupts.heeded(lambda: None) as stop, _shown(options, address, show):
        async with server:
            estate.tell(
                [_in_the_network(bind, server.port)] if not _is_loopback(bind) else [], options
            )
            print(
                f"A page of this estate, only to read:\n    {address}\nCtrl-C ends it.", flush=True
            )
            await stop.wait()
        await watch.close()


async def _look(options: Common, bugs: "Bugs") -> "Overview":
    """One look, from infra.yml on. Raises FreeholdError alone: the page shows why it failed."""
    from functools import partial

    from freehold.cli.site import lab_holder, opened
    from freehold.engine.planner import Planner
    from freehold.operations.overview.look import Surroundings, look

    try:
        infra, loaded = await asyncio.to_thread(estate.read, options)
        async with opened(options) as site:
            around = Surroundings(
                folder=options.directory,
                incus=site.incus,
                targets=site.targets,
                timers=site.timers,
                lab=partial(lab_holder, options),
            )
            return await look(Planner(infra=infra, provider=site), around, loaded.diagnostics)
    except FreeholdError:
        raise
    except Exception as error:  # the page goes on with what it knows
        raise FreeholdError(bugs.told(error)) from error


class Bugs:
    """Those of one run; what happens again and again is written down once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, Diagnostic] = {}

    def told(self, error: Exception) -> Diagnostic:
        """What to say of it."""
        from freehold.cli.bugs import written_down

        name = f"{type(error).__name__}: {error}"
        if name not in self._known:
            self._known[name] = written_down(error, self._folder)
        return self._known[name]


def _listening(site: "Site", token: str, bind: str, port: int) -> "PageServer":
    from freehold.system.pages import PageServer

    try:
        return PageServer(site, token, bind, port)
    except OSError as error:
        raise UsageError(_no_port(bind, port, error)) from error


@contextlib.contextmanager
def _shown(options: Common, address: str, wanted: bool) -> Iterator[None]:
    """Led there by a file that only its owner reads: what a program is started with, everybody on the computer sees."""
    if not wanted:
        yield
        return
    from freehold.system.browser import opened_through

    try:
        with opened_through(options.directory, address) as done:
            estate.tell([] if done else [_NO_BROWSER], options)
            yield
    except OSError as error:
        raise estate.unwritable(options.directory, error) from error


def _is_loopback(bind: str) -> bool:
    try:
        return ip_address(bind).is_loopback
    except ValueError:
        return bind == "localhost"


def _no_port(bind: str, port: int, error: OSError) -> Diagnostic:
    return Diagnostic(
        code="ui-port",
        summary="The page cannot be served there",
        detail=f"{bind} port {port}: {error.strerror or error}.",
        hint="Take any port that is free:\n    freehold ui --port 0",
    )


def _in_the_network(bind: str, port: int) -> Diagnostic:
    return Diagnostic(
        severity=Severity.WARNING,
        code="ui-in-the-network",
        summary="The page is open to the network",
        detail=f"It listens at {bind}, without encryption: who reads along on the way sees the page and its token.",
        hint="Safer from elsewhere is the page of this computer alone, through SSH; there:\n"
        f"    ssh -L {port}:127.0.0.1:{port} THIS-COMPUTER",
    )


_NO_BROWSER = Diagnostic(
    severity=Severity.WARNING,
    code="no-browser",
    summary="No browser could be opened",
    detail="This computer has none that can be started from here.",
    hint="Open the address that is printed yourself.",
)
