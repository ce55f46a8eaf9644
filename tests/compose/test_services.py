"""Services from infra.yml to containers: made, left alone, updated, taken back, healed, pruned. On a Docker in memory and on a real one."""

import json

import pytest
import yaml

from freehold.diagnostics import Diagnostic
from freehold.engine.events import StepReported, StepStarted
from freehold.planning.plan import Plan
from freehold.system.secrets.fake import FakeSecrets
from freehold.system.targets import TargetFailed
from tests.compose.docker import FakeDocker
from tests.compose.estate import POISON, Desk, problems_of
from tests.provider.estate import change_of, summary

DB, SITE = "service:home/box/db", "service:home/box/site"
RUNNING = "/var/lib/freehold/maison/compose/compose.yml"
NOTHING: dict[str, str] = {}


def started(desk: Desk) -> list[str]:
    """The services that the last run started, in order."""
    begun = [event for event in desk.events if isinstance(event, StepStarted)]
    return [each.description.split()[1] for each in begun if each.description.startswith("start ")]


def services(plan: Plan) -> dict[str, str]:
    return {
        address: what for address, what in summary(plan).items() if address.startswith("service")
    }


def test_two_services_are_made_and_then_left_alone(desk: Desk) -> None:
    desk.apply()
    assert started(desk) == ["db", "site"], "a service starts when what it needs is healthy"
    assert {name: state for name, (_, state) in desk.containers().items()} == {
        "db": "running",
        "site": "running",
    }
    before = desk.containers()
    desk.apply()
    assert summary(desk.plan()) == NOTHING
    assert (desk.targets.written, desk.containers()) == ([], before)
    desk.targets.commands.clear()
    desk.plan()
    looks = [command for command in desk.targets.commands if command[0] == "sh"]
    assert len(looks) == 1, "one command tells all of a target"


def test_both_compose_files_say_what_runs(desk: Desk) -> None:
    desk.apply()
    kept = yaml.safe_load(desk.compose_file().read_text())
    real = yaml.safe_load(desk.read(RUNNING))
    assert kept["name"] == "maison"
    assert set(kept["services"]) == set(real["services"]) == {"db", "site"}
    assert kept["services"]["site"]["networks"] == ["data", "front"], "its own, and its need's"
    assert kept["services"]["db"]["networks"] == ["data"]
    assert kept["services"]["site"]["ports"] == ["80:8080/tcp"]
    assert "ports" not in kept["services"]["db"]
    assert set(kept["volumes"]) == {"db-lines"}
    assert desk.volumes() == ["maison_db-lines"]
    assert "x-freehold-previous" not in real


def test_a_changed_setting_restarts_that_container_alone(desk: Desk) -> None:
    desk.apply()
    before = desk.containers()
    desk.edit("service: web,", "service: web, settings: {title: news},")
    plan = desk.plan()
    assert summary(plan) == {"compose:home/box": "update", SITE: "update"}
    change = change_of(plan, SITE)
    assert change.reason == "environment.WEB_TITLE differs from infra.yml, which needs a restart"
    desk.apply()
    after = desk.containers()
    assert after["db"] == before["db"]
    assert after["site"] != before["site"]
    assert summary(desk.plan()) == NOTHING


def test_an_update_that_fails_is_taken_back(desk: Desk) -> None:
    desk.apply()
    text = yaml.safe_load(desk.read(RUNNING))["services"]["site"]
    desk.edit("service: web,", "service: web, settings: {broken: true},")
    result = desk.carry_out()
    assert result.exit_code != 0
    failed, back = problems_of(result)[SITE]
    assert (failed.code, failed.is_error) == ("service-not-healthy", True)
    assert "broken with ********" in failed.detail, "its last words, without the secret"
    assert (back.code, back.is_error) == ("service-update-taken-back", False)
    assert "what ran before runs again and is healthy" in back.detail

    real = yaml.safe_load(desk.read(RUNNING))
    assert real["services"]["site"] == text
    assert "x-freehold-previous" not in real
    assert desk.containers()["site"][1] == "running"
    versions = desk.by_hand("sh", "-c", "ls /var/lib/freehold/maison/compose/files/site") if is_real(desk) else ""  # fmt: skip
    assert len(versions.split()) <= 1, "the files of the other version are gone"
    assert services(desk.plan()) == {SITE: "update"}, "infra.yml still asks for it"
    desk.edit(", settings: {broken: true}", "")
    assert services(desk.plan()) == NOTHING


