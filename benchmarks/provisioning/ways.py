"""The ways into machines that benchmarks/provision.py compares, each as the command that does the twenty tasks."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
ANSIBLE = Path(sys.executable).parent / "ansible-playbook"
PROJECT = "bench"
INSTANCES = [f"{PROJECT}-m{number}" for number in range(10)]
USER_KEY = "key"  # in the benchmark's folder
SSH_ARGUMENTS = (
    "-o ControlMaster=auto -o ControlPersist=60s -o StrictHostKeyChecking=no "
    "-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o IdentitiesOnly=yes"
)


def address(instance: str) -> str:
    """As the estate of the benchmark gives it."""
    return f"10.100.0.{10 + INSTANCES.index(instance)}"


@dataclass(frozen=True, slots=True)
class Way:
    """`variables` are those of the inventory, `environment` what Ansible is given besides what all have."""

    name: str
    variables: Mapping[str, object]
    environment: Mapping[str, str] = field(default_factory=dict)


PIPELINING = {"ANSIBLE_PIPELINING": "true"}
PLAIN = {"ANSIBLE_PIPELINING": "false"}
WARM_UP = {"ANSIBLE_CALLBACKS_ENABLED": "freehold.estate.warm_up"}
COMMUNITY = {"ansible_connection": "community.general.incus", "ansible_incus_project": PROJECT}
FREEHOLD = {"ansible_connection": "freehold.estate.incus", "ansible_incus_project": PROJECT}
COLD = {**FREEHOLD, "ansible_incus_warm": False}

COMMUNITY_WAY = Way("community.general.incus", COMMUNITY, PIPELINING)
FREEHOLD_WAY = Way("freehold.estate.incus", FREEHOLD, WARM_UP)
SSH_WAY = Way(
    "ssh, ControlPersist", {"ansible_connection": "ssh", "ansible_user": "root"}, PIPELINING
)
STEPS = (
    Way("community.general.incus, no pipelining", COMMUNITY, PLAIN),
    COMMUNITY_WAY,
    Way("Freehold, an exec and a file at a time", {**COLD, "ansible_pipelining": False}),
    Way("and pipelining", {**COLD, "ansible_pipelining": True}),
    Way("and a Python that stays", FREEHOLD),
    Way("and Ansible's own process warmed up", FREEHOLD, WARM_UP),
)


def playbook(
    way: Way, instances: Sequence[str], folder: Path, collections: Path, socket: Path
) -> tuple[list[str], dict[str, str]]:
    """Command and environment of ansible-playbook; `folder` takes what it writes."""
    hosts: dict[str, dict[str, object]] = {}
    for instance in instances:
        ssh = {
            "ansible_host": address(instance),
            "ansible_ssh_private_key_file": str(folder / USER_KEY),
        }
        hosts[instance] = ssh if way is SSH_WAY else {}
    inventory = folder / "hosts.json"
    variables = {"ansible_python_interpreter": "/usr/bin/python3", **way.variables}
    (folder / "ansible.cfg").write_text("")
    inventory.write_text(json.dumps({"all": {"hosts": hosts, "vars": variables}}))
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
        "ANSIBLE_HOME": str(folder / "ansible"),
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "ANSIBLE_FORKS": "10",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_SSH_ARGS": SSH_ARGUMENTS,
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(folder / "control"),
        "INCUS_SOCKET": str(socket),
        "XDG_RUNTIME_DIR": str(folder / "runtime"),
        **way.environment,
    }
    return [str(ANSIBLE), "-i", str(inventory), str(HERE / "tasks.yml")], environment
