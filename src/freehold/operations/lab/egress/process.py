"""The proxy of egress as a process: started, found, ended. Called by `lab.py` and `status.py`.

Its record, like the holder's, names the process so that no other one is taken for it.
"""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import freehold
from freehold.diagnostics import BackendError
from freehold.operations.lab import problems
from freehold.operations.lab.layout import Layout
from freehold.operations.lab.record import read_process
from freehold.system.processes import ProcessIdentity, search_path

NO_SERVERS = "apt and pip of this computer name no package servers, so machines reach none; FREEHOLD_EGRESS may name some"
END_SECONDS = 5.0  # seconds for it to end, told or killed
START_SECONDS = 30.0  # seconds for it to listen


def running(place: Layout) -> ProcessIdentity | None:
    """The living proxy; None when there is none."""
    found = read_process(place.egress_record)
    return found[0] if found else None


def ensure(place: Layout) -> tuple[str, ...]:
    """Have the proxy of the running lab listen, with this computer's settings of now if it must be started.

    What machines are not given of those settings, in sentences. Raises BackendError, OSError.
    """
    if running(place) is not None:
        return ()
    # Imported late: most starts of a lab have no egress.
    from freehold.operations.lab.egress import material
    from freehold.operations.lab.egress.surroundings import surroundings

    end(place)
    found = surroundings()
    _check(found.proxies)
    notices = material.write(place.egress, place.egress_socket, found)
    if not found.servers:
        notices = (*notices, NO_SERVERS)
    # On standard input, because a proxy's address may hold a password.
    given = {
        "servers": [[target.host, target.port] for target in sorted(found.servers, key=str)],
        "proxies": dict(found.proxies),
        "direct": found.direct,
    }
    _launch(place, json.dumps(given), found.bundle)
    return notices


def end(place: Layout) -> None:
    """End the proxy and take away what leads to it; the files that machines read stay, since machines have them mounted."""
    if (process := running(place)) is not None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            process.signal(number)
            until = time.monotonic() + END_SECONDS
            while process.alive and time.monotonic() < until:
                time.sleep(0.01)
    for stale in (place.egress_record, place.egress_socket):
        stale.unlink(missing_ok=True)


def _launch(place: Layout, settings: str, bundle: Path | None) -> None:
    program = [sys.executable, "-P", "-m", "freehold.operations.lab.egress.proxy", str(place.root)]
    variables = {
        "PYTHONPATH": str(Path(freehold.__file__).parents[1]),
        "PATH": search_path(),
        "LANG": "C.UTF-8",
        **({"SSL_CERT_FILE": str(bundle)} if bundle else {}),
    }
    with place.egress_log.open("wb") as log:
        try:
            subprocess.run(
                program, env=variables, cwd="/", input=settings.encode(), stdout=log, stderr=log,
                timeout=START_SECONDS, check=True,
            )  # fmt: skip
        except subprocess.SubprocessError as error:
            raise BackendError(problems.egress_did_not_start(place)) from error


def _check(proxies: Mapping[str, str]) -> None:
    """Raises BackendError when egress cannot use one of this computer's proxies."""
    from freehold.operations.lab.egress.upstream import Upstream

    for scheme, address in proxies.items():
        try:
            Upstream.of_address(address)
        except ValueError:
            raise BackendError(problems.egress_proxy_unusable(scheme)) from None
