"""What nobody expected, written down for whoever mends it: nobody should see a traceback. Used by `main` and `ui`."""

import traceback
from datetime import UTC, datetime
from pathlib import Path

from freehold.diagnostics import Diagnostic
from freehold.engine.lock import STATE_FOLDER


def written_down(error: BaseException, folder: Path = Path()) -> Diagnostic:
    """The traceback goes to a file beside infra.yml, else into the system's folder for such; the diagnostic says where."""
    name = f"freehold-bug-{datetime.now(UTC):%Y%m%dT%H%M%S}.txt"
    places = (folder / STATE_FOLDER, Path("/tmp"))  # noqa: S108
    path = next(place for place in places if place.is_dir()) / name
    path.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    path.chmod(0o600)
    return Diagnostic(
        code="bug",
        summary="This is a bug in Freehold",
        detail=f"{type(error).__name__}: {error}",
        hint=f"What happened is written down in {path}; please report it.",
    )
