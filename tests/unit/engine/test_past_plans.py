"""The plans of runs are kept beside the journal, private, the last fifty of them."""

from pathlib import Path

import pytest

from freehold.diagnostics import UsageError
from freehold.engine.journal import run_name
from freehold.engine.past_plans import KEPT, keep, plan_of
from freehold.planning.address import Address
from freehold.planning.document import Inputs, SavedPlan
from freehold.planning.plan import Plan
from freehold.planning.resource import Observed
from freehold.planning.selection import Selection

BRIDGE = Address("home", "bridge")
TEXT = "\ufefffreehold: 1\r\n# é\n\n"


def saved(text: str = TEXT) -> SavedPlan:
    observed = {BRIDGE: Observed(address=BRIDGE, fields={"name": "net-home"})}
    inputs = Inputs({"infra.yml": text}, Selection(("home",), ("bridge",)), prune=True)
    return SavedPlan.of(Plan(estate="cottage"), observed, inputs)


def test_what_was_kept_is_read_back_to_the_byte(tmp_path: Path) -> None:
    keep(tmp_path, "run", saved())
    assert plan_of(tmp_path, "run") == saved()
    (path,) = (tmp_path / ".freehold" / "runs").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert plan_of(tmp_path, "another") is None


def test_only_the_last_ones_are_kept_and_journals_stay(tmp_path: Path) -> None:
    runs = tmp_path / ".freehold" / "runs"
    names = [f"20260301T1403{number:02}.000-apply" for number in range(KEPT + 3)]
    for name in names:
        keep(tmp_path, name, saved())
        (runs / f"{name}.jsonl").touch()
    left = sorted(path.name.removesuffix(".plan.json") for path in runs.glob("*.plan.json"))
    assert left == names[3:]
    assert len(list(runs.glob("*.jsonl"))) == len(names)


def test_a_plan_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / ".freehold").write_text("in the way")
    with pytest.raises(OSError, match="freehold"):
        keep(tmp_path, "run", saved())
    assert [path.name for path in tmp_path.iterdir()] == [".freehold"]


def test_a_damaged_plan_is_told(tmp_path: Path) -> None:
    keep(tmp_path, "run", saved())
    path = tmp_path / ".freehold" / "runs" / "run.plan.json"
    path.write_text(path.read_text()[:40])
    with pytest.raises(UsageError, match=r"run\.plan\.json"):
        plan_of(tmp_path, "run")


def test_names_of_runs_sort_by_time() -> None:
    first = run_name("undo")
    assert first[:15] <= run_name("apply")[:15]
    assert first.endswith("-undo")
