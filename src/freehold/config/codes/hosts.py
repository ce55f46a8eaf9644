"""Codes of what can be wrong with computers reached by SSH.

Read by `freehold.config.codes`.
"""

from freehold.config.codes.code import Code

HOSTS: dict[str, Code] = {
    "invalid-host-address": Code(
        "Not the address of a host",
        "A host is reached at an IPv4 or IPv6 address, or at a DNS name; user and port stand below `ssh`.",
        "Write for example `address: 203.0.113.20`.",
    ),
    "invalid-user": Code(
        "Not the name of a user",
        "Who logs in is named by letters, digits, `_`, `-` and `.`, at most 32 of them, and no `-` first.",
        "Write for example `user: root`.",
    ),
    "public-key-named": Code(
        "This is the public half of a key",
        "`key` names the file of the private key: who logs in proves with it to be the one whose public key the host knows.",
        "Leave out the `.pub`.",
    ),
    "host-address-taken": Code(
        "Two hosts at one address and port",
        "What answers at one address and port is one computer; here it would be two hosts, each with things of its own.",
        "Give one of them another address or port, or remove it.",
    ),
    "host-name-taken": Code(
        "A host and something else have one name",
        "To the command line and to Ansible a word such as `cortex` means one thing: a host, a domain or a machine's instance.",
        "Rename one of them.",
    ),
    "first-like-ssh": Code(
        "`first` is the same way in as `ssh`",
        "`first` says how a computer can be entered as it was delivered, until it can be entered as `ssh` says.",
        "Remove `first`.",
    ),
    "role-not-for-hosts": Code(
        "Role does not run on hosts",
        "Some roles that come with Freehold are for machines of Incus only.",
        "Remove it, or put it into a machine.",
    ),
}
