"""What `status` and `doctor` say of hosts, on targets in memory."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from freehold.config.load import load
from freehold.engine.planner import Picture
from freehold.model import Infra
from freehold.operations.doctor import CheckResult, Result, Subject, examine
from freehold.operations.doctor.hosts import host_checks
from freehold.operations.host_status import read_hosts
from freehold.operations.machine_status import HostState, HostStatus, Status
from freehold.planning.address import Address
from freehold.planning.change import Action, Change, FieldChange
from freehold.planning.plan import Plan
from freehold.planning.selection import Selection
from freehold.system.targets import Ended, TargetMissing
from freehold.system.targets.fake import FakeFile, FakeTargets, out_of_reach
from freehold.system.targets.problems import not_there

ESTATE = """\
freehold: 1
name: orion
hosts:
  cortex: {address: 203.0.113.20, ssh: {user: orion, port: 2222}, provision: {apt: [git]}}
  hippo: {address: 203.0.113.21}
"""
RELEASE = b'ID=debian\nPRETTY_NAME="Debian GNU/Linux 13 (trixie)"\n'


def infra(folder: Path) -> Infra:
    (folder / "infra.yml").write_text(ESTATE)
    found = load(folder).infra
    assert found is not None
    return found


def two_hosts() -> FakeTargets:
    targets = FakeTargets()
    for name in ("cortex", "hippo"):
        targets.fake(name).files["/etc/os-release"] = FakeFile(RELEASE)
    return targets


def seen(
    folder: Path, targets: FakeTargets, *changes: Change, limit: Sequence[str] = ()
) -> tuple[HostStatus, ...]:
    picture = Picture(Plan(estate="orion", changes=changes), {}, {})
    selection = Selection(limits=tuple(limit))
    return asyncio.run(read_hosts(targets, infra(folder), picture, selection))


def test_a_host_shows_its_system_and_how_it_is_entered(tmp_path: Path) -> None:
    cortex, hippo = seen(tmp_path, two_hosts())

    assert cortex == HostStatus(
        name="cortex",
        address="203.0.113.20",
        user="orion",
        port=2222,
        state=HostState.REACHABLE,
        system="Debian GNU/Linux 13 (trixie)",
    )
    assert (hippo.name, hippo.user, hippo.port) == ("hippo", "root", 22)
    assert Status(estate="orion", hosts=(cortex, hippo)).as_declared


def test_a_host_that_does_not_answer_is_not_as_declared(tmp_path: Path) -> None:
    targets = two_hosts()
    targets.fake("hippo").fails = out_of_reach("hippo")
    hosts = seen(tmp_path, targets)

    assert [host.state for host in hosts] == [HostState.REACHABLE, HostState.UNREACHABLE]
    assert "Connection refused" in hosts[1].problem
    assert not Status(estate="orion", hosts=hosts).as_declared


def test_a_host_that_the_lab_has_yet_to_make_is_missing(tmp_path: Path) -> None:
    targets = two_hosts()
    targets.fake("hippo").fails = TargetMissing(not_there("hippo"))

    assert seen(tmp_path, targets)[1].state is HostState.MISSING


def test_what_differs_inside_is_drift(tmp_path: Path) -> None:
    address = Address("cortex", "provision")
    fields = (FieldChange("apt", [], ["git"]),)
    changed = Change(address=address, action=Action.UPDATE, reason="", fields=fields, observed={})
    new = Change(address=address, action=Action.CREATE, reason="")

    assert seen(tmp_path, two_hosts(), changed)[0].drift == ("apt",)
    assert seen(tmp_path, two_hosts(), new)[0].drift == ("provision",)


def test_one_host_alone_is_asked(tmp_path: Path) -> None:
    targets = two_hosts()
    targets.fake("hippo").fails = out_of_reach("hippo")

    assert [host.name for host in seen(tmp_path, targets, limit=["cortex"])] == ["cortex"]


def examined(folder: Path, targets: FakeTargets) -> dict[str, CheckResult]:
    subject = Subject(socket=folder / "none", state=folder, infra=infra(folder))
    results = examine(subject, list(host_checks(subject, lambda infra: targets)))
    return {result.name: result for result in results if result.name != "ssh"}


def answering(machine: str, python: str = "Python 3.13.5\n") -> FakeTargets:
    targets = two_hosts()
    for name in ("cortex", "hippo"):
        said = f"{machine}\n{python}{RELEASE.decode()}"
        targets.fake(name).answers = lambda command, given, said=said: Ended(0, said, "")  # type: ignore[misc]
    return targets


def test_the_doctor_enters_each_host(tmp_path: Path) -> None:
    found = examined(tmp_path, answering("x86_64"))

    assert list(found) == ["host cortex", "host hippo"]
    assert found["host cortex"].finding.result is Result.OK
    assert (
        "Debian GNU/Linux 13 (trixie), x86_64, Python 3.13.5" in found["host cortex"].finding.detail
    )


def test_the_doctor_tells_of_another_processor_and_of_no_python(tmp_path: Path) -> None:
    other = examined(tmp_path, answering("aarch64"))["host hippo"].finding
    bare = examined(tmp_path, answering("x86_64", python=""))["host hippo"].finding

    assert (other.result, other.remedy) == (Result.WARNING, "Write `arch: arm64`.")
    assert bare.result is Result.OK
    assert "`freehold apply` installs Python" in bare.detail


def test_the_doctor_tells_why_a_host_cannot_be_entered(tmp_path: Path) -> None:
    targets = answering("x86_64")
    targets.fake("cortex").fails = out_of_reach("cortex")
    targets.fake("hippo").fails = TargetMissing(not_there("hippo"))
    found = examined(tmp_path, targets)

    assert found["host cortex"].finding.result is Result.ERROR
    assert "Connection refused" in found["host cortex"].finding.detail
    assert found["host hippo"].finding.result is Result.NOT_MEASURED


def test_an_estate_without_hosts_has_no_checks_of_them(tmp_path: Path) -> None:
    subject = Subject(socket=tmp_path / "none", state=tmp_path, infra=None)

    assert list(host_checks(subject, lambda infra: FakeTargets())) == []