def test_a_first_start_that_fails_is_left_stopped_and_tried_again(desk: Desk) -> None:
    desk.edit("service: web,", "service: web, settings: {broken: true},")
    failed, stopped = problems_of(desk.carry_out())[SITE]
    assert (failed.code, stopped.code) == ("service-not-healthy", "service-left-stopped")
    assert desk.containers()["site"][1] == "exited"
    assert desk.containers()["db"][1] == "running"
    again = problems_of(desk.carry_out())[SITE]
    assert [each.code for each in again] == ["service-not-healthy", "service-left-stopped"]
    desk.edit(", settings: {broken: true}", "")
    desk.apply()
    assert desk.containers()["site"][1] == "running"


def test_a_killed_container_is_started_again(desk: Desk) -> None:
    desk.apply()
    before = desk.containers()
    desk.by_hand("docker", "kill", "maison-db-1")
    change = change_of(desk.plan(), DB)
    assert [(each.path, each.before, each.after) for each in change.fields] == [
        ("state", "exited (137)", "healthy")
    ]
    assert change.impact is not None
    assert change.impact.value == "live", "nothing runs that could be interrupted"
    desk.apply()
    assert desk.containers() == before, "the same container, and it runs"


def test_what_was_changed_by_hand_in_its_files_is_put_right(desk: Desk) -> None:
    desk.apply()
    name = yaml.safe_load(desk.read(RUNNING))["services"]["db"]
    paths = [each["source"] for each in name["volumes"] if each["type"] == "bind"]
    file = next(path for path in paths if path.endswith("keeper.py"))
    whole = desk.read(file)
    desk.wait(desk.targets.inner.target("home/box").write(file, b"# by hand\n"))
    assert [each.path for each in change_of(desk.plan(), DB).fields] == ["files./etc/keeper/keeper.py"]  # fmt: skip
    desk.apply()
    assert desk.read(file) == whole
    assert summary(desk.plan()) == NOTHING


def test_an_orphan_is_listed_and_pruned_and_its_data_stays(desk: Desk) -> None:
    desk.apply()
    desk.edit("\n      site: {on: home/box, service: web, ports: {http: 80}}", "")
    desk.apply()
    assert set(desk.containers()) == {"db", "site"}, "nothing is deleted unasked"
    [orphan] = desk.plan().orphans
    assert (str(orphan.address), orphan.stays, orphan.holds_data) == (SITE, (), False)

    desk.edit("services:\n      db: {on: home/box, service: keeper}", "")
    orphans = {str(orphan.address): orphan.stays for orphan in desk.plan().orphans}
    assert orphans[DB] == ("maison_db-lines",)
    deletion = change_of(desk.plan(prune=True), DB)
    assert deletion.reason == "infra.yml no longer names it; its data stays: maison_db-lines"
    assert not deletion.destroys_data
    desk.apply(prune=True)
    assert desk.containers() == {}
    assert desk.volumes() == ["maison_db-lines"]
    assert not desk.compose_file().exists()
    assert yaml.safe_load(desk.read(RUNNING)) == {"name": "maison", "services": {}}
    assert desk.plan().orphans == ()


