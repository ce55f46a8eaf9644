"""`network.firewall: machine` by site.yml: the machine between the domains is made and does its work."""

import pytest

from tests.ansible.tree import Tree
from tests.e2e.test_sys_firewall import COTTAGE

pytestmark = [pytest.mark.lab, pytest.mark.slow]


def test_the_machine_between_the_domains_is_made_and_stays(tree: Tree) -> None:
    tree.synced(COTTAGE)

    first = tree.site_ok("--tags", "infra")

    assert {host for role, host in first.changed if role == "incus_nftables"} == {"home.domain"}
    assert tree.get("/instances/home-sys-firewall?project=home")["status"] == "Running"
    tree.settled()
    assert tree.site_ok("--tags", "infra").changed == set()
