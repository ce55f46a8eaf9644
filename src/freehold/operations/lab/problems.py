"""What can go wrong with a lab, as it is told to its user. Called by `lab.py`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from freehold.diagnostics import BackendError, Diagnostic
from freehold.operations.lab.layout import Layout


@contextmanager
def explained(root: Path) -> Iterator[None]:
    """What the file system refuses becomes a diagnostic: a full or read-only disk, a file in a folder's place."""
    try:
        yield
    except OSError as error:
        raise BackendError(_folder_unusable(root, error)) from error


def did_not_start(place: Layout) -> Diagnostic:
    """The lab's Incus never answered; with what its logs say last."""
    said = [line for log in (place.log, place.daemon_log) for line in _last_lines(log)]
    return Diagnostic(
        code="lab-did-not-start",
        summary="The lab did not start",
        detail="\n".join(["Its Incus does not answer. The end of its logs:", *said]),
        hint=f"The whole logs are {place.log} and {place.daemon_log}.",
    )


def egress_did_not_start(place: Layout) -> Diagnostic:
    """The lab runs, but the proxy of its egress does not."""
    return Diagnostic(
        code="lab-egress-did-not-start",
        summary="The lab's egress did not start",
        detail="\n".join(
            ["Its proxy does not listen. The end of its log:", *_last_lines(place.egress_log)]
        ),
        hint="The lab itself runs. `freehold lab start --no-egress` does without.",
    )


def egress_proxy_unusable(scheme: str) -> Diagnostic:
    """This computer's own proxy speaks something that egress does not. The address may hold a password: it is not shown."""
    return Diagnostic(
        code="lab-egress-proxy-unusable",
        summary="The lab's egress cannot use this computer's proxy",
        detail=f"The proxy set for {scheme} is not of the form http://host:port or https://host:port.",
        hint=f"Set {scheme}_proxy to such a proxy for `freehold lab start --egress`. The lab itself runs.",
    )


def _folder_unusable(root: Path, error: OSError) -> Diagnostic:
    return Diagnostic(
        code="lab-folder-unusable",
        summary="The lab's folder cannot be used",
        detail=f"{error.filename or root}: {error.strerror or error}.",
        hint="See to that, or choose another folder with FREEHOLD_LAB.",
    )


def not_running(root: Path) -> Diagnostic:
    """A verb needs the lab running."""
    return Diagnostic(
        code="lab-not-running",
        summary="The lab is not running",
        detail=f"No lab runs in {root}.",
        hint="Start it with `freehold lab start`.",
    )


def not_a_lab(root: Path) -> Diagnostic:
    """Deletion was asked for in a folder that no lab was made in."""
    return Diagnostic(
        code="lab-not-a-lab",
        summary="The folder is not a lab",
        detail=f"{root} holds an Incus folder but no lab.json, so Freehold did not make it and deletes nothing.",
        hint="Name the lab's folder with FREEHOLD_LAB.",
    )


def _last_lines(log: Path, count: int = 8) -> list[str]:
    try:
        return log.read_text(errors="replace").splitlines()[-count:]
    except FileNotFoundError:
        return []
