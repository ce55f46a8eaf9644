"""Every diagnostic code of the configuration: its fixed words, what it means, what to do.

`problem` is the only way in which `config` makes a Diagnostic, so that no code can lack its entry here;
`docs/reference/diagnostics.md` is made from this table.
"""

from dataclasses import dataclass

from freehold.diagnostics import Diagnostic, Severity, Source


@dataclass(frozen=True, slots=True)
class Code:
    """`summary` is what every message of this code begins with, `remedy` its hint when there is no better one."""

    summary: str
    meaning: str
    remedy: str
    severity: Severity = Severity.ERROR


_WARNING = Severity.WARNING

_FILES = {
    "file-not-found": Code(
        "File not found",
        "There is no infra.yml (or folder) at the place given.",
        "Run the command in the folder of infra.yml, name it with `-C DIR`, or make one: `freehold init DIR`.",
    ),
    "not-a-file": Code(
        "Not a regular file",
        "A folder, device, pipe or socket stands where a file is expected.",
        "Put a regular file there.",
    ),
    "not-a-folder": Code(
        "Not a folder",
        "A file stands where the folder `infra.d/` is expected.",
        "Rename the file, or move it to `infra.d/NAME.yml`.",
    ),
    "file-not-readable": Code(
        "File cannot be read",
        "The operating system refuses to open or read the file: permissions, or links that go round in a circle.",
        "Look at the file's owner and mode with `ls -l`.",
    ),
    "file-too-large": Code(
        "File too large",
        "A configuration file is larger than 8 MiB; nobody has written that by hand.",
        "Check that it is the right file; split a really large estate into files in `infra.d/`.",
    ),
    "not-utf-8": Code(
        "Not UTF-8 text",
        "The file's bytes are not UTF-8: an older encoding, UTF-16, or not a text at all.",
        "Save it as UTF-8. From Latin-1: `iconv -f latin1 -t utf-8 OLD > NEW`; from UTF-16: `iconv -f utf-16 -t utf-8 OLD > NEW`.",
    ),
    "control-character": Code(
        "Control character",
        "An invisible character that does not belong in a text file, or that changes the direction of writing.",
        "Delete the character.",
    ),
    "file-ignored": Code(
        "File is not read",
        "Only files whose name ends in `.yml` are read from `infra.d/`.",
        "Rename it to end in `.yml`, or move it out of `infra.d/`.",
        _WARNING,
    ),
    "empty-file": Code(
        "Nothing in the file",
        "The file is empty or holds only comments.",
        "Start with `freehold: 1` and `name: …`, or have a file made: `freehold init DIR`.",
    ),
}

_YAML = {
    "yaml-syntax": Code(
        "YAML syntax error",
        "The file is not YAML from the marked place on.",
        "Look at the marked place and at the line before it.",
    ),
    "bad-indentation": Code(
        "Indentation does not fit",
        "The line does not stand at the same column as the keys or items it belongs to.",
        "Keys of one mapping, and the `-` of one list, start in the same column; indent what is inside by two spaces.",
    ),
    "tab-indentation": Code(
        "Tab used to indent",
        "YAML does not allow tabs in front of a key.",
        "Replace the tab by spaces.",
    ),
    "unclosed-bracket": Code(
        "Bracket is not closed",
        "A `[` or `{` has no partner, or a comma is missing between two items.",
        "Close the bracket, and put a comma between the items.",
    ),
    "unclosed-quote": Code(
        "Quote is not closed",
        "A text that starts with a quotation mark does not end with one.",
        "Add the closing quotation mark.",
    ),
    "duplicate-key": Code(
        "Key written twice",
        "The same key stands twice in one mapping; parsers silently take one of the two.",
        "Keep one of them.",
    ),
    "defined-twice": Code(
        "Defined in two files",
        "Two files (infra.yml and those in `infra.d/`) define the same name or the same setting.",
        "Keep one of them.",
    ),
    "ambiguous-value": Code(
        "Value that parsers read differently",
        "An unquoted value such as `no`, `010`, `0x1F`, `1_000`, `22:22` or `2024-01-31` is one thing to some YAML parsers and another to others.",
        "Put quotes around it if text is meant.",
    ),
    "ambiguous-name": Code(
        "Name that parsers do not read as text",
        "An unquoted name such as `no`, `on`, `null` or `12` is not text to every YAML parser.",
        "Choose another name, or put it in quotes.",
    ),
    "empty-value": Code(
        "No value",
        "A key is written with nothing (or `null`) behind it.",
        "Write a value, or leave the key out to have its default.",
    ),
    "yaml-anchor": Code(
        "Anchors and aliases are not supported",
        "`&name` and `*name` repeat parts of a YAML file; here they are refused, so that a file can be read top-down.",
        "Write the value out; share settings between machines with a profile.",
    ),
    "yaml-merge-key": Code(
        "Merge keys are not supported",
        "`<<:` copies one mapping into another; only some YAML parsers know it.",
        "Write the keys out; share settings between machines with a profile.",
    ),
    "yaml-tag": Code(
        "Tags are not supported",
        "`!name` in front of a value gives it a type of its own; no tag has a meaning in this version.",
        "Remove the tag.",
    ),
    "yaml-key": Code(
        "Key is not a plain name",
        "A key is itself a list or a mapping.",
        "Write a name in front of the colon. If a template's `{{ … }}` was meant, put it in quotes.",
    ),
    "several-documents": Code(
        "More than one document in the file",
        "A second `---` starts another YAML document.",
        "Remove the second `---`; put further domains into files in `infra.d/`.",
    ),
    "not-a-mapping": Code(
        "The file does not consist of keys",
        "At the top of the file stands a list or a single text instead of `key: value` lines.",
        "Write `freehold: 1` on the first line, and the other keys below it; a space follows each colon.",
    ),
    "too-deep": Code(
        "Nested too deeply",
        "Lists and mappings stand more than 40 levels inside each other.",
        "Check the brackets.",
    ),
    "too-many-problems": Code(
        "Too many problems",
        "Reading of the file stopped after 1,000 problems.",
        "Repair these first.",
    ),
}

