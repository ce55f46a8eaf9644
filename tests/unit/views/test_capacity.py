"""The table of who takes what, and the same as JSON."""

from io import StringIO

import pytest

from freehold.model import Gpu, Size
from freehold.model.computer import Computer, Pool
from freehold.planning.address import Address
from freehold.planning.capacity import Capacity, Fit, Taker
from freehold.planning.capacity_demand import GIB, MIB, Demand
from freehold.planning.capacity_rules import fit
from freehold.planning.plan import Plan
from freehold.views.capacity import measured_plan_document, render_capacity
from freehold.views.plan import render_plan
from tests.unit.views.conftest import Golden

COMPUTER = Computer(
    threads=8, memory=32 * GIB, pools={"default": Pool(total=500 * GIB, used=120 * GIB)}
)
SMALL = Demand(memory=128 * MIB, disks={"root": GIB}, assumed=frozenset({"memory", "disk"}))
LLM = Demand(cpus=4, memory=8 * GIB, disks={"root": 20 * GIB, "models": 100 * GIB})
SANDBOX = Demand(is_vm=True, cpus=2, memory=4 * GIB, disks={"root": 10 * GIB})


def machine(name: str, wanted: Demand | None, present: Demand | None = None) -> Taker:
    domain, _, rest = name.partition("/")
    return Taker(address=Address(domain, "instance", rest), wanted=wanted, present=present)


def mixed(computer: Computer | None = COMPUTER, reason: str = "", llm: Demand = LLM) -> Fit:
    takers = (
        machine("homelab/llm", llm),
        machine("admin/ansible", SMALL, SMALL),
        machine("pro/sandbox", SANDBOX),
        machine("default/theirs", None, SMALL),
        machine("default/their-vm", None, SANDBOX),
    )
    return fit(Capacity(pool="default", takers=takers, computer=computer, reason=reason))


def rendered(fits: list[Fit]) -> str:
    stream = StringIO()
    render_capacity(fits, stream)
    return stream.getvalue()


def test_all_that_fits(golden: Golden) -> None:
    golden("capacity-fits", lambda stream: render_capacity([mixed()], stream))


def test_memory_of_a_card_has_a_column_when_a_machine_wants_some() -> None:
    wants = Demand(cpus=4, memory=8 * GIB, gpu=Gpu(memory=Size.parse("8GiB")))
    first = rendered([mixed(llm=wants)]).splitlines()[1]
    assert first.split() == ["machine", "CPUs", "memory", "disk", "VRAM"]


def test_a_computer_that_does_not_tell() -> None:
    text = rendered([mixed(None, "not authorized")])
    assert "not measured  not measured" in text
    assert "The computer was not measured: not authorized." in text


def test_what_others_chose_cannot_reach_the_terminal() -> None:
    text = rendered([mixed(None, "\x1b[2J")])
    assert "\x1b" not in text


@pytest.mark.parametrize(("memory", "shown"), [(8, False), (30, True)])
def test_a_plan_shows_it_unasked_only_when_something_is_tight(memory: int, shown: bool) -> None:
    found = mixed(llm=Demand(memory=memory * GIB))
    plan = Plan(estate="maison", capacity=(found,))
    for asked in (False, True):
        stream = StringIO()
        render_plan(plan, stream, capacity=asked)
        assert ("Who takes what" in stream.getvalue()) is (shown or asked)
        assert stream.getvalue().splitlines()[-1].startswith("Plan: ")


def test_the_document_names_hosts_machines_and_verdicts() -> None:
    document = measured_plan_document(Plan(estate="maison", capacity=(mixed(),)))
    (host,) = document["capacity"]["hosts"]
    assert (host["host"], host["measured"], host["reason"]) == ("local", True, None)
    assert [each["machine"] for each in host["machines"]] == [
        "admin/ansible",
        "homelab/llm",
        "pro/sandbox",
    ]
    assert host["machines"][0]["assumed"] == ["disk", "memory"]
    assert host["machines"][1]["disk"] == 120 * GIB
    assert host["others"]["number"] == 2
    memory = next(each for each in host["resources"] if each["resource"] == "memory")
    assert memory == {
        "resource": "memory",
        "asked": 16 * GIB + 256 * MIB,
        "available": 32 * GIB,
        "free": None,
        "verdict": "fits",
    }
