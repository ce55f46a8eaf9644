"""What `status` says of machines, on a fake and on a real Incus."""

from freehold.operations.machine_status import MachineStatus, Status
from freehold.operations.status import read_status
from freehold.planning.selection import Selection
from tests.provider.estate import ONE_MACHINE, Server

TWO_MACHINES = ONE_MACHINE.rstrip() + "\n          two: {}\n"


def status_of(server: Server, text: str, selection: Selection = Selection()) -> Status:
    async def look() -> Status:
        planner = server.planner(text, selection=selection)
        return await read_status(server.incus, planner.infra, await planner.look(), selection)

    return server.wait(look())


def test_a_machine_that_is_not_there_is_missing(server: Server) -> None:
    status = status_of(server, ONE_MACHINE)
    assert status.machines == (
        MachineStatus(
            name="lab-one",
            machine="lab/one",
            domain="lab",
            type="container",
            image="debian/13",
            state="missing",
            declared_address="10.100.7.10",
        ),
    )
    assert not status.as_declared


def test_after_apply_everything_is_as_declared(server: Server) -> None:
    server.apply(TWO_MACHINES)
    status = status_of(server, TWO_MACHINES)
    assert [machine.machine for machine in status.machines] == ["lab/one", "lab/two"]
    assert [machine.state for machine in status.machines] == ["running", "running"]
    assert all(machine.addresses == (machine.declared_address,) for machine in status.machines)
    assert status.machines[0].declared_address == "10.100.7.10"
    assert status.as_declared


def test_a_machine_stopped_and_changed_by_hand_has_drifted(server: Server) -> None:
    server.apply(ONE_MACHINE)
    stop = {"action": "stop", "force": True, "timeout": 30}
    server.by_hand("PUT", "/instances/lab-one/state", stop, "lab")
    server.by_hand("PATCH", "/instances/lab-one", {"description": "mine"}, "lab")
    (machine,) = status_of(server, ONE_MACHINE).machines
    assert machine.state == "stopped"
    assert machine.addresses == ()
    assert machine.drift == ("description", "state")


def test_orphans_are_counted_and_not_listed_as_machines(server: Server) -> None:
    server.apply(TWO_MACHINES)
    status = status_of(server, ONE_MACHINE)
    assert [machine.machine for machine in status.machines] == ["lab/one"]
    assert [str(address) for address in status.orphans] == ["instance:lab/two"]


def test_only_what_is_selected_is_shown(server: Server) -> None:
    status = status_of(server, TWO_MACHINES, Selection(limits=("lab/two",)))
    assert [machine.machine for machine in status.machines] == ["lab/two"]


def test_status_writes_nothing(server: Server) -> None:
    server.apply(ONE_MACHINE)
    server.incus.writes.clear()
    status_of(server, ONE_MACHINE)
    assert server.incus.writes == []
