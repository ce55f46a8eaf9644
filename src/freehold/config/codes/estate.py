"""Codes of what can be wrong with an estate as a whole.

Read by `freehold.config.codes`.
"""

from freehold.config.codes.code import Code
from freehold.diagnostics import Severity

NETWORK: dict[str, Code] = {
    "subnet-id-taken": Code(
        "Two domains have the same subnet_id",
        "The subnet_id decides the domain's network; two domains cannot share one.",
        "Give one of them another subnet_id.",
    ),
    "subnet-id-out-of-range": Code(
        "subnet_id outside of the network",
        "The estate's base network does not hold that many /24 networks.",
        "Choose a smaller subnet_id, or a larger `network.base`.",
    ),
    "address-outside-subnet": Code(
        "Address outside of its domain",
        "A machine's address must lie in its domain's /24 network.",
        "Choose an address in the domain's network, or leave `ip` out to have one allocated.",
    ),
    "address-reserved": Code(
        "Address is reserved",
        "In each /24, .0 names the network, .1 is the gateway, .200 to .254 are given out by DHCP and .255 is the broadcast address.",
        "Choose an address from .2 to .199.",
    ),
    "address-taken": Code(
        "Two machines have the same address",
        "Every machine needs an address of its own.",
        "Give one of them another address, or leave `ip` out to have one allocated.",
    ),
    "too-many-machines": Code(
        "More machines than addresses",
        "A domain has 190 addresses (.10 to .199) for machines that name none.",
        "Move machines into another domain.",
    ),
    "no-admin-domain": Code(
        "No domain for the firewall machine",
        "With `firewall: machine` the machine `sys-firewall` lives in the domain with `trust: admin`; there is none.",
        "Give one domain `trust: admin`, or write `firewall: host`.",
    ),
    "firewall-machine-taken": Code(
        "The firewall machine's name is taken",
        "With `firewall: machine` Freehold makes the machine `sys-firewall` in the admin domain itself.",
        "Give your machine another name; what the firewall machine is goes below `network.firewall_machine`.",
    ),
    "no-transfer-network": Code(
        "No network left for the firewall machine",
        "With `firewall: machine` the host hands packets over on a /24 of its own, the last of the base network that no domain has.",
        "Choose a larger `network.base`, or write `firewall: host`.",
    ),
    "firewall-machine-unused": Code(
        "A firewall machine that is not made",
        "`firewall_machine` says what the machine of `firewall: machine` is; with rules on the host there is none.",
        "Write `firewall: machine` beside it, or remove it.",
        Severity.WARNING,
    ),
}

