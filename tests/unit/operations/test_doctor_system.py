"""What the doctor says of a computer: its files are in a folder of the test, its programs are small scripts."""

import os
from pathlib import Path

import pytest

from freehold.diagnostics import BackendError, Diagnostic
from freehold.operations.doctor import (
    Check,
    Finding,
    NotMeasured,
    Result,
    Subject,
    examine,
    kernel,
    programs,
    storage,
)
from freehold.operations.doctor.needs import needs_of
from freehold.operations.lab.checks import PROGRAMS
from freehold.planning.capacity_demand import GIB
from tests.unit.operations.estates import estate


@pytest.fixture
def computer(tmp_path: Path) -> Subject:
    return Subject(socket=tmp_path / "none", state=tmp_path, root=tmp_path, infra=estate([4]))


def write(computer: Subject, path: str, text: str) -> None:
    target = computer.root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)


# --- what it asks for


def test_memory_is_the_machines_own_or_their_profiles_limit() -> None:
    from dataclasses import replace

    infra = estate([1])
    domain = infra.domains[0]
    big = replace(domain.machines[0], profiles=("big",))
    assert needs_of(replace(infra, domains=(replace(domain, machines=(big,)),))).memory == 4 * GIB


def test_without_an_estate_some_machines_are_assumed() -> None:
    assert not needs_of(None).known
    assert needs_of(None).machines > 1


# --- the kernel


@pytest.mark.parametrize(("value", "result"), [(31, Result.WARNING), (32, Result.OK)])
def test_limits_are_compared_with_the_number_of_machines(
    value: int, result: Result, computer: Subject
) -> None:
    write(computer, "proc/sys/fs/inotify/max_user_instances", f"{value}\n")
    found = kernel.enough(kernel.INSTANCES, computer)
    assert found.result is result
    if result is Result.WARNING:
        assert "sudo sysctl -p" in (found.remedy or "")
        assert "fs.inotify.max_user_instances = 64" in (found.remedy or "")


def test_a_limit_that_the_kernel_lacks_is_not_measured(computer: Subject) -> None:
    with pytest.raises(NotMeasured):
        kernel.enough(kernel.KEYS, computer)


@pytest.mark.parametrize(
    ("uids", "gids", "result"),
    [
        ("root:1000000:1000000000\n", "root:1000000:1000000000\n", Result.OK),
        ("0:1000000:65536\n", "root:1:65536", Result.OK),
        (None, None, Result.OK),
        ("me:100000:65536\n", "root:1000000:65536\n", Result.ERROR),
        ("root:1000000:65536\n", "", Result.ERROR),
        ("root:1000000:1000\n", "root:1000000:65536\n", Result.ERROR),
        ("root:1000000:65536\n", None, Result.ERROR),
    ],
)
def test_root_needs_ids_for_containers(
    uids: str | None, gids: str | None, result: Result, computer: Subject
) -> None:
    for path, text in (("etc/subuid", uids), ("etc/subgid", gids)):
        if text is not None:
            write(computer, path, text)
    assert kernel.subordinate_ids(computer).result is result


# --- memory and disk


@pytest.mark.parametrize(("available", "result"), [(300, Result.WARNING), (4000, Result.OK)])
def test_memory_that_is_there_is_compared(
    available: int, result: Result, computer: Subject
) -> None:
    write(computer, "proc/meminfo", f"MemTotal: 8000000 kB\nMemAvailable: {available * 1024} kB\n")
    assert storage.memory(computer).result is result


def test_disk_is_measured_even_where_the_folder_is_not_made_yet(tmp_path: Path) -> None:
    subject = Subject(socket=tmp_path / "none", state=tmp_path / "not" / "yet")
    assert f"file system of {tmp_path}" in storage.disk(subject).detail


# --- programs


def program(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, script: str) -> None:
    path = folder / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.allow("process")
def test_versions_of_programs_are_shown(computer: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROGRAMS, "incus", "incusd", "unshare", "ping"):
        program(computer.root, monkeypatch, name, f"echo '{name} version 12.34'")
    monkeypatch.setattr(programs, "_INCUS", {"incus": (), "incusd": ()})
    found = programs.lab_programs(computer)
    assert found.result is Result.OK
    assert found.detail.count("12.34") == len(PROGRAMS) + 4


# --- running them


def test_answers_keep_their_order_and_a_broken_check_is_a_row_like_any_other(
    computer: Subject,
) -> None:
    def fine(subject: Subject) -> Finding:
        return Finding(Result.OK, "fine")

    def broken(subject: Subject) -> Finding:
        raise KeyError("no such thing")

    def blind(subject: Subject) -> Finding:
        raise NotMeasured("It is dark.")

    def refused(subject: Subject) -> Finding:
        raise BackendError(Diagnostic(code="x", summary="Refused", detail="not today", hint="wait"))

    looks = {"broken": broken, "fine": fine, "blind": blind, "refused": refused}
    results = examine(computer, [Check(name, look) for name, look in looks.items()])
    found = {result.name: result.finding for result in results}
    assert list(found) == list(looks)
    assert found["fine"].result is Result.OK
    assert found["broken"].result is Result.ERROR
    assert "This is a bug in Freehold: KeyError: 'no such thing'" in found["broken"].detail
    assert found["blind"] == Finding(Result.NOT_MEASURED, "It is dark.")
    assert found["refused"] == Finding(Result.NOT_MEASURED, "Refused: not today", "wait")


def test_they_wait_together(computer: Subject) -> None:
    from threading import Barrier

    meeting = Barrier(3)

    def wait(subject: Subject) -> Finding:
        meeting.wait(timeout=60)  # breaks unless all three are here at once
        return Finding(Result.OK, "met")

    results = examine(computer, [Check(name, wait) for name in "abc"])
    assert [result.finding.result for result in results] == [Result.OK] * 3