def test_a_rotated_secret_restarts_its_users_in_order(desk: Desk, secrets: FakeSecrets) -> None:
    desk.apply()
    before = desk.containers()
    secrets.put("db_password", b"another-value-9Kd")
    changed = {address: change_of(desk.plan(), address) for address in services(desk.plan())}
    assert {address: [f.path for f in change.fields] for address, change in changed.items()} == {
        DB: ["secrets./run/secrets/password"],
        SITE: ["secrets./run/secrets/password"],
    }
    desk.apply()
    assert started(desk) == ["db", "site"]
    assert not before.items() & desk.containers().items()
    assert summary(desk.plan()) == NOTHING
    assert lets_in(desk, b"another-value-9Kd")
    assert not lets_in(desk, POISON), "what the service keeps is the new one"


def test_a_takeover_that_fails_is_taken_back(desk: Desk, secrets: FakeSecrets) -> None:
    desk.apply()
    secrets.put("db_password", b"another-value-9Kd")
    desk.edit("service: keeper", "service: keeper, settings: {greeting: refuse}")
    failed, back = problems_of(desk.carry_out())[DB]
    assert (failed.code, back.code) == ("secrets-not-taken-over", "service-update-taken-back")
    assert "`takeover` of its descriptor ended with 1" in failed.detail
    assert "it refuses ********" in failed.detail
    assert "what ran before runs again and is healthy. " in back.detail
    assert not back.is_error
    assert lets_in(desk, POISON)
    assert started(desk) == ["db"], "whoever uses it is left with the old one too"
    assert services(desk.plan()) == {DB: "update", SITE: "update"}
    assert "state" not in [each.path for each in change_of(desk.plan(), DB).fields]
    desk.edit("greeting: refuse", "greeting: hello")
    desk.apply()
    assert lets_in(desk, b"another-value-9Kd")
    assert summary(desk.plan()) == NOTHING


def test_what_a_killed_run_left_marked_is_seen_and_done(desk: Desk) -> None:
    desk.apply()
    before = desk.containers()
    entry = yaml.safe_load(desk.read(RUNNING))["services"]["db"]
    [path] = [e["source"] for e in entry["volumes"] if e["target"] == "/run/secrets/password"]
    mark = path.replace("/run/secrets/password", "/.not-taken-over")
    desk.wait(desk.targets.inner.target("home/box").write(mark, b"", mode="0600"))
    change = change_of(desk.plan(), DB)
    assert [(each.path, each.before) for each in change.fields] == [
        ("state", "healthy, secrets not taken over")
    ]
    desk.apply()
    assert desk.containers() == before, "nothing restarts for it"
    assert summary(desk.plan()) == NOTHING


@pytest.fixture
def greeting() -> str:
    return "later"


@pytest.fixture
def cut_short(in_memory: Desk, docker: FakeDocker, secrets: FakeSecrets, greeting: str) -> Desk:
    """One whose connection was lost when the new container was healthy and its database still had the old password."""
    in_memory.apply()
    secrets.put("db_password", b"another-value-9Kd")
    in_memory.edit("service: keeper", f"service: keeper, settings: {{greeting: {greeting}}}")
    docker.lost_inside = TargetFailed(Diagnostic(code="target-lost", summary="Lost"))
    assert "target-lost" in str(problems_of(in_memory.carry_out())[DB])
    docker.lost_inside = None
    return in_memory


def test_a_takeover_that_was_cut_short_is_done_by_the_next(cut_short: Desk) -> None:
    before = cut_short.containers()
    change = change_of(cut_short.plan(), DB)
    assert [(each.path, each.before, each.after) for each in change.fields] == [
        ("state", "healthy, secrets not taken over", "healthy")
    ]
    assert change.impact is not None
    assert change.impact.value == "live"
    cut_short.apply()
    assert cut_short.containers()["db"] == before["db"], "the same container"
    assert lets_in(cut_short, b"another-value-9Kd")
    assert summary(cut_short.plan()) == NOTHING


