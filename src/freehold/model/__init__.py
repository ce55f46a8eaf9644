"""The estate as frozen values. Imports nothing but diagnostics; does no I/O."""

from freehold.model.gpu import Gpu, GpuProfile, GpuVendor
from freehold.model.hosts import Host
from freehold.model.infra import (
    Domain,
    FirewallMode,
    GpuPolicy,
    Infra,
    Machine,
    MachineType,
    Policy,
    Profile,
    Trust,
    Volume,
)
from freehold.model.protocols import Protocol
from freehold.model.provision import Checkout, Placed, Provision, Script
from freehold.model.secrets import SecretRef
from freehold.model.size import Size
from freehold.model.snapshots import Keep, Schedule, Snapshots

__all__ = [
    "Checkout",
    "Domain",
    "FirewallMode",
    "Gpu",
    "GpuPolicy",
    "GpuProfile",
    "GpuVendor",
    "Host",
    "Infra",
    "Keep",
    "Machine",
    "MachineType",
    "Placed",
    "Policy",
    "Profile",
    "Protocol",
    "Provision",
    "Schedule",
    "Script",
    "SecretRef",
    "Size",
    "Snapshots",
    "Trust",
    "Volume",
]
