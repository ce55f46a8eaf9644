"""Devices of profiles by which packets go past the firewall: network devices and proxies."""

from collections.abc import Iterator, Mapping

from freehold.config.checks.context import Context
from freehold.config.checks.profiles import MANAGED_DEVICES
from freehold.config.places import KeyPath
from freehold.diagnostics import Diagnostic
from freehold.model.names import bridge_name

_BRIDGE_KEYS = ("network", "parent")
"""How a NIC names what it is plugged into: a managed network, or any interface of the host (devices_nic)."""


def network_devices(context: Context) -> Iterator[Diagnostic]:
    """eth0 is a machine's only way into a domain; a NIC onto anything else is outside of what the firewall sees."""
    bridges = {bridge_name(name): name for _, name, _ in context.domains()}
    for here, device in _devices(context, "nic"):
        plugs = {key: device[key] for key in _BRIDGE_KEYS if key in device}
        if ours := [key for key, target in plugs.items() if target in bridges]:
            yield _into_a_domain(context, (*here, ours[0]), str(here[1]), bridges[plugs[ours[0]]])
        else:
            words = " and ".join(f"onto `{target}`" for target in plugs.values()) or "of its own"
            detail = f"The device `{here[-1]}` is a NIC {words}: the firewall does not stand there."
            yield context.at_key(here, "unfiltered-nic", detail)


def _into_a_domain(context: Context, path: KeyPath, own: str, other: str) -> Diagnostic:
    if own == other:
        detail = (
            f"`{bridge_name(own)}` is the bridge of this domain, on which the machines have eth0."
        )
        return context.at(path, "nic-into-domain", detail, "Remove the device.")
    detail = (
        f"`{bridge_name(other)}` is the bridge of `{other}`: a NIC on it goes past the firewall."
    )
    hint = f"Remove the device, and open what is needed below `policies:`\n    - {{from: {own}, to: {other}, ports: [443]}}"
    return context.at(path, "nic-into-domain", detail, hint)


def proxies(context: Context) -> Iterator[Diagnostic]:
    """One that listens in the machine connects from the host, which may reach every domain.

    One that listens on the host is behind the rules for what the host runs.
    """
    for here, device in _devices(context, "proxy"):
        if device.get("bind", "host") != "host":
            target = device.get("connect", "its target")
            detail = f"The device `{here[-1]}` has the host connect to `{target}` for the machine."
            yield context.at_key(here, "proxy-past-firewall", detail)


def _devices(context: Context, kind: str) -> Iterator[tuple[KeyPath, Mapping[str, str]]]:
    """The devices of one type, without those that are refused anyway."""
    for path, profile in context.profiles():
        for name, device in profile.devices.items():
            if device.get("type") == kind and name not in MANAGED_DEVICES:
                yield (*path, "devices", name), device
