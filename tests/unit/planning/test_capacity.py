"""When an estate does not fit its computer, and when it is tight: each rule at its edge."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from freehold.diagnostics import Severity
from freehold.model import Gpu, GpuVendor, Size
from freehold.model.computer import Card, Computer, Pool
from freehold.planning.address import Address
from freehold.planning.capacity import Capacity, Fit, Resource, Taker, Verdict
from freehold.planning.capacity_demand import GIB, Demand
from freehold.planning.capacity_rules import fit
from freehold.planning.capacity_words import CODES
from freehold.planning.selection import Selection

COMPUTER = Computer(
    threads=4, memory=32 * GIB, pools={"default": Pool(total=100 * GIB, used=40 * GIB)}
)
CARD = Card(pci="0000:01:00.0", vendor="nvidia", memory=8 * GIB)
SILENT = Card(pci="0000:00:02.0", vendor="intel")
LARGER = Card(pci="0000:02:00.0", vendor="nvidia", memory=16 * GIB)


def address(name: str) -> Address:
    return Address("home", "instance", name)


def vm(memory: int = GIB, **of: int) -> Demand:
    return Demand(is_vm=True, memory=memory, cpus=of.get("cpus", 1))


def box(memory: int = GIB, *, cpus: int = 0, disks: Mapping[str, int] | None = None) -> Demand:
    return Demand(memory=memory, cpus=cpus, disks=disks or {})


def carries(
    *,
    new: Mapping[str, Demand] | None = None,
    changed: Mapping[str, tuple[Demand, Demand]] | None = None,
    others: Mapping[str, Demand] | None = None,
    computer: Computer | None = COMPUTER,
    selection: Selection = Selection(),
    deleted: frozenset[Address] = frozenset(),
) -> Fit:
    """The computer with new machines, those that exist (before, after), and somebody else's."""
    takers = [Taker(address=address(name), wanted=of) for name, of in (new or {}).items()]
    takers += [
        Taker(address=address(name), present=before, wanted=after)
        for name, (before, after) in (changed or {}).items()
    ]
    takers += [Taker(address=address(name), present=of) for name, of in (others or {}).items()]
    capacity = Capacity(pool="default", takers=tuple(takers), computer=computer)
    return fit(capacity, selection, deleted)


def told(found: Fit) -> dict[str, Severity]:
    return {problem.code: problem.severity for problem in found.diagnostics}


def verdict(found: Fit, resource: Resource) -> Verdict:
    return next(each.verdict for each in found.balances if each.resource is resource)


# --- memory


def test_a_machine_larger_than_the_computer_is_an_error_with_its_name() -> None:
    found = carries(new={"desk": box(33 * GIB), "shelf": box()})
    (problem,) = found.diagnostics
    assert (problem.code, problem.severity) == ("not-enough-memory", Severity.ERROR)
    assert problem.detail == "home/desk asks for 33.0 GiB; this computer has 32.0 GiB."
    assert verdict(found, Resource.MEMORY) is Verdict.TOO_MUCH


def test_virtual_machines_take_their_memory_and_containers_only_may() -> None:
    vms = {"a": vm(20 * GIB), "b": vm(13 * GIB)}
    (problem,) = carries(new=vms).diagnostics
    assert (problem.code, problem.severity) == ("not-enough-memory", Severity.ERROR)
    assert "33.0 GiB" in problem.detail
    assert "home/a 20.0 GiB, home/b 13.0 GiB" in problem.detail
    containers = carries(new={"a": box(20 * GIB), "b": box(13 * GIB)})
    assert told(containers) == {"memory-tight": Severity.WARNING}


@pytest.mark.parametrize(("memory", "codes"), [(28, set()), (29, {"memory-tight"})])
def test_above_nine_tenths_it_is_tight(memory: int, codes: set[str]) -> None:
    assert set(told(carries(new={"desk": box(memory * GIB)}))) == codes


def test_machines_of_others_that_run_count() -> None:
    found = carries(new={"desk": vm(4 * GIB)}, others={"theirs": vm(30 * GIB)})
    assert told(found) == {"not-enough-memory": Severity.ERROR}
    assert "home/theirs 30.0 GiB" in found.diagnostics[0].detail


