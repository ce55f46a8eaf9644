"""The plans of past runs, whole, beside the journal: `.freehold/runs/RUN.plan.json`, in the form of `plan --out`.

Written by `cli.carry_out` before anything is changed, read by `operations.undo`. They hold infra.yml's texts, so only their owner
reads them; only those of the last runs are kept.
"""

from pathlib import Path

from freehold.engine.journal import runs_folder
from freehold.engine.lock import STATE_FOLDER
from freehold.planning.document import SavedPlan
from freehold.system.files import write_atomically

KEPT = 50
_ENDING = ".plan.json"


def keep(folder: Path, run: str, saved: SavedPlan) -> None:
    """Write a run's plan down; those of runs long past go. Raises OSError, and then nothing was written."""
    runs = runs_folder(folder)
    write_atomically(runs / f"{run}{_ENDING}", saved.dump(), mode=0o600)
    for path in sorted(runs.glob(f"*{_ENDING}"), reverse=True)[KEPT:]:
        path.unlink(missing_ok=True)


def plan_of(folder: Path, run: str) -> SavedPlan | None:
    """The plan of a run; None when it is not kept (any more). Raises UsageError for a file that is none."""
    path = folder / STATE_FOLDER / "runs" / f"{run}{_ENDING}"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    return SavedPlan.parse(text, str(path))
