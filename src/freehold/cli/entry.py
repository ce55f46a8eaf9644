"""Where the `freehold` command begins: what stands before `main`, whose imports take a moment.

Until `main` is ready a Ctrl-C simply ends the process, as it does with any program that has not done anything yet.
Python's own handler would show a traceback, or lose the signal when it arrives inside a callback of the import system.
"""

import signal


def main() -> None:
    """Import the command line and run it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from freehold.cli.main import main as run

    run()