# --- what is there already


def test_what_exists_is_not_counted_twice() -> None:
    same = {name: (vm(14 * GIB), vm(14 * GIB)) for name in ("a", "b")}
    assert told(carries(changed=same)) == {}
    assert verdict(carries(changed=same), Resource.MEMORY) is Verdict.FITS


def test_what_was_too_much_before_stops_no_plan_that_adds_nothing_of_it() -> None:
    same = {name: (vm(20 * GIB), vm(20 * GIB)) for name in ("a", "b")}
    found = carries(changed=same, new={"c": Demand(disks={"root": GIB})})
    assert told(found) == {}
    assert verdict(found, Resource.MEMORY) is Verdict.TOO_MUCH, "the table says it all the same"


def test_one_that_grows_too_large_is_an_error_and_one_that_shrinks_is_not() -> None:
    grown = carries(changed={"desk": (box(GIB), box(40 * GIB))})
    assert told(grown) == {"not-enough-memory": Severity.ERROR}
    assert told(carries(changed={"desk": (box(50 * GIB), box(40 * GIB))})) == {}


def test_a_limit_leaves_out_what_is_new_elsewhere_and_keeps_what_is_there() -> None:
    takers = {"desk": box(), "shelf": box(40 * GIB)}
    found = carries(new=takers, selection=Selection(limits=("home/desk",)))
    assert [share.name for share in found.shares] == ["home/desk"]
    assert told(found) == {}
    kept = carries(
        new={"desk": vm(20 * GIB)},
        changed={"old": (vm(20 * GIB), vm(GIB))},
        selection=Selection(limits=("home/desk",)),
    )
    assert told(kept) == {"not-enough-memory": Severity.ERROR}, "`old` stays as large as it is"


def test_an_orphan_that_is_pruned_makes_room() -> None:
    wanted, there = {"desk": vm(20 * GIB)}, {"old": vm(20 * GIB)}
    assert told(carries(new=wanted, others=there)) == {"not-enough-memory": Severity.ERROR}
    assert told(carries(new=wanted, others=there, deleted=frozenset({address("old")}))) == {}


# --- CPUs


def test_more_cpus_than_threads_in_one_machine_is_tight_for_incus_takes_it() -> None:
    found = carries(new={"desk": box(cpus=5), "shelf": vm(cpus=6), "other": box(cpus=4)})
    assert told(found) == {"cpus-tight": Severity.WARNING}
    assert "home/desk (5), home/shelf (6)." in found.diagnostics[0].detail


@pytest.mark.parametrize(("machines", "codes"), [(4, set()), (5, {"cpus-tight"})])
def test_four_cpus_for_each_thread_are_too_many(machines: int, codes: set[str]) -> None:
    new = {f"m{number}": box(cpus=4) for number in range(machines)}
    assert set(told(carries(new=new))) == codes


# --- disks


def test_a_disk_larger_than_the_pool_is_an_error_that_names_it() -> None:
    found = carries(new={"desk": box(disks={"root": GIB, "data": 101 * GIB})})
    (problem,) = found.diagnostics
    assert (problem.code, problem.severity) == ("not-enough-disk", Severity.ERROR)
    assert (
        problem.detail == "home/desk/data is to have 101.0 GiB; the pool `default` has 100.0 GiB."
    )


def test_a_disk_whose_size_is_a_guess_refuses_nothing() -> None:
    guessed = replace(box(disks={"root": 101 * GIB}), assumed=frozenset({"disk"}))
    (problem,) = carries(new={"desk": guessed}).diagnostics
    assert (problem.code, problem.severity) == ("disk-tight", Severity.WARNING)


@pytest.mark.parametrize(("size", "codes"), [(60, set()), (61, {"disk-tight"})])
def test_what_is_new_is_compared_with_what_is_free(size: int, codes: set[str]) -> None:
    found = carries(new={"desk": box(disks={"root": size * GIB})})
    assert set(told(found)) == codes