MACHINES: dict[str, Code] = {
    "unknown-profile": Code(
        "Unknown profile",
        "A machine names a profile that its domain does not define.",
        "Define it below `profiles:` of the same domain, or remove it from the machine.",
    ),
    "duplicate-profile": Code(
        "Profile named twice",
        "The same profile stands twice in a machine's list.",
        "Keep one of them.",
    ),
    "conflicting-keys": Code(
        "Two keys say the same thing",
        "A machine's own key (`cpu`, `memory`, `secure_boot`, `snapshots`) and the Incus option it becomes are both written.",
        "Keep one of them.",
    ),
    "managed-key": Code(
        "Freehold manages this itself",
        "The option or device is set by Freehold or by Incus; a value written here would be overwritten or break the estate.",
        "Remove it.",
    ),
    "unknown-config-key": Code(
        "Unknown Incus option",
        "The Incus server that was asked knows no such instance option.",
        "See `incus config --help` and Incus's documentation of instance options.",
    ),
    "wrong-machine-type": Code(
        "Option is for the other type of machine",
        "Some Incus options exist for containers only, some for virtual machines only.",
        "Remove the option, or change the machine's `type`.",
    ),
    "vm-too-small": Code(
        "Too little memory for a virtual machine",
        "A virtual machine runs a kernel of its own; below 512 MiB Debian's installation guide (section 3.4) promises nothing, and the agent that Freehold needs may be killed.",
        "Give it at least `memory: 512MiB`.",
    ),
    "control-vm": Code(
        "Virtual machine as control machine",
        "Incus gives the sockets that an estate is steered by to containers only.",
        "Remove `type: vm`, or `control: true`.",
    ),
    "second-gpu-machine": Code(
        "Second machine with the GPU",
        "`gpu.policy` is `exclusive`: only one machine may have the GPU.",
        "Take it from one of them, name different cards (`gpu: {pci: …}`), or write `gpu: {policy: shared}` at the top.",
    ),
    "gpu-passed-through": Code(
        "A virtual machine's GPU is another machine's too",
        "A card that is passed through to a virtual machine is gone from the computer; no policy can share it.",
        "Take it from one of them, or name different cards: `gpu: {pci: …}`.",
    ),
    "gpu-shared": Code(
        "Machines share the GPU",
        "Several machines have the GPU; nothing keeps one from taking all of its memory.",
        "Nothing needs to be done if that is meant.",
        Severity.WARNING,
    ),
    "volume-path-taken": Code(
        "Two volumes at the same path",
        "Two volumes of a machine cannot be mounted at one path.",
        "Give each volume a path of its own.",
    ),
    "system-path": Code(
        "Volume over a system folder",
        "A volume at or below /proc, /sys, /dev or /run hides what the kernel and the init system put there.",
        "Mount it elsewhere, such as below `/srv` or `/var/lib`.",
    ),
    "unknown-device-type": Code(
        "Unknown type of device",
        "Incus knows no such type of device.",
        "See Incus's documentation of devices.",
    ),
    "nic-into-domain": Code(
        "Network device onto a domain's bridge",
        "A machine is in its own domain by eth0, which sends from the machine's own address only; another NIC on a bridge of this estate would go past the firewall.",
        "Remove the device; declare what another domain may be asked for as a policy.",
    ),
    "unfiltered-nic": Code(
        "Network device past the firewall",
        "A NIC onto a network that is not this estate's: what comes and goes there is not filtered, and may lead back into the estate.",
        "Nothing needs to be done if that is meant and the other network can be trusted.",
        Severity.WARNING,
    ),
    "proxy-past-firewall": Code(
        "Proxy past the firewall",
        "A proxy device with `bind: instance` listens in the machine and connects from the host, which may reach its own services and every domain.",
        "Nothing needs to be done if that is meant; for another domain declare a policy instead.",
        Severity.WARNING,
    ),
}

POLICIES: dict[str, Code] = {
    "unknown-end": Code(
        "Policy names something unknown",
        "`from` and `to` are a domain, DOMAIN/MACHINE, `host` or `internet`.",
        "Name an existing domain or machine.",
    ),
    "same-ends": Code(
        "Policy from something to itself",
        "`from` and `to` are equal; policies are about traffic between domains.",
        "Change one end, or remove the policy.",
    ),
    "duplicate-policy": Code(
        "Policy written twice",
        "Two policies have the same ends, protocol and ports.",
        "Remove one of them.",
    ),
    "needless-policy": Code(
        "Policy that changes nothing",
        "The host reaches every machine without a policy, and its own way in and out is not Freehold's to filter.",
        "Remove it; to let a machine reach the host, write `to: host`.",
        Severity.WARNING,
    ),
    "missing-ports": Code(
        "Policy without ports",
        "A policy for TCP or UDP names its ports: leaving them out does not mean all of them.",
        'Add for example `ports: [22]`; all ports are `ports: ["1-65535"]`.',
    ),
    "ports-with-icmp": Code(
        "Ports in a policy for ICMP",
        "ICMP has no ports.",
        "Remove `ports`, or write `protocol: tcp` or `protocol: udp`.",
    ),
}

SNAPSHOTS: dict[str, Code] = {
    "empty-keep": Code(
        "Nothing would be kept",
        "`keep` of `snapshots` has no count, so that no scheduled snapshot would stay but the newest.",
        "Write for example `keep: {daily: 7}`, or leave `keep` out to have what is usual for the schedule.",
    ),
    "keep-without-schedule": Code(
        "Which snapshots are kept, but none are made",
        "`keep` is about snapshots that a schedule makes; snapshots made by hand are never thinned.",
        "Add for example `schedule: daily` beside it, or remove `keep`.",
        Severity.WARNING,
    ),
    "keep-finer-than-schedule": Code(
        "Finer than the schedule",
        "`keep` counts periods in which at most one snapshot is made each, so `hourly: 3` of a daily schedule is three days.",
        "Count in the schedule's own unit or a longer one, or choose a schedule that is as fine.",
        Severity.WARNING,
    ),
}
