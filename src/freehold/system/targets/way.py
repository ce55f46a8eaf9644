"""How OpenSSH's program is called for a host: words of its command line. Pure; used by `master.py`, and for Ansible.

The user's own configuration and agent hold, but for what a program that nobody types into must have otherwise (ssh_config(5)).
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from freehold.model.hosts import Ssh

CONNECT_SECONDS = 10
_ALIVE_SECONDS, _ALIVE_COUNT = 15, 4  # a host that says nothing for a minute is lost

_ALWAYS = {
    "BatchMode": "yes",
    "HashKnownHosts": "no",
    "ConnectTimeout": str(CONNECT_SECONDS),
    "ServerAliveInterval": str(_ALIVE_SECONDS),
    "ServerAliveCountMax": str(_ALIVE_COUNT),
}
_QUIET = {
    "LogLevel": "ERROR",
    "RequestTTY": "no",
    "RemoteCommand": "none",
    "PermitLocalCommand": "no",
    "ClearAllForwardings": "yes",
    "ForwardX11": "no",
    "EscapeChar": "none",
    "ControlMaster": "no",  # of two words about one thing OpenSSH takes the first, so the master's own goes before
    "ControlPersist": "no",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SshOptions:
    """What all hosts of an estate have in common.

    `folder` is the estate's: keys with a relative path lie in it. OpenSSH writes `known_hosts` and reads `also_known`. `settings` are
    words that lead somewhere else (into the lab): then they say all about keys, known hosts and the way there.
    """

    folder: Path
    known_hosts: Path
    also_known: tuple[Path, ...] = (Path("~/.ssh/known_hosts"),)
    settings: Sequence[str] = ()

    def words(self) -> Iterator[str]:
        """For every call, Ansible's included."""
        yield from self.settings
        yield from _words(_ALWAYS if self.settings else {**_ALWAYS, **self._known()})

    def _known(self) -> dict[str, str]:
        files = (self.known_hosts.absolute(), *(each.expanduser() for each in self.also_known))
        known = " ".join(f'"{path}"' for path in files)
        return {"UserKnownHostsFile": known, "StrictHostKeyChecking": "accept-new"}

    def key(self, ssh: Ssh) -> Path | None:
        """The private key's file, None where OpenSSH is to choose."""
        if ssh.key is None or self.settings:
            return None
        return self.folder.absolute() / Path(ssh.key).expanduser()


def call(options: SshOptions, address: str, ssh: Ssh, socket: Path) -> list[str]:
    """`ssh` up to the host, by the master at `socket`."""
    words = ["ssh", *options.words(), *_words(_QUIET)]
    if key := options.key(ssh):
        words += ["-i", str(key), "-o", "IdentitiesOnly=yes"]
    return [*words, "-S", str(socket), "-p", str(ssh.port), "-l", ssh.user, "--", address]


def for_ansible(options: SshOptions, socket: Path) -> str:
    """What Ansible adds to its own calls of `ssh` (`ansible_ssh_args`), so that it goes through the same connection."""
    words = [*options.words(), *_words({"ControlMaster": "no", "ControlPath": f'"{socket}"'})]
    return shlex.join(words)


def typed(options: SshOptions, address: str, ssh: Ssh) -> str:
    """What a user types to try the same."""
    words = [*options.settings] or ["-o", f"UserKnownHostsFile={options.known_hosts}"]
    if key := options.key(ssh):
        words += ["-i", str(key)]
    if ssh.port != Ssh().port:
        words += ["-p", str(ssh.port)]
    return shlex.join(["ssh", *words, f"{ssh.user}@{address}"])


def _words(options: Mapping[str, str]) -> Iterator[str]:
    for name, value in options.items():
        yield from ("-o", f"{name}={value}")
