"""Machines as Incus instances: what infra.yml wants of one, and what Incus shows of it.

The steps that change one are in `instance_steps.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from freehold.model import Domain, Infra, Machine, MachineType
from freehold.model.computer import Card
from freehold.model.names import hardware_address
from freehold.model.transfer import INTERFACE
from freehold.planning.address import HOST, Address
from freehold.planning.resource import Desired, Kind, Observed
from freehold.providers.incus.bridges import bridge_address
from freehold.providers.incus.built_in import machine_profiles
from freehold.providers.incus.control import Ways, control_devices
from freehold.providers.incus.device_nodes import NOTHING_LOST, Lost
from freehold.providers.incus.gpu import gpu_devices
from freehold.providers.incus.marks import (
    BOOT_TIMEOUT,
    ESTATE,
    IMAGE,
    INHERITED,
    PROTECT,
    boot_timeout,
    declared,
    is_protected,
    owner,
)
from freehold.providers.incus.options import impact_of, inherited, inherited_from_text
from freehold.providers.incus.profiles import DEFAULT, network_device, profile_address
from freehold.providers.incus.projects import project_address
from freehold.providers.incus.snapshot_options import snapshot_options
from freehold.providers.incus.volumes import volume_address

KIND = Kind(name="instance", rank=4, holds_data=True, impact_of=impact_of)

API_TYPES = {MachineType.CONTAINER: "container", MachineType.VM: "virtual-machine"}
_MACHINE_TYPES = {api: machine.value for machine, api in API_TYPES.items()}
_PROTECTION = "security.protection.delete"


def instance_address(domain: str, machine: str) -> Address:
    """The address of a machine's instance."""
    return Address(domain, KIND.name, machine)


def desired_instances(
    infra: Infra, domain: Domain, ways: Ways | None = None, cards: Sequence[Card] = ()
) -> Iterable[Desired]:
    """The instances that a domain wants; its machines must have their addresses allocated.

    `ways` are what a control machine gets; without them it is a machine like any other. `cards` are those of the computer.
    """
    for machine in domain.machines:
        yield _desired(infra, domain, machine, ways, cards)


def _desired(
    infra: Infra, domain: Domain, machine: Machine, ways: Ways | None, cards: Sequence[Card]
) -> Desired:
    config = _config(machine)
    profiles = machine_profiles(domain, machine, cards)
    names = [DEFAULT, *(profile.name for profile in profiles)]
    devices = _devices(infra, domain, machine) | gpu_devices(machine, cards)
    return Desired(
        address=instance_address(domain.name, machine.name),
        fields={
            "name": machine.instance,
            "type": machine.type.value,
            "image": machine.image,
            "state": "running",
            "description": machine.description,
            "profiles": names,
            "config": config,
            "protect": machine.protect,
            "boot_timeout": boot_timeout(machine.boot_timeout).get(BOOT_TIMEOUT, ""),
            "inherited": inherited(profiles, config, machine.type),
            "devices": devices | control_devices(machine, ways),
        },
        depends_on=_needs(domain.name, names, _volumes(machine)) | _transfer(machine.devices),
        claims=frozenset({str(machine.address)}),
        protected=machine.protect,
    )


def _config(machine: Machine) -> dict[str, str]:
    config = dict(machine.config)
    if machine.cpu is not None:
        config["limits.cpu"] = str(machine.cpu)
    if machine.memory is not None:
        config["limits.memory"] = str(machine.memory)
    if not machine.secure_boot:
        config["security.secureboot"] = "false"
    if machine.protect:
        config[_PROTECTION] = "true"
    return config | snapshot_options(machine)


def _devices(infra: Infra, domain: Domain, machine: Machine) -> dict[str, dict[str, str]]:
    """Devices of the machine's own; `eth0` overrides the profile's so that it can carry the address."""
    devices = {
        "eth0": {
            **network_device(domain),
            "ipv4.address": str(machine.address),
            "hwaddr": hardware_address(infra.name, machine.instance),
        }
    }
    devices |= {name: dict(device) for name, device in machine.devices.items()}
    if machine.disk is not None:
        devices["root"] = {
            "type": "disk",
            "path": "/",
            "pool": infra.storage,
            "size": str(machine.disk),
        }
    for volume in machine.volumes:
        devices[volume.name] = {
            "type": "disk",
            "path": volume.path,
            "pool": infra.storage,
            "source": machine.volume_name(volume),
        }
    return devices


def _volumes(machine: Machine) -> list[str]:
    return [machine.volume_name(volume) for volume in machine.volumes]


def _needs(domain: str, profiles: Iterable[str], volumes: Iterable[str]) -> frozenset[Address]:
    return frozenset(
        {
            project_address(domain),
            bridge_address(domain),
            *(profile_address(domain, name) for name in profiles),
            *(volume_address(domain, name) for name in volumes),
        }
    )


def _transfer(devices: Mapping[str, object]) -> frozenset[Address]:
    """The machine between the domains needs the bridge on which it is handed packets."""
    return frozenset({bridge_address(HOST)} if INTERFACE in devices else ())


def observed_instance(
    estate: str,
    domain: str,
    raw: Mapping[str, Any],
    machine: Machine | None = None,
    lost: Lost = NOTHING_LOST,
) -> Observed:
    """An instance as `GET /instances?recursion=1` lists it.

    `machine` is what infra.yml says of it, `lost` are devices that do not work inside although it has them. Adopting one takes its word that it was made from that image: else the next plan
    would create it anew.
    """
    name, config, devices = raw["name"], raw["config"], raw["devices"]
    address = instance_address(domain, name.removeprefix(f"{domain}-"))
    nic_address = devices.get("eth0", {}).get("ipv4.address")
    return Observed(
        address=address,
        fields={
            "name": name,
            "type": _MACHINE_TYPES[raw["type"]],
            "image": config.get(IMAGE, ""),
            "state": raw["status"].lower(),
            "description": raw["description"],
            "profiles": raw["profiles"],
            "config": declared(config, machine.config if machine else ()),
            "protect": is_protected(config),
            "boot_timeout": config.get(BOOT_TIMEOUT, ""),
            "inherited": inherited_from_text(config.get(INHERITED, "{}")),
            "devices": devices,
            **({"lost": lost} if lost else {}),
        },
        owned=owner(config) == estate,
        owner=owner(config),
        adopt=f"incus config set --project {domain} {name} {ESTATE}={estate}"
        + (f" {IMAGE}={machine.image}" if machine else ""),
        depends_on=_needs(domain, raw["profiles"], _sources(devices)) | _transfer(devices),
        claims=frozenset({nic_address} if nic_address else ()),
        protected=config.get(_PROTECTION) == "true" or is_protected(config),
        unprotect=f"incus config unset --project {domain} {name} {_PROTECTION}\n"
        f"    incus config unset --project {domain} {name} {PROTECT}",
    )


def _sources(devices: Mapping[str, Mapping[str, str]]) -> list[str]:
    return [
        device["source"] for device in devices.values() if "source" in device and "pool" in device
    ]