@pytest.mark.parametrize("greeting", ["refuse"])
def test_one_that_was_cut_short_and_then_fails_is_taken_back(cut_short: Desk, docker: FakeDocker) -> None:  # fmt: skip
    docker.kept["db"] = "another-value-9Kd"  # the lost command had done it
    failed, back = problems_of(cut_short.carry_out())[DB]
    assert (failed.code, back.code) == ("secrets-not-taken-over", "service-update-taken-back")
    assert not back.is_error
    assert docker.containers["db"].entry["environment"]["KEEPER_GREETING"] == "hello"
    assert lets_in(cut_short, POISON), "its own taken over again"


def test_one_that_serves_no_more_says_both(cut_short: Desk) -> None:
    cut_short.by_hand("docker", "kill", "maison-db-1")
    [state] = change_of(cut_short.plan(), DB).fields
    assert state.before == "exited (137), secrets not taken over"
    cut_short.apply()
    assert lets_in(cut_short, b"another-value-9Kd")


def test_a_descriptor_without_the_command_owes_nothing(cut_short: Desk) -> None:
    own = cut_short.folder / "catalog/keeper.yml"
    text = own.read_text()
    assert ", takeover: [python3" in text
    own.write_text(text.replace(", takeover: [python3, /etc/keeper/keeper.py, takeover]", ""))
    cut_short.apply()
    assert summary(cut_short.plan()) == NOTHING


def test_a_secret_that_is_not_there_yet_is_made_and_delivered(desk: Desk, secrets: FakeSecrets) -> None:  # fmt: skip
    secrets.remove("db_password")
    created = {field.path: field.after for field in change_of(desk.plan(), DB).fields}
    assert created["secrets./run/secrets/password"] == "to be generated 0400 70:70"
    desk.apply()
    assert summary(desk.plan()) == NOTHING
    entry = yaml.safe_load(desk.read(RUNNING))["services"]["db"]
    [path] = [e["source"] for e in entry["volumes"] if e["target"] == "/run/secrets/password"]
    assert desk.read(path).encode() == secrets.value("db_password")


def test_an_image_that_is_nowhere_is_named(desk: Desk) -> None:
    desk.apply()
    desk.edit("service: web,", 'service: web, version: "9",')
    before = desk.containers()
    [problem] = problems_of(desk.carry_out())[SITE]
    assert problem.code == "image-missing"
    assert "home/box has no registry.example.org/web:9" in problem.detail
    assert problem.hint is not None
    assert "docker save registry.example.org/web:9" in problem.hint
    assert desk.containers() == before, "what runs was not touched"


def test_another_version_is_an_update(desk: Desk) -> None:
    desk.apply()
    desk.edit("service: web,", 'service: web, version: "2",')
    assert [each.path for each in change_of(desk.plan(), SITE).fields] == ["image"]
    desk.apply()
    assert summary(desk.plan()) == NOTHING


def test_all_goes_with_the_estate_but_the_data(desk: Desk) -> None:
    if is_real(desk):
        pytest.skip("the machine goes too, which other tests need")
    desk.apply()
    desk.apply(destroy=True)
    assert desk.containers() == {}
    assert desk.volumes() == ["maison_db-lines"]


def test_what_is_done_is_told_while_it_is_done(in_memory: Desk, docker: FakeDocker) -> None:
    in_memory.apply()
    said = [event.text for event in in_memory.events if isinstance(event, StepReported)]
    assert "registry.example.org/keeper:1" in said
    kept = json.loads(next(iter(docker.containers.values())).entry["labels"]["freehold.fields"])
    assert kept["image"] == "registry.example.org/keeper:1"
    assert POISON.decode() not in json.dumps(kept)


def lets_in(desk: Desk, password: bytes) -> bool:
    """Whether the keeper takes this password."""
    ask = "import socket, sys; it = socket.create_connection(('127.0.0.1', 7000), 9); it.sendall(sys.argv[1].encode() + b'\\n'); print(it.makefile().read())"
    said = desk.by_hand("docker", "exec", "maison-db-1", "python3", "-c", ask, password.decode())
    return said.strip() != "no"


def is_real(desk: Desk) -> bool:
    return not hasattr(desk.targets.inner, "fake")
