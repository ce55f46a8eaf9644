"""Codes of what can be wrong with single keys, values and names.

Read by `freehold.config.codes`.
"""

from freehold.config.codes.code import Code

SCHEMA: dict[str, Code] = {
    "unknown-key": Code(
        "Unknown key",
        "The key is not part of the language at this place.",
        "See docs/reference/infra-yml.md.",
    ),
    "not-in-this-version": Code(
        "Not known to this version",
        "The key belongs to Freehold's language, but this version cannot do anything with it yet.",
        "Remove it, or update Freehold.",
    ),
    "missing-key": Code(
        "Missing key",
        "A key that has no default is not there.",
        "Add it.",
    ),
    "wrong-type": Code(
        "Wrong kind of value",
        "For example text where a number is expected. Nothing is converted silently: `'false'` is not `false`, `\"4\"` is not `4`.",
        "Write a value of the kind the message names.",
    ),
    "invalid-value": Code(
        "Value not allowed",
        "The value is of the right kind but not one of those possible here.",
        "Write one of the possible values.",
    ),
    "newer-version": Code(
        "Written for another version of Freehold",
        "`freehold:` names a version of the language that this program does not know.",
        "Update Freehold, or write `freehold: 1` and use only what docs/reference/infra-yml.md describes.",
    ),
    "line-break": Code(
        "More than one line",
        "The text must be one line: it goes into comments and listings.",
        "Write it on one line; with `>` use `>-`, which adds no line break at the end.",
    ),
    "invalid-size": Code(
        "Not a size",
        "A size is a whole number directly followed by a unit of Incus.",
        "Write for example `512MiB` or `8GiB` (B, kB, MB, GB, TB, KiB, MiB, GiB, TiB).",
    ),
    "invalid-duration": Code(
        "Not a time",
        "A time is a whole number directly followed by `s`, `m` or `h`, and a day at most.",
        "Write for example `90s` or `10m`.",
    ),
    "invalid-address": Code(
        "Not an address",
        "The text is not an IPv4 address.",
        "Write four numbers from 0 to 255 with dots between them, such as `10.100.0.10`.",
    ),
    "invalid-network": Code(
        "Network cannot be used",
        "`network.base` must be a private IPv4 network (RFC 1918) from /8 to /24, without host bits.",
        "Write for example `10.100.0.0/16`.",
    ),
    "invalid-path": Code(
        "Path cannot be used",
        "A path inside a machine must be absolute, without `.`, `..` or doubled slashes, and not `/` itself.",
        "Write a path such as `/srv/data`.",
    ),
    "invalid-pci": Code(
        "Not a PCI address",
        "A PCI address has four parts in small hexadecimal digits: domain, bus, device and function.",
        'Write for example `"0000:01:00.0"`; `lspci -D` tells them.',
    ),
    "invalid-port": Code(
        "Not a port",
        "Ports are numbers from 1 to 65535; a range is a text of two of them, the lower one first.",
        'Write for example `[22, "8000-8100"]`.',
    ),
}

NAMES: dict[str, Code] = {
    "invalid-name": Code(
        "Name cannot be used",
        "Names become names in Incus and in DNS (RFC 1035): lower-case letters, digits and hyphens, a letter first, no hyphen last, at most 63 characters.",
        "Choose a name such as `web-1`.",
    ),
    "reserved-name": Code(
        "Name is reserved",
        "The word already has a meaning in policies, on the command line, in Incus or in Ansible.",
        "Choose another name.",
    ),
    "instance-name-taken": Code(
        "Two machines get the same instance name",
        "An instance is called DOMAIN-MACHINE; domain `a-b` with machine `c` and domain `a` with machine `b-c` are both `a-b-c`.",
        "Rename one of the two machines.",
    ),
    "instance-name-too-long": Code(
        "Instance name too long",
        "An instance is called DOMAIN-MACHINE, which is a DNS label: at most 63 characters (RFC 1035).",
        "Shorten the name of the domain or of the machine.",
    ),
    "inventory-name-taken": Code(
        "A machine's instance is called like a domain",
        "In Ansible's inventory a domain is a group and an instance (DOMAIN-MACHINE) a host; one name cannot be both.",
        "Rename the domain or the machine.",
    ),
    "bridge-name-taken": Code(
        "Two domains get the same bridge name",
        "A bridge is called net-DOMAIN, shortened to 15 characters (the kernel's limit); these two become equal.",
        "Rename one of the two domains.",
    ),
}
