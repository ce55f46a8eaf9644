"""What stands in the Ansible tree: who there is, how each is reached, what runs where, and nothing where it does not belong."""

import configparser
from pathlib import Path
from typing import Any

import pytest
import yaml

from freehold.config.load import load
from freehold.model import Infra
from freehold.providers.ansible.inventory import groups_of, roles_of
from freehold.providers.ansible.tree import generated
from freehold.providers.ansible.tree_look import desired_texts
from tests.unit.providers.ansible.estates import INFRA, estate

CASES = Path(__file__).parents[3] / "cases" / "valid"
GATEWAY = """\
freehold: 1
name: maison
network: {firewall: machine}
domains: {admin: {subnet_id: 0, trust: admin}}
"""


@pytest.fixture(scope="module")
def everything() -> Infra:
    infra = load(CASES / "everything.yml").infra
    assert infra is not None
    return infra


@pytest.fixture(scope="module")
def tree(everything: Infra) -> dict[str, Any]:
    """The YAML files as parsers read them."""
    texts = desired_texts(everything, CASES)
    return {name: yaml.safe_load(text) for name, text in texts.items() if name.endswith(".yml")}


def test_machines_and_domains_are_hosts_that_are_reached_each_in_its_way(
    tree: dict[str, Any],
) -> None:
    groups = tree["inventory/hosts.yml"]["all"]["children"]
    assert groups["freehold_machines"]["hosts"]["homelab-llm"] == {
        "ansible_connection": "freehold.estate.incus",
        "ansible_host": "homelab-llm",
        "ansible_incus_project": "homelab",
    }
    assert groups["freehold_domains"]["hosts"]["homelab.domain"]["ansible_connection"] == "local"
    assert list(groups["homelab"]["hosts"]) == [
        "homelab.domain",
        "homelab-desk",
        "homelab-llm",
        "homelab-plain",
    ]
    assert list(groups["pro"]["hosts"]) == ["pro.domain"]
    assert list(groups["role_ollama_server"]["hosts"]) == ["homelab-llm"]


def test_connection_variables_stand_in_the_inventory_only(tree: dict[str, Any]) -> None:
    for name, variables in tree.items():
        if name.startswith(("group_vars/", "host_vars/")):
            assert not [key for key in variables if key.startswith("ansible_")], name
    groups = tree["inventory/hosts.yml"]["all"]["children"].values()
    assert all(group.keys() == {"hosts"} for group in groups)


def test_variables_stand_where_infra_yml_has_them(tree: dict[str, Any]) -> None:
    assert tree["group_vars/all.yml"] == {
        "freehold_estate": "maison",
        "greeting": "hello",
        "language": "fr",
    }
    assert tree["group_vars/homelab.yml"] == {
        "freehold_domain": "homelab",
        "freehold_subnet": "192.168.3.0/24",
        "freehold_gateway": "192.168.3.1",
        "freehold_trust": "trusted",
        "greeting": "salut",
    }
    llm = tree["host_vars/homelab-llm.yml"]
    assert llm["greeting"] == "{{ language }} says hello"
    assert llm["nothing"] is None
    assert llm["provision_files"] == [
        {"src": "files/motd", "dest": "/etc/motd"},
        {"src": "files/motd", "dest": "/srv/motd", "owner": "www-data", "group": "33", "mode": "0640"},
    ]  # fmt: skip
    assert tree["host_vars/homelab-plain.yml"] == {
        "freehold_machine": "homelab/plain",
        "provision_apt": ["git", "curl"],
        "provision_files": [{"src": "files/motd", "dest": "/etc/motd"}],
    }


def test_an_address_is_written_only_where_infra_yml_has_it(tree: dict[str, Any]) -> None:
    assert tree["host_vars/homelab-llm.yml"]["freehold_address"] == "192.168.3.199"
    assert "freehold_address" not in tree["host_vars/homelab-plain.yml"]