def test_a_larger_disk_asks_only_for_the_difference() -> None:
    before, after = box(disks={"root": 30 * GIB}), box(disks={"root": 80 * GIB})
    assert told(carries(changed={"desk": (before, after)})) == {}


def test_all_disks_together_may_promise_more_than_the_pool_has() -> None:
    there = {"old": box(disks={"root": 90 * GIB})}
    found = carries(new={"desk": box(disks={"root": 20 * GIB})}, others=there)
    assert told(found) == {"disk-tight": Severity.WARNING}
    assert "110.0 GiB" in found.diagnostics[0].detail


def test_a_pool_that_nobody_knows_is_not_measured() -> None:
    unknown = Computer(threads=4, memory=32 * GIB)
    found = carries(new={"desk": box(disks={"root": 900 * GIB})}, computer=unknown)
    assert told(found) == {}
    assert verdict(found, Resource.DISK) is Verdict.NOT_MEASURED


# --- graphics cards


def cards(*of: Card) -> Computer:
    return Computer(threads=4, memory=32 * GIB, cards=of)


def gpu(memory: int, **of: Any) -> Demand:
    return Demand(gpu=Gpu(memory=Size.parse(f"{memory}GiB"), **of))


def test_memory_of_a_card_is_compared_with_the_largest_or_the_one_that_is_named() -> None:
    assert told(carries(new={"llm": gpu(12)}, computer=cards(CARD, LARGER))) == {}
    found = carries(new={"llm": gpu(12)}, computer=cards(CARD))
    assert told(found) == {"not-enough-vram": Severity.ERROR}
    named = gpu(12, pci=CARD.pci)
    (problem,) = carries(new={"llm": named}, computer=cards(CARD, LARGER)).diagnostics
    assert problem.detail == "home/llm asks for 12.0 GiB; it can have 8.0 GiB."
    makers = gpu(12, vendor=GpuVendor.AMD)
    amd = Card(pci="0000:03:00.0", vendor="amd", memory=8 * GIB)
    found = carries(new={"llm": makers}, computer=cards(LARGER, amd))
    assert told(found) == {"not-enough-vram": Severity.ERROR}


def test_cards_that_are_shared_may_run_short() -> None:
    found = carries(new={"a": gpu(6), "b": gpu(6)}, computer=cards(CARD))
    assert told(found) == {"vram-tight": Severity.WARNING}


def test_a_card_that_does_not_tell_its_memory_is_not_measured() -> None:
    found = carries(new={"llm": gpu(99)}, computer=cards(SILENT))
    assert told(found) == {}
    assert verdict(found, Resource.VRAM) is Verdict.NOT_MEASURED


def test_beside_one_that_does_not_tell_nothing_is_sure() -> None:
    found = carries(new={"llm": gpu(99)}, computer=cards(CARD, SILENT))
    assert told(found) == {"vram-tight": Severity.WARNING}
    sure = carries(new={"llm": gpu(99, vendor=GpuVendor.NVIDIA)}, computer=cards(CARD, SILENT))
    assert told(sure) == {"not-enough-vram": Severity.ERROR}


# --- a computer that does not tell


def test_nothing_is_said_of_a_computer_that_does_not_tell() -> None:
    found = carries(new={"desk": box(9999 * GIB, disks={"root": 9999 * GIB})}, computer=None)
    assert told(found) == {}
    assert verdict(found, Resource.MEMORY) is Verdict.NOT_MEASURED
    assert verdict(found, Resource.DISK) is Verdict.NOT_MEASURED
    assert verdict(found, Resource.VRAM) is Verdict.FITS, "nobody asks for any"


def test_every_code_is_in_the_list_that_saved_plans_do_not_hang_on() -> None:
    found = [
        carries(new={"a": box(99 * GIB, cpus=9, disks={"root": 999 * GIB})}),
        carries(new={"a": box(31 * GIB, disks={"root": 99 * GIB})}),
        carries(new={"a": gpu(99)}, computer=cards(CARD)),
        carries(new={"a": gpu(5), "b": gpu(5)}, computer=cards(CARD)),
    ]
    assert {code for each in found for code in told(each)} == CODES
