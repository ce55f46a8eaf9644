"""The estate as frozen values. Imports nothing but diagnostics; does no I/O."""

from freehold.model.gpu import Gpu, GpuProfile, GpuVendor
from freehold.model.infra import (
    Domain,
    FirewallMode,
    GpuPolicy,
    Infra,
    Machine,
    MachineType,
    Policy,
    Profile,
    Protocol,
    Trust,
    Volume,
)
from freehold.model.provision import Checkout, Placed, Provision, Script
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
    "Size",
    "Snapshots",
    "Trust",
    "Volume",
]
