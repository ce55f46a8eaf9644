"""`freehold ui`: a page on this computer that says whether everything is well. It only reads; Ctrl-C ends it."""

import contextlib
from collections.abc import Iterator
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated

import typer

from freehold.cli import estate, interrupts
from freehold.cli.options import Common, Directory, InLab, common
from freehold.diagnostics import Diagnostic, ExitCode, Severity, UsageError

if TYPE_CHECKING:  # a web server and its pages: no other verb should pay for them
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
    from freehold.cli.ui_look import Bugs, looked
    from freehold.cli.ui_site import OverviewSite
    from freehold.operations.overview.watch import Watch
    from freehold.system.pages.guard import new_token

    bugs = Bugs(options.directory)
    watch = Watch(lambda: looked(options, bugs), every)
    token = new_token()
    server = _listening(OverviewSite(options, watch, bugs.told), token, bind, port)
    address = server.address(token)
    with interrupts.heeded(lambda: None) as stop, _leading(options, address, show) as page:
        async with server:
            estate.tell(
                [_in_the_network(bind, server.port)] if not _is_loopback(bind) else [], options
            )
            print(
                f"A page of this estate, only to read:\n    {address}\nCtrl-C ends it.", flush=True
            )
            if page:
                _open(page, options)
            await stop.wait()
        await watch.close()


def _listening(site: "Site", token: str, bind: str, port: int) -> "PageServer":
    from freehold.system.pages import PageServer

    try:
        return PageServer(site, token, bind, port)
    except OSError as error:
        raise UsageError(_no_port(bind, port, error)) from error


@contextlib.contextmanager
def _leading(options: Common, address: str, wanted: bool) -> Iterator[str]:
    """A file that leads there, for a browser: what a program is started with, everybody on the computer sees. Empty when not wanted."""
    if not wanted:
        yield ""
        return
    from freehold.system.browser import leading_to

    with contextlib.ExitStack() as stack:
        try:
            page = stack.enter_context(leading_to(address, options.directory))
        except OSError as error:
            raise estate.unwritable(options.directory, error) from error
        yield page


def _open(page: str, options: Common) -> None:
    """Show it, now that it is served."""
    from freehold.system.browser import start

    start(page, lambda: estate.tell([_NO_BROWSER], options))


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
