"""Interfaces of the host that stand where a bridge is to be. Only on a real Incus: the fake has no host."""

import pytest

from freehold.operations.lab import Lab
from tests.provider.estate import ONE_MACHINE, Server


@pytest.mark.lab
@pytest.mark.parametrize("server", ["real"], indirect=True)
def test_an_interface_of_the_bridges_name_is_refused_with_a_remedy(
    server: Server, real_lab: Lab
) -> None:
    assert real_lab.run(["ip", "link", "add", "net-lab", "type", "bridge"]) == 0
    try:
        plan = server.plan(ONE_MACHINE)
        [problem] = plan.diagnostics
        assert problem.code == "interface-in-the-way"
        assert "ip link delete net-lab" in (problem.hint or "")
        assert not plan.can_apply
    finally:
        assert real_lab.run(["ip", "link", "delete", "net-lab"]) == 0
    server.apply(ONE_MACHINE)
