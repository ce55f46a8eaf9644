"""What goes inside machines, as part of the plan: when Ansible is started and when it is not. Ansible itself is not run here."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from freehold.engine.planner import Planner
from freehold.engine.run import RunResult, run
from freehold.engine.systems import Systems
from freehold.planning.selection import Selection
from freehold.providers.ansible.provider import AnsibleProvider
from freehold.providers.incus.images import ServerImages
from freehold.providers.incus.provider import IncusProvider
from freehold.providers.secrets.provider import SecretsProvider
from freehold.system.ansible import PlayEnd, TaskFailure
from freehold.system.ansible.fake import FakePlaybooks
from freehold.system.secrets.fake import FakeSecrets
from freehold.system.targets import Ended, TargetMissing
from freehold.system.targets.fake import FakeFile, FakeTargets, out_of_reach
from freehold.system.targets.problems import not_there
from tests.provider.estate import Server, infra_of, summary

ESTATE = """
    freehold: 1
    name: test-estate
    defaults: {provision: {apt: [git]}}
    domains:
      lab:
        subnet_id: 7
        machines:
          one: {provision: {vars: {colour: blue}}}
          two: {provision: {script: [{src: setup.sh}]}}
      shop:
        subnet_id: 8
        machines: {till: {}}
    """
# What does not depend on the server is tried on the fast one.
on_the_fake = pytest.mark.parametrize("server", ["fake"], indirect=True)
LIMIT_ONE = Selection(limits=("lab/one",))


@dataclass
class Desk:
    """Somebody with an estate in a folder, and an Ansible that notes what it is asked for."""

    server: Server
    ansible: FakePlaybooks = field(default_factory=FakePlaybooks)
    text: str = ESTATE
    targets: FakeTargets = field(default_factory=FakeTargets)
    secrets: FakeSecrets = field(default_factory=FakeSecrets)

    @property
    def folder(self) -> Path:
        return self.server.folder

    def planner(self, *, refresh: bool = False, **options: Any) -> Planner:
        incus = self.server.incus
        inside = AnsibleProvider(
            self.folder,
            incus,
            self.targets,
            self.ansible,
            self.folder / "logs",
            self.secrets,
            refresh=refresh,
        )
        secrets = SecretsProvider(self.secrets)
        systems = Systems(IncusProvider(incus, ServerImages(incus)), secrets, inside)
        return Planner(infra=infra_of(self.folder, self.text), provider=systems, **options)

    def plan(self, **options: Any) -> dict[str, str]:
        return summary(self.server.wait(self.planner(**options).look()).plan)

    def apply(self, **options: Any) -> RunResult:
        planner = self.planner(**options)
        self.ansible.plays.clear()
        plan = self.server.wait(planner.look()).plan
        assert plan.can_apply, plan.diagnostics
        return self.server.wait(run(planner, plan, lambda event: None, asyncio.Event()))

    def provisioned(self) -> list[str]:
        """The machines that Ansible was run on since the last apply began."""
        return sorted(play.host for play in self.ansible.plays)


@pytest.fixture
def desk(server: Server) -> Desk:
    (server.folder / "setup.sh").write_text("true\n")
    return Desk(server)


def test_machines_are_created_and_provisioned_in_one_apply(desk: Desk) -> None:
    assert desk.apply().exit_code == 0
    assert desk.provisioned() == ["lab-one", "lab-two", "shop-till"]
    assert {play.tags[0] for play in desk.ansible.plays} == {"provision"}


def test_a_second_apply_starts_no_ansible_and_writes_nothing(desk: Desk) -> None:
    desk.apply()
    desk.server.incus.writes.clear()
    assert desk.plan() == {}
    assert desk.apply().outcomes == ()
    assert desk.provisioned() == []
    assert desk.server.incus.writes == []


@on_the_fake
def test_another_variable_concerns_its_machine_alone(desk: Desk) -> None:
    desk.apply()
    desk.text = ESTATE.replace("blue", "green")
    desk.apply()
    assert desk.provisioned() == ["lab-one"]


@on_the_fake
def test_a_variable_in_the_users_own_part_counts(desk: Desk) -> None:
    desk.apply()
    with (desk.folder / "host_vars/lab-two.yml").open("a") as stream:
        stream.write("mine: 1\n")
    desk.apply()
    assert desk.provisioned() == ["lab-two"]
    with (desk.folder / "group_vars/lab.yml").open("a") as stream:
        stream.write("ours: 1\n")
    desk.apply()
    assert desk.provisioned() == ["lab-one", "lab-two"]


@on_the_fake
def test_what_a_script_says_counts_and_not_when_it_was_saved(desk: Desk) -> None:
    desk.apply()
    (desk.folder / "setup.sh").write_text("true\n")
    desk.apply()
    assert desk.provisioned() == []
    (desk.folder / "setup.sh").write_text("false\n")
    desk.apply()
    assert desk.provisioned() == ["lab-two"]


@on_the_fake
def test_a_role_of_the_tree_counts_with_all_its_files(desk: Desk) -> None:
    role = desk.folder / "roles/mine/tasks"
    role.mkdir(parents=True)
    (role / "main.yml").write_text("[]\n")
    desk.text = ESTATE.replace("vars: {colour: blue}", "roles: [mine]")
    desk.apply()
    (role / "more.yml").write_text("[]\n")
    desk.apply()
    assert desk.provisioned() == ["lab-one"]


@on_the_fake
def test_a_failure_leaves_the_others_alone_and_is_tried_again(desk: Desk) -> None:
    reason = "no such package\n" * 20
    failure = TaskFailure(role="provision", task="Install packages", reason=reason)
    desk.ansible.answers["lab-one"] = PlayEnd(failures=(failure,))
    result = desk.apply()
    assert result.exit_code == 4
    (problem,) = next(o for o in result.outcomes if o.diagnostics).diagnostics
    assert problem.detail.startswith("lab/one: role provision, task “Install packages”:")
    assert "12 lines more" in problem.detail
    assert problem.hint is not None
    assert "logs/lab-one-" in problem.hint
    desk.ansible.answers.clear()
    assert desk.apply().exit_code == 0
    assert desk.provisioned() == ["lab-one"]


@on_the_fake
def test_refresh_provisions_again_once(desk: Desk) -> None:
    desk.apply()
    result = desk.apply(refresh=True, selection=LIMIT_ONE)
    assert desk.provisioned() == ["lab-one"]
    assert result.exit_code == 0, result.unsettled
    assert desk.plan() == {}


def test_another_image_is_provisioned_anew(desk: Desk) -> None:
    desk.apply()
    desk.text = ESTATE.replace("one: {", "one: {image: test/other, ")
    assert desk.plan() == {"instance:lab/one": "replace", "provision:lab/one": "update"} | {
        key: action for key, action in desk.plan().items() if key.startswith("file:")
    }
    desk.apply()
    assert desk.provisioned() == ["lab-one"]


@on_the_fake
def test_nothing_is_provisioned_when_its_machine_is_not_there(desk: Desk) -> None:
    desk.text = ESTATE.replace("one: {", "one: {image: no/such, ")
    result = desk.apply()
    assert result.exit_code == 4
    assert desk.provisioned() == ["lab-two", "shop-till"]


@on_the_fake
def test_a_machine_that_nothing_goes_into_any_more_is_left_in_peace(desk: Desk) -> None:
    desk.apply()
    desk.text = ESTATE.replace("defaults: {provision: {apt: [git]}}", "")
    changes = [key for key in desk.plan(prune=True) if not key.startswith("file:")]
    assert changes == ["provision:lab/two"]


@on_the_fake
def test_logs_do_not_pile_up(desk: Desk) -> None:
    logs = desk.folder / "logs"
    logs.mkdir()
    for number in range(9):
        (logs / f"lab-one-2026010{number}T000000.0.log").touch()
    desk.apply()
    assert len(list(logs.glob("lab-one-*"))) == 4  # the fake writes none of its own


@on_the_fake
def test_a_role_for_one_machine_is_nothing_to_the_others(desk: Desk) -> None:
    desk.apply()
    desk.text = ESTATE.replace("vars: {colour: blue}", "roles: [base_system]")
    desk.apply()
    assert desk.provisioned() == ["lab-one"]


@on_the_fake
def test_a_control_machine_follows_freehold_itself(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has a copy of it inside."""
    desk.text = ESTATE.replace("vars: {colour: blue}", "roles: [control]")
    desk.apply()
    assert desk.plan() == {}
    monkeypatch.setattr("freehold.providers.ansible.fingerprint.own_code", lambda: "other")
    assert list(desk.plan()) == ["provision:lab/one"]


