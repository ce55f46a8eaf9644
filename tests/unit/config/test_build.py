"""What infra.yml says arrives in the model as it was meant."""

from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

from freehold.config.load import load
from freehold.model import (
    Checkout,
    Domain,
    FirewallMode,
    Gpu,
    GpuPolicy,
    GpuVendor,
    Infra,
    Machine,
    MachineType,
    Placed,
    Policy,
    Profile,
    Protocol,
    Provision,
    Script,
    Size,
    Trust,
    Volume,
)

CASES = Path(__file__).parents[2] / "cases" / "valid"


@pytest.fixture(scope="module")
def everything() -> Infra:
    infra = load(CASES / "everything.yml").infra
    assert infra is not None
    return infra


def machine(infra: Infra, key: str) -> Machine:
    return next(machine for machine in infra.machines() if machine.key == key)


def test_the_estate(everything: Infra) -> None:
    assert everything.name == "maison"
    assert everything.base == IPv4Network("192.168.0.0/16")
    assert everything.storage == "fast"
    assert everything.firewall is FirewallMode.MACHINE
    assert everything.gpu_policy is GpuPolicy.SHARED


def test_defaults_of_the_estate_reach_domains_and_machines(everything: Infra) -> None:
    pro = everything.domain("pro")
    assert pro == Domain(
        name="pro", subnet_id=255, subnet=IPv4Network("192.168.255.0/24"), trust=Trust.TRUSTED
    )
    plain = machine(everything, "homelab/plain")
    assert plain == Machine(
        domain="homelab",
        name="plain",
        image="debian/12",
        boot_timeout=90,
        snapshots=plain.snapshots,
        provision=plain.provision,
    )


def test_built_in_defaults(tmp_path: Path) -> None:
    file = tmp_path / "infra.yml"
    file.write_text(
        "freehold: 1\nname: bare\ndomains: {web: {subnet_id: 7, machines: {app: {}}}}\n"
    )
    infra = load(file).infra
    assert infra is not None
    assert (infra.base, infra.storage) == (IPv4Network("10.100.0.0/16"), "default")
    assert (infra.firewall, infra.gpu_policy) == (FirewallMode.HOST, GpuPolicy.EXCLUSIVE)
    web = infra.domain("web")
    assert web is not None
    assert (web.trust, web.subnet) == (Trust.SEMI_TRUSTED, IPv4Network("10.100.7.0/24"))
    assert web.machines == (Machine(domain="web", name="app", image="debian/13"),)


def test_domains_and_machines_are_in_the_order_of_their_names(everything: Infra) -> None:
    assert [domain.name for domain in everything.domains] == ["admin", "homelab", "pro"]
    assert [m.key for m in everything.machines()] == [
        "admin/ansible",
        "admin/sys-firewall",
        "homelab/desk",
        "homelab/llm",
        "homelab/plain",
    ]


def test_a_machine_with_every_key(everything: Infra) -> None:
    llm = machine(everything, "homelab/llm")
    assert llm.type is MachineType.CONTAINER
    assert llm.image == "debian/13"
    assert llm.description == "language models: local"
    assert llm.profiles == ("big", "kvm")
    assert llm.address == IPv4Address("192.168.3.199")
    assert (llm.cpu, llm.memory, llm.disk) == (4, None, Size.parse("20GiB"))
    assert llm.gpu == Gpu(pci="0000:01:00.0", vendor=GpuVendor.NVIDIA, memory=Size.parse("8GiB"))
    assert llm.volumes == (
        Volume(name="cache", path="/var/cache/ollama"),
        Volume(name="models", path="/var/lib/ollama", size=Size.parse("100GiB")),
    )


def test_options_become_the_text_that_incus_keeps(everything: Infra) -> None:
    homelab = everything.domain("homelab")
    assert homelab is not None
    assert machine(everything, "homelab/llm").config == {
        "security.nesting": "true",
        "user.note": "no",
    }
    assert homelab.profile("big") == Profile(
        name="big",
        description="room for a model",
        config={"limits.memory": "8GiB", "boot.autostart": "true", "limits.processes": "500"},
    )
    kvm = homelab.profile("kvm")
    assert kvm is not None
    assert kvm.devices == {
        "kvm": {"type": "unix-char", "path": "/dev/kvm", "required": "false", "mode": "660"}
    }


def test_protection_and_control(everything: Infra) -> None:
    ansible = machine(everything, "admin/ansible")
    assert ansible.control
    assert ansible.protect
    assert not machine(everything, "homelab/llm").protect


def test_what_goes_inside_adds_up_from_defaults_to_the_machine(everything: Infra) -> None:
    llm = machine(everything, "homelab/llm").provision
    assert llm.apt == ("git", "curl", "nano=8.4-1", "libstdc++6:arm64", "vim/trixie-backports")
    assert llm.pip[:2] == ("httpie", "ruff[format]>=0.9,<1")
    assert llm.git == (
        Checkout(repo="https://git.example.org/app.git", dest="/opt/app", version="v1.2"),
        Checkout(repo="git@git.example.org:shop/site.git", dest="/opt/site", version="1.0"),
    )
    assert llm.script == (
        Script(src="files/setup.sh", creates="/opt/app/.done"),
        Script(src="files/setup.sh"),
    )
    motd = Placed(src="files/motd", dest="/etc/motd")
    own = Placed(src="files/motd", dest="/srv/motd", owner="www-data", group="33", mode="0640")
    assert llm.files == (motd, own)
    assert llm.templates == (
        Placed(src="templates/models.conf.j2", dest="/etc/models.conf", mode="0600"),
    )
    assert llm.roles == ("ollama_server", "community.general.example")
    assert machine(everything, "homelab/plain").provision == Provision(
        apt=("git", "curl"), files=(motd,)
    )
    assert machine(everything, "admin/ansible").provision == Provision(apt=("git",), files=(motd,))


def test_the_machine_between_domains_has_nothing_of_the_users_inside(everything: Infra) -> None:
    assert machine(everything, "admin/sys-firewall").provision == Provision()


def test_variables_stay_where_they_are_written(everything: Infra) -> None:
    homelab = everything.domain("homelab")
    assert homelab is not None
    assert everything.variables == {"greeting": "hello", "language": "fr"}
    assert homelab.variables == {"greeting": "salut"}
    own = machine(everything, "homelab/llm").provision.vars
    assert own == {
        "ollama_models": ["phi3:mini"],
        "nothing": None,
        "depth": {"ratio": 0.5, "on_boot": True},
        "greeting": "{{ language }} says hello",
    }
    assert type(own["ollama_models"]) is list
    assert machine(everything, "homelab/plain").provision.vars == {}


def test_policies(everything: Infra) -> None:
    assert everything.policies == (
        Policy(
            source="pro",
            target="homelab/llm",
            protocol=Protocol.TCP,
            ports=((11434, 11434),),
            reason="local LLM",
        ),
        Policy(
            source="homelab",
            target="internet",
            protocol=Protocol.UDP,
            ports=((53, 53), (8000, 8100)),
        ),
        Policy(source="host", target="pro", protocol=Protocol.ICMP, bidirectional=True),
    )
