"""Hosts in the Ansible tree: how they are reached, which roles they have, what their variables are."""

import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from freehold.model import Infra
from freehold.providers.ansible.fingerprint import Inputs
from freehold.providers.ansible.inventory import groups_of
from freehold.providers.ansible.tree_look import desired_texts, tree_is_used
from freehold.system.secrets.fake import FakeSecrets
from tests.unit.providers.ansible.estates import estate

ESTATE = """\
freehold: 1
name: orion
defaults: {provision: {apt: [for-machines-only], vars: {greeting: hello}}}
domains:
  home: {subnet_id: 1, machines: {web: {}}}
hosts:
  cortex:
    address: 203.0.113.20
    ssh: {user: orion, port: 2222, key: keys/cortex}
    arch: arm64
    provision: {apt: [git], roles: [base_system], vars: {colour: blue}}
  hippo:
    address: hippo.example.org
"""


@pytest.fixture
def infra(tmp_path: Path) -> Infra:
    return estate(tmp_path, ESTATE)


@pytest.fixture
def tree(infra: Infra, tmp_path: Path) -> dict[str, Any]:
    texts = desired_texts(infra, tmp_path)
    return {name: yaml.safe_load(text) for name, text in texts.items() if name.endswith(".yml")}


def test_a_host_is_reached_as_infra_yml_says(tree: dict[str, Any]) -> None:
    hosts = tree["inventory/hosts.yml"]["all"]["children"]["freehold_hosts"]["hosts"]

    arguments = shlex.split(hosts["cortex"].pop("ansible_ssh_common_args"))
    assert hosts["cortex"] == {
        "ansible_connection": "ssh",
        "ansible_host": "203.0.113.20",
        "ansible_port": 2222,
        "ansible_user": "orion",
        "ansible_ssh_private_key_file": "{{ inventory_dir }}/../keys/cortex",
        "ansible_become": True,
    }
    assert "StrictHostKeyChecking=accept-new" in arguments
    known = 'UserKnownHostsFile="{{ inventory_dir }}/../.freehold/known_hosts" ~/.ssh/known_hosts'
    assert known in arguments
    assert hosts["hippo"]["ansible_host"] == "hippo.example.org"
    assert "ansible_become" not in hosts["hippo"]


def test_a_host_has_roles_like_a_machine_and_nothing_of_the_defaults(
    infra: Infra, tree: dict[str, Any]
) -> None:
    groups = tree["inventory/hosts.yml"]["all"]["children"]

    assert list(groups["role_base_system"]["hosts"]) == ["cortex"]
    assert list(groups["role_provision"]["hosts"]) == ["home-web", "cortex"]
    assert list(groups["freehold_provisioned"]["hosts"]) == ["home-web", "cortex"]
    assert list(groups["freehold_machines"]["hosts"]) == ["home-web"]
    cortex, hippo = infra.hosts
    assert groups_of(cortex) == [
        "all", "freehold_hosts", "freehold_provisioned", "role_base_system", "role_provision",
    ]  # fmt: skip
    assert groups_of(hippo) == ["all", "freehold_hosts"]
    assert tree["host_vars/cortex.yml"] == {
        "freehold_host": "cortex",
        "freehold_address": "203.0.113.20",
        "freehold_architecture": "arm64",
        "provision_apt": ["git"],
        "provision_roles": ["base_system"],
        "colour": "blue",
    }


def test_an_estate_of_hosts_alone_has_no_group_of_machines_members(tmp_path: Path) -> None:
    text = "freehold: 1\nname: orion\nhosts: {cortex: {address: 203.0.113.20, provision: {apt: [git]}}}\n"
    infra = estate(tmp_path, text)

    assert tree_is_used(infra, tmp_path)
    groups = yaml.safe_load(desired_texts(infra, tmp_path)["inventory/hosts.yml"])
    assert list(groups["all"]["children"]["freehold_hosts"]["hosts"]) == ["cortex"]


def test_the_inputs_of_a_host_name_its_processor_and_its_own_variables(
    infra: Infra, tmp_path: Path
) -> None:
    inputs = Inputs(tmp_path, desired_texts(infra, tmp_path), tmp_path, FakeSecrets())
    fields = inputs.fields(infra.hosts[0])

    assert fields["system"] == "host arm64"
    assert list(fields["variables"]) == ["group_vars/all.yml", "host_vars/cortex.yml"]
    assert fields["apt"] == ["git"]