@on_the_fake
def test_a_play_of_the_users_own_counts_for_all(desk: Desk) -> None:
    desk.apply()
    with (desk.folder / "site.yml").open("a") as stream:
        stream.write("\n- name: Mine\n  hosts: all\n  tags: [provision]\n")
    desk.apply()
    assert desk.provisioned() == ["lab-one", "lab-two", "shop-till"]


HOSTS = """
    freehold: 1
    name: test-estate
    hosts:
      cortex: {address: 203.0.113.20, provision: {apt: [git], vars: {colour: blue}}}
      hippo: {address: 203.0.113.21, provision: {apt: [git]}}
      plain: {address: 203.0.113.22}
    """
REMEMBERED = "/var/lib/freehold/test-estate/provisioned.json"


@on_the_fake
def test_hosts_are_provisioned_and_remember_it_themselves(desk: Desk) -> None:
    desk.text = HOSTS
    desk.apply()
    assert desk.provisioned() == ["cortex", "hippo"]
    assert desk.ansible.plays[0].variables["ansible_ssh_args"]
    kept = desk.targets.fake("cortex").files[REMEMBERED]
    assert (kept.mode, kept.owner) == ("0600", "0:0")
    assert b"blue" not in kept.content
    assert desk.plan() == {}


@on_the_fake
def test_what_changes_for_one_host_concerns_it_alone(desk: Desk) -> None:
    desk.text = HOSTS
    desk.apply()
    desk.text = HOSTS.replace("blue", "green")
    desk.apply()
    assert desk.provisioned() == ["cortex"]
    assert desk.plan() == {}
    desk.targets.fake("hippo").files.clear()  # it was installed anew
    assert desk.plan() == {"provision:hippo": "create"}


