"""The estate as frozen values. Imports nothing but diagnostics; does no I/O."""

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
from freehold.model.size import Size

__all__ = [
    "Domain",
    "FirewallMode",
    "GpuPolicy",
    "Infra",
    "Machine",
    "MachineType",
    "Policy",
    "Profile",
    "Protocol",
    "Size",
    "Trust",
    "Volume",
]
