"""What every virtual machine has unless infra.yml says otherwise, as a profile. Pure.

`config` keeps its name from being used twice, `providers.incus` makes it in the project of each domain with a vm.
"""

from freehold.model.infra import Machine, MachineType, Profile

VM_PROFILE = Profile(
    name="vm",
    description="what every vm has unless its own settings say otherwise",
    config={
        "limits.cpu": "2",
        "limits.memory": "1GiB",
        "security.secureboot": "true",
    },
    # The agent's files on a drive, for guests without 9p and virtiofs. They look for it under this very name: it is part of
    # the drive's serial number (`incus-agent-setup`: scsi-0QEMU_QEMU_CD-ROM_incus_agent).
    devices={"agent": {"type": "disk", "source": "agent:config"}},
)


def vm_profile(machine: Machine) -> Profile | None:
    """The profile that a machine has for being a vm; None for a container."""
    return VM_PROFILE if machine.type is MachineType.VM else None