def test_infrastructure_comes_first_then_a_play_for_each_role(tree: dict[str, Any]) -> None:
    first, python, *roles = tree["site.yml"]
    assert first["hosts"] == "freehold_domains"
    assert [role["role"].removeprefix("freehold.estate.incus_") for role in first["roles"]] == [
        "projects",
        "networks",
        "profiles",
        "storage",
        "nftables",
        "instances",
    ]
    assert first["roles"][1]["tags"] == ["infra", "networks", "incus_networks"]
    assert (python["hosts"], python["tags"]) == ("freehold_provisioned", ["provision"])
    assert [(play["hosts"], play["roles"], play["tags"]) for play in roles] == [
        ("role_provision", [{"role": "freehold.estate.provision"}], ["provision"]),
        ("role_ollama_server", [{"role": "ollama_server"}], ["provision", "ollama_server"]),
        (
            "role_community.general.example",
            [{"role": "community.general.example"}],
            ["provision", "example"],
        ),
    ]


def test_the_base_of_the_system_comes_before_all_else(tmp_path: Path) -> None:
    text = INFRA.replace("roles: [base_system]", "roles: [mine, base_system]")
    (tmp_path / "roles/mine").mkdir(parents=True)
    infra = estate(tmp_path, text)
    app, cache = infra.machines()
    assert roles_of(app) == ["base_system", "provision", "mine"]
    assert roles_of(cache) == []
    assert groups_of(app) == [
        "all", "freehold_machines", "freehold_provisioned", "web", "role_base_system", "role_provision", "role_mine",
    ]  # fmt: skip
    assert groups_of(cache) == ["all", "freehold_machines", "web"]


def test_a_role_of_the_folder_comes_before_one_of_freeholds(tmp_path: Path) -> None:
    infra = estate(tmp_path)
    shipped = yaml.safe_load(desired_texts(infra, tmp_path)["site.yml"])
    (tmp_path / "roles/base_system").mkdir(parents=True)
    (tmp_path / "roles/provision").mkdir()
    own = yaml.safe_load(desired_texts(infra, tmp_path)["site.yml"])
    assert shipped[2]["roles"] == [{"role": "freehold.estate.base_system"}]
    assert own[2]["roles"] == [{"role": "base_system"}]
    assert own[3]["roles"] == [{"role": "freehold.estate.provision"}]


def test_without_anything_inside_only_the_infrastructure_is_played(tmp_path: Path) -> None:
    infra = estate(tmp_path, "freehold: 1\nname: bare\ndomains: {web: {subnet_id: 0}}\n")
    texts = desired_texts(infra, tmp_path)
    assert len(yaml.safe_load(texts["site.yml"])) == 1
    assert yaml.safe_load(texts["requirements.yml"]) == {"roles": []}


def test_the_machine_between_domains_is_in_the_inventory(tmp_path: Path) -> None:
    texts = desired_texts(estate(tmp_path, GATEWAY), tmp_path)
    groups = yaml.safe_load(texts["inventory/hosts.yml"])["all"]["children"]
    assert list(groups["freehold_machines"]["hosts"]) == ["admin-sys-firewall"]


def test_collections_of_roles_named_in_full_are_required(tree: dict[str, Any]) -> None:
    assert tree["requirements.yml"] == {
        "collections": [{"name": "community.general"}],
        "roles": [],
    }


def test_the_settings_are_few_and_read_by_anybody(everything: Infra) -> None:
    parser = configparser.ConfigParser()
    parser.read_string(desired_texts(everything, CASES)["ansible.cfg"])
    assert parser["defaults"]["inventory"] == "inventory"
    assert parser.sections() == ["defaults"]


def test_what_a_plan_shows_is_what_it_reads_back(everything: Infra) -> None:
    files = list(generated(everything, {"ollama_server"}))
    assert len(files) == 14
    for file in files:
        assert file.read(file.body) == file.shown, file.name
        assert file.read("{ [ nothing") == {}, file.name
