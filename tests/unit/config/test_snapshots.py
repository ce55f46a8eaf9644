"""What `snapshots` says in the estate, in a domain and in a machine arrives at the machine as users mean it."""

from pathlib import Path

import pytest

from freehold.config.load import load
from freehold.model import Infra, Keep, Machine, Schedule, Snapshots
from freehold.model.snapshots import NO_SNAPSHOTS

CASES = Path(__file__).parents[2] / "cases" / "valid"


def infra_of(folder: Path, *, estate: str = "{}", domain: str = "{}", machine: str = "{}") -> Infra:
    (folder / "infra.yml").write_text(
        f"freehold: 1\nname: test\nsnapshots: {estate}\ndomains:\n  home:\n    subnet_id: 1\n"
        f"    snapshots: {domain}\n    machines:\n      desk: {{snapshots: {machine}}}\n"
    )
    infra = load(folder).infra
    assert infra is not None
    return infra


def desk(folder: Path, **said: str) -> Snapshots:
    [machine] = infra_of(folder, **said).machines()
    return machine.snapshots


def test_without_a_word_none_are_made(tmp_path: Path) -> None:
    assert desk(tmp_path) == NO_SNAPSHOTS
    assert not NO_SNAPSHOTS.is_scheduled


@pytest.mark.parametrize(
    ("schedule", "keep"),
    [("hourly", Keep(hourly=24)), ("daily", Keep(daily=7)), ("weekly", Keep(weekly=4)), ("monthly", Keep(monthly=12))],
)  # fmt: skip
def test_what_is_kept_when_only_a_schedule_is_given(
    tmp_path: Path, schedule: str, keep: Keep
) -> None:
    assert desk(tmp_path, domain=f"{{schedule: {schedule}}}") == Snapshots(
        schedule=Schedule(schedule), keep=keep
    )


def test_of_each_key_the_nearest_counts_and_keep_as_a_whole(tmp_path: Path) -> None:
    found = desk(
        tmp_path,
        estate="{schedule: daily, keep: {daily: 7, weekly: 4}, pre: sync, post: uptime}",
        domain="{keep: {daily: 2}, post: echo done}",
        machine="{schedule: hourly}",
    )
    wanted = Snapshots(schedule=Schedule.HOURLY, keep=Keep(daily=2), pre="sync", post="echo done")
    assert found == wanted


def test_a_machine_may_have_none_where_the_estate_has_a_schedule(tmp_path: Path) -> None:
    found = desk(tmp_path, estate="{schedule: daily}", machine="{schedule: never}")
    assert found == NO_SNAPSHOTS


def test_commands_without_a_schedule_serve_snapshots_by_hand(tmp_path: Path) -> None:
    assert desk(tmp_path, machine="{pre: sync}") == Snapshots(pre="sync")
    assert load(tmp_path).diagnostics == ()


def test_the_machine_between_domains_has_none() -> None:
    infra = load(CASES / "everything.yml").infra
    assert infra is not None
    machines: dict[str, Machine] = {machine.key: machine for machine in infra.machines()}
    assert machines["admin/sys-firewall"].snapshots == NO_SNAPSHOTS
    assert machines["admin/ansible"].snapshots.schedule is Schedule.DAILY


@pytest.mark.parametrize(
    ("machine", "is_by_incus"),
    [
        ("snapshots: {schedule: daily}", True),
        ("snapshots: {schedule: weekly, keep: {weekly: 9}}", True),
        ("snapshots: {schedule: daily, keep: {daily: 7, weekly: 4}}", True),
        ("snapshots: {schedule: daily, pre: sync}", False),
        ("snapshots: {schedule: daily, post: sync}", False),
        ("snapshots: {schedule: daily}, volumes: {data: {path: /srv}}", False),
    ],
)
def test_who_carries_a_schedule_out(tmp_path: Path, machine: str, is_by_incus: bool) -> None:
    (tmp_path / "infra.yml").write_text(
        f"freehold: 1\nname: test\ndomains: {{home: {{subnet_id: 1, machines: {{desk: {{{machine}}}}}}}}}\n"
    )
    infra = load(tmp_path).infra
    assert infra is not None
    [found] = infra.machines()
    assert found.snapshots.is_scheduled
    assert found.is_scheduled_by_incus == is_by_incus


@pytest.mark.parametrize("declared", ["{}", "{schedule: never}", "{pre: sync}"])
def test_nobody_carries_out_what_is_not_scheduled(tmp_path: Path, declared: str) -> None:
    [machine] = infra_of(tmp_path, machine=declared).machines()
    assert not machine.is_scheduled_by_incus
    assert not machine.snapshots.is_scheduled
