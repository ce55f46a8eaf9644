"""An estate that the computer cannot carry is refused before anything is made; one that is tight is warned of."""

import pytest

from tests.e2e.estate import TWO_MACHINES, Estate
from tests.e2e.shapes import DIAGNOSTIC, PLAN, deviations

pytestmark = pytest.mark.lab


def test_a_machine_with_more_memory_than_the_computer_is_refused(estate: Estate) -> None:
    estate.write(TWO_MACHINES.replace("512MiB", "4096GiB"))
    for words in (("plan",), ("apply", "--yes")):
        refused = estate.freehold(*words)
        assert refused.code == 1
        assert "error[not-enough-memory]" in refused.err
        assert "home/desk asks for 4.0 TiB" in refused.err
        assert "does not fit" in refused.out, "the table is shown unasked"
    projects = estate.incus("project", "list", "-c", "n", "-f", "csv").split()
    assert "home" not in projects

    document = estate.freehold("plan", "--json").document
    assert deviations(document["diagnostics"], [DIAGNOSTIC]) == []
    (host,) = document["capacity"]["hosts"]
    verdicts = {each["resource"]: each["verdict"] for each in host["resources"]}
    assert verdicts["memory"] == "does not fit"


@pytest.mark.slow
def test_a_tight_one_warns_and_is_made_and_then_says_nothing_more(estate: Estate) -> None:
    estate.write(TWO_MACHINES.replace("512MiB", "512MiB, cpu: 4096"))
    plan = estate.ok("plan")
    assert "warning[cpus-tight]" in plan.err
    assert "home/desk (4096)" in plan.err
    made = estate.ok("apply", "--yes")
    assert "warning[cpus-tight]" in made.err
    assert estate.get("/instances/home-desk?project=home")["status"] == "Running"

    settled = estate.ok("plan")
    assert (settled.err, "Who takes what" in settled.out) == ("", False)
    asked = estate.ok("plan", "--capacity")
    assert "Who takes what of this computer" in asked.out
    assert "1 other" in asked.out, "somebody else's container on the same server"
    assert asked.err == ""
    document = estate.plan()
    assert deviations(document, PLAN) == []
    (host,) = document["capacity"]["hosts"]
    assert [each["machine"] for each in host["machines"]] == ["home/desk", "home/shelf"]
    assert host["others"]["number"] == 1
