"""`freehold init --blueprint llm`: what it asks for, and that its roles know the versions they name."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml

from freehold.config.load import load
from freehold.model import Infra
from freehold.operations.blueprints import INFRA_FILE, blueprints
from freehold.operations.initialise import initialise
from freehold.system.incus.fake import FakeIncus
from tests.provider.cards import AMD
from tests.provider.estate import Counting, Server
from tests.roles.test_molecule import ROLES


@pytest.fixture
def infra(tmp_path: Path) -> Infra:
    initialise(tmp_path, "llm")
    found = load(tmp_path)
    assert found.diagnostics == ()
    assert found.infra is not None
    return found.infra


def read(role: str, path: str) -> Any:
    return yaml.safe_load((ROLES / role / path).read_text(encoding="utf-8"))


def test_one_machine_has_the_gpu_and_the_models_outlive_it(infra: Infra) -> None:
    having = [machine for machine in infra.machines() if machine.gpu]
    assert [machine.key for machine in having] == ["homelab/llm"]
    assert [volume.path for volume in having[0].volumes] == [
        read("ollama_server", "defaults/main.yml")["ollama_server_folder"]
    ]


def test_one_domain_gets_to_the_chat_and_none_to_ollama(infra: Infra) -> None:
    [policy] = infra.policies
    assert (str(policy.source), str(policy.target)) == ("perso", "homelab/chat")
    port = read("open_webui", "defaults/main.yml")["open_webui_port"]
    assert policy.ports == ((port, port),)


def test_the_chat_asks_the_machine_that_has_ollama(infra: Infra) -> None:
    machines = {machine.key: machine for machine in infra.machines()}
    url = machines["homelab/chat"].provision.vars["open_webui_ollama_url"]
    port = read("ollama_server", "defaults/main.yml")["ollama_server_port"]
    assert url == f"http://{machines['homelab/llm'].address}:{port}"


def test_it_can_be_made_where_there_is_a_card(tmp_path: Path) -> None:
    loop = asyncio.new_event_loop()
    fake = FakeIncus(images=("debian/12", "debian/13"))
    fake.behaviour.computer.cards = [AMD]
    server = Server(Counting(fake), tmp_path, loop, is_real=False)
    try:
        plan = server.plan(blueprints()["llm"].files[INFRA_FILE])
    finally:
        loop.close()
    assert plan.can_apply, plan.diagnostics
    assert {
        str(change.address) for change in plan.changes if change.address.kind == "instance"
    } == {
        "instance:homelab/chat",
        "instance:homelab/llm",
        "instance:perso/desktop",
    }


@pytest.mark.parametrize("role", ["ollama_server", "open_webui"])
def test_what_ansible_doc_tells_are_the_defaults(role: str) -> None:
    told = read(role, "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    defaults = read(role, "defaults/main.yml")
    assert set(told) == set(defaults)
    for name, option in told.items():
        if "default" in option:
            assert option["default"] == defaults[name], name


def test_the_list_of_packages_is_of_the_version_that_is_installed() -> None:
    version = read("open_webui", "defaults/main.yml")["open_webui_version"]
    text = (ROLES / "open_webui" / "files" / f"requirements-{version}.txt").read_text()
    entries = [line for line in text.splitlines() if line[:1].isalpha()]
    assert f"open-webui=={version} \\" in entries
    assert [line for line in entries if "==" not in line] == []
    assert text.count("--hash=sha256:") >= len(entries)
    assert not [line for line in entries if line.startswith(("torch", "nvidia", "transformers"))]