_SCHEMA = {
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
    "invalid-port": Code(
        "Not a port",
        "Ports are numbers from 1 to 65535; a range is a text of two of them, the lower one first.",
        'Write for example `[22, "8000-8100"]`.',
    ),
}

_NAMES = {
    "invalid-name": Code(
        "Name cannot be used",
        "Names become names in Incus and in DNS (RFC 1035): lower-case letters, digits and hyphens, a letter first, no hyphen last, at most 63 characters.",
        "Choose a name such as `web-1`.",
    ),
    "reserved-name": Code(
        "Name is reserved",
        "The word already has a meaning in policies, on the command line or in Incus.",
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
    "bridge-name-taken": Code(
        "Two domains get the same bridge name",
        "A bridge is called net-DOMAIN, shortened to 15 characters (the kernel's limit); these two become equal.",
        "Rename one of the two domains.",
    ),
}

_NETWORK = {
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
}

_MACHINES = {
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
        "A machine's own key (`cpu`, `memory`) and the Incus option it becomes are both written.",
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
    "second-gpu-machine": Code(
        "Second machine with the GPU",
        "`gpu.policy` is `exclusive`: only one machine may have the GPU.",
        "Take it from one of them, or write `gpu: {policy: shared}` at the top.",
    ),
    "gpu-shared": Code(
        "Machines share the GPU",
        "Several machines have the GPU; nothing keeps one from taking all of its memory.",
        "Nothing needs to be done if that is meant.",
        _WARNING,
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
}

_POLICIES = {
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

_LATER = {
    "policies-not-enforced": Code(
        "Policies are not enforced yet",
        "This version checks policies but loads no firewall rules: domains can reach each other.",
        "Keep them for a later version; do not rely on them now.",
        _WARNING,
    ),
    "firewall-not-enforced": Code(
        "The firewall is not loaded yet",
        "This version accepts `network.firewall` but loads no firewall rules: domains can reach each other.",
        "Keep it for a later version; do not rely on it now.",
        _WARNING,
    ),
    "provision-not-run": Code(
        "Provisioning is not carried out yet",
        "This version checks `provision` but does nothing inside the machines.",
        "Keep it for a later version; do not rely on it now.",
        _WARNING,
    ),
}

GROUPS = {
    "Files": _FILES,
    "YAML": _YAML,
    "Keys and values": _SCHEMA,
    "Names": _NAMES,
    "Networks and addresses": _NETWORK,
    "Machines": _MACHINES,
    "Policies": _POLICIES,
    "Not yet": _LATER,
}

CODES: dict[str, Code] = {code: entry for group in GROUPS.values() for code, entry in group.items()}


def problem(code: str, detail: str, source: Source | None, hint: str | None = None) -> Diagnostic:
    """A Diagnostic with the words of its code; without a `hint` the code's own remedy."""
    entry = CODES[code]
    return Diagnostic(
        severity=entry.severity,
        code=code,
        summary=entry.summary,
        detail=detail,
        source=source,
        hint=hint or entry.remedy,
    )