@on_the_fake
def test_rules_of_ports_that_somebody_flushed_are_loaded_again(desk: Desk) -> None:
    desk.text = HOSTS
    desk.apply()
    gone = Ended(3, "", "")
    desk.targets.fake("cortex").answers = lambda command, given: (
        gone if "nft list" in command[2] else None
    )
    assert desk.plan() == {"provision:cortex": "update"}
    desk.apply()
    assert desk.provisioned() == ["cortex"]


@on_the_fake
def test_a_host_without_anything_to_be_inside_is_not_even_asked(desk: Desk) -> None:
    desk.text = HOSTS
    desk.targets.fake("plain").fails = out_of_reach("plain")
    assert desk.apply().exit_code == 0


@on_the_fake
def test_a_host_that_does_not_answer_keeps_no_other_from_being_done(desk: Desk) -> None:
    desk.text = HOSTS
    desk.targets.fake("hippo").fails = out_of_reach("hippo")
    picture = desk.server.wait(desk.planner().look())
    assert picture.plan.unreached == ("hippo",)
    assert [each.code for each in picture.plan.diagnostics] == ["host-unreachable"]
    assert desk.apply().exit_code == 0
    assert desk.provisioned() == ["cortex"]
    desk.targets.fake("hippo").fails = None
    desk.apply()
    assert desk.provisioned() == ["hippo"]


@on_the_fake
def test_a_host_that_goes_away_before_its_turn_is_one_failure(desk: Desk) -> None:
    desk.text = HOSTS
    planner = desk.planner()
    plan = desk.server.wait(planner.look()).plan
    desk.targets.fake("hippo").fails = out_of_reach("hippo")
    result = desk.server.wait(run(planner, plan, lambda event: None, asyncio.Event()))
    assert result.exit_code == 4
    (failed,) = [each for each in result.outcomes if each.diagnostics]
    assert str(failed.change.address) == "provision:hippo"
    assert failed.diagnostics[0].code == "host-unreachable"
    assert desk.provisioned() == ["cortex"]


@on_the_fake
def test_a_host_yet_to_be_made_has_everything_to_come(desk: Desk) -> None:
    desk.text = HOSTS
    there = desk.targets.fake("hippo")
    there.fails = TargetMissing(not_there("hippo"))
    plan = desk.server.wait(desk.planner().look()).plan
    assert plan.unreached == ()
    assert summary(plan)["provision:hippo"] == "create"


@on_the_fake
def test_damaged_memory_of_a_host_is_none(desk: Desk) -> None:
    desk.text = HOSTS
    desk.apply()
    desk.targets.fake("cortex").files[REMEMBERED] = FakeFile(b"\xff{")
    desk.targets.fake("hippo").files[REMEMBERED] = FakeFile(b"[]")
    assert desk.plan() == {"provision:cortex": "create", "provision:hippo": "create"}


@on_the_fake
def test_one_host_alone(desk: Desk) -> None:
    desk.text = HOSTS
    desk.apply(selection=Selection(limits=("cortex",)))
    assert desk.provisioned() == ["cortex"]


@on_the_fake
def test_refreshed_hosts_are_done_again_once(desk: Desk) -> None:
    desk.text = HOSTS
    desk.apply()
    desk.apply(refresh=True)
    assert desk.provisioned() == ["cortex", "hippo"]


@on_the_fake
def test_a_task_that_fails_on_a_host_is_told_as_that(desk: Desk) -> None:
    desk.text = HOSTS
    failure = TaskFailure(task="Install", role="provision", reason="no space left")
    desk.ansible.answers["cortex"] = PlayEnd(failures=(failure,))
    result = desk.apply()
    (failed,) = [each for each in result.outcomes if each.diagnostics]
    assert failed.diagnostics[0].summary == "A task failed on a host"
    assert "cortex: role provision, task “Install”" in failed.diagnostics[0].detail
    assert list(desk.plan()) == ["provision:cortex"]


@on_the_fake
def test_another_value_of_a_secret_provisions_those_that_are_given_it(desk: Desk) -> None:
    desk.text = ESTATE.replace("vars: {colour: blue}", "vars: {token: !secret api_token}")
    desk.secrets.put("api_token", b"first value")
    desk.apply()
    assert desk.plan() == {}
    desk.secrets.put("api_token", b"second value")
    assert desk.plan() == {"provision:lab/one": "update"}
    desk.apply()
    assert desk.provisioned() == ["lab-one"]
    assert desk.plan() == {}
    for path in desk.folder.rglob("*.yml"):
        assert "value" not in path.read_text()


@on_the_fake
def test_a_secret_that_is_missing_stops_everything_before(desk: Desk) -> None:
    desk.text = ESTATE.replace("vars: {colour: blue}", "vars: {token: !secret api_token}")
    plan = desk.server.wait(desk.planner().look()).plan
    assert [problem.code for problem in plan.diagnostics] == ["secret-missing"]
    assert not plan.can_apply
