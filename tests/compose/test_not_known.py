"""What `status`, `updates` and the page know of services whose target is silent: that they do not know."""

from datetime import UTC, datetime, timedelta
from io import StringIO

from freehold.engine.lock import lock
from freehold.operations.overview import Overview, Verdict
from freehold.operations.overview.look import Surroundings, look
from freehold.system.targets.fake import out_of_reach
from freehold.views.overview import render_overview
from freehold.views.overview_document import overview_document
from tests.compose.docker import FakeDocker
from tests.compose.estate import Desk
from tests.compose.test_targets import cortex
from tests.ui.estates import kept_run, run_of

__all__ = ["cortex"]


def looked(desk: Desk) -> Overview:
    around = Surroundings(
        folder=desk.folder, incus=desk.incus, targets=desk.targets, lab=lambda: None
    )
    return desk.wait(look(desk.planner(), around))


def known(overview: Overview) -> dict[str, tuple[str, bool, str]]:
    """Of each service its state, and whether which version runs is known."""
    states = {each.name: each.state for each in overview.status.services}
    return {
        each.name: (states[each.name], each.is_known, each.running) for each in overview.updates
    }


def test_all_is_known_of_targets_that_answer(in_memory: Desk, docker: FakeDocker, cortex: FakeDocker) -> None:  # fmt: skip
    in_memory.apply()
    assert known(looked(in_memory)) == {
        "db": ("healthy", True, "1"),
        "site": ("healthy", True, "1"),
    }


def test_nothing_is_known_of_a_host_that_does_not_answer(in_memory: Desk, docker: FakeDocker, cortex: FakeDocker) -> None:  # fmt: skip
    in_memory.apply()
    cortex.target.fails = out_of_reach("cortex")
    assert known(looked(in_memory))["db"] == ("unknown", False, "")
    assert known(looked(in_memory))["site"] == ("healthy", True, "1")


def test_nor_of_a_docker_that_does_not_answer(in_memory: Desk, docker: FakeDocker, cortex: FakeDocker) -> None:  # fmt: skip
    in_memory.apply()
    docker.silent = True
    found = looked(in_memory)
    assert known(found)["site"] == ("unknown", False, "")
    document = overview_document(found)
    assert [each["name"] for each in document["services"]] == ["db", "site"]
    assert document["not_measured"] == ["service:home/box"]
    assert document["verdict"] == "not-known"


def test_what_was_not_looked_at_is_not_as_declared(in_memory: Desk, docker: FakeDocker, cortex: FakeDocker) -> None:  # fmt: skip
    in_memory.apply()
    assert looked(in_memory).as_declared
    docker.silent = True
    found = looked(in_memory)
    assert not found.as_declared
    stream = StringIO()
    render_overview(found, stream)
    last = " ".join(stream.getvalue().splitlines()[-2:])
    assert "site not known. Not measured: service:home/box." in last


def test_snapshots_by_the_hour_do_not_hide_an_apply_that_failed(in_memory: Desk, docker: FakeDocker, cortex: FakeDocker) -> None:  # fmt: skip
    in_memory.apply()
    in_memory.edit("service: web,", "service: web, settings: {title: news},")
    now = datetime.now(UTC)
    bar = ("service:home/box/site", 0.1, 9.0, "change-failed")
    failed = run_of("apply", now - timedelta(days=5), 9.4, 4, bar)
    kept_run(in_memory.folder, run_of("apply", now - timedelta(days=6), 9.4, 0, bar))
    kept_run(in_memory.folder, failed)
    for number in range(12):
        bar = ("snapshot:home/box", 0.1, 0.9, "change-done")
        snapshot = run_of("snapshot", now - timedelta(hours=13 - number), 1.0, 0, bar)
        kept_run(in_memory.folder, snapshot)
    found = looked(in_memory)
    assert [need.matter for need in found.needs] == ["run-failed", "changes-wait"]
    assert [each.verb for each in found.runs] == ["snapshot"] * 10 + ["apply"]
    assert found.runs[-1].name == failed.name


def test_what_a_role_installs_is_listed_and_not_known(in_memory: Desk, docker: FakeDocker, cortex: FakeDocker) -> None:  # fmt: skip
    in_memory.apply()
    role = "title: Agent\ndescription: …\nversion: '1'\nrole: agent\n"
    (in_memory.folder / "catalog/agent.yml").write_text(role)
    tasks = in_memory.folder / "roles/agent/tasks"
    tasks.mkdir(parents=True)
    (tasks / "main.yml").write_text("[]\n")
    in_memory.edit("services:\n", "services:\n      agent: {on: cortex}\n")
    found = looked(in_memory)
    states = {each.name: each.state for each in found.status.services}
    assert states == {"agent": "unknown", "db": "healthy", "site": "healthy"}
    assert found.not_measured == ("service agent",)
    assert "service agent" in overview_document(found)["not_measured"]


def test_while_somebody_holds_the_lock_nothing_is_well_that_is_not(in_memory: Desk, docker: FakeDocker, cortex: FakeDocker) -> None:  # fmt: skip
    with lock(in_memory.folder, "apply"):
        first = looked(in_memory)
    assert (first.needs, first.verdict) == ((), Verdict.AT_WORK)
    in_memory.apply()
    in_memory.edit("service: web,", "service: web, settings: {title: news},")
    with lock(in_memory.folder, "verify"):
        drifted = looked(in_memory)
    assert [need.matter for need in drifted.needs] == ["changes-wait"]
