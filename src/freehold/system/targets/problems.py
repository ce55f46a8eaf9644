"""What went wrong with a target, in words. Raised by the modules beside this one.

OpenSSH says why in sentences only; those that are told apart here are from its sources (`sshconnect.c`, `sshconnect2.c`).
"""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from freehold.diagnostics import Diagnostic
from freehold.model.hosts import Host, Ssh
from freehold.system.targets.api import TargetFailed, TargetUnreached
from freehold.system.targets.way import SshOptions, typed

_CHANGED = "REMOTE HOST IDENTIFICATION HAS CHANGED"
_OFFENDING = re.compile(r"^Offending \S+ key in (.+):(\d+)", re.MULTILINE)
_REFUSED = re.compile(r"Permission denied|Too many authentication failures|no mutual signature")
_SHOWN_LINES = 6
# What ssh adds when its proxy has said why there is no way.
_AFTERWARDS = ("mm_receive_fd:", "proxy dialer did not")


@dataclass(frozen=True, slots=True)
class NotEntered:
    """A try to enter a host that failed: what OpenSSH said, or that the user there is not root and may not become it."""

    ssh: Ssh
    said: str
    not_root: bool = False

    @property
    def key_changed(self) -> bool:
        return _CHANGED in self.said

    @property
    def login_refused(self) -> bool:
        return bool(_REFUSED.search(self.said))


def unreached(host: Host, options: SshOptions, tries: Sequence[NotEntered]) -> TargetUnreached:
    """Why a host cannot be entered; `tries` are those that were made, in order."""
    last = next((each for each in tries if each.login_refused or each.not_root), tries[0])
    if changed := next((each for each in tries if each.key_changed), None):
        return TargetUnreached(_key_changed(host, options, changed))
    if last.not_root:
        return TargetUnreached(_not_root(host, last))
    said = "\n".join(_line(host, each) for each in tries)
    if last.login_refused:
        return TargetUnreached(_login_refused(host, last, said))
    return TargetUnreached(
        Diagnostic(
            code="host-unreachable",
            summary="A host does not answer by SSH",
            detail=said,
            hint="Is it on, and are `address` and `ssh` in infra.yml right? Try it yourself:\n"
            f"    {typed(options, host.address, last.ssh)}",
        )
    )


def _line(host: Host, tried: NotEntered) -> str:
    said = (line.strip() for line in tried.said.splitlines())
    lines = [line for line in said if line and not line.startswith(_AFTERWARDS)][-_SHOWN_LINES:]
    where = f"{tried.ssh.user}@{host.address}, port {tried.ssh.port}"
    return f"{host.name} ({where}): {' '.join(lines) or 'the connection ended without a word.'}"


def _key_changed(host: Host, options: SshOptions, tried: NotEntered) -> Diagnostic:
    found = _OFFENDING.search(tried.said)
    file = found[1] if found else str(options.known_hosts)
    name = host.address if tried.ssh.port == Ssh().port else f"[{host.address}]:{tried.ssh.port}"
    return Diagnostic(
        code="host-key-changed",
        summary="A host shows another key than before",
        detail=f"{host.name}: what answers at {host.address}, port {tried.ssh.port}, is not the computer that answered there "
        f"before, or it was installed anew. Nothing was sent to it.",
        hint="If you know why it has changed, forget the old key:\n"
        f"    ssh-keygen -f {shlex.quote(file)} -R {shlex.quote(name)}",
    )


def _login_refused(host: Host, tried: NotEntered, said: str) -> Diagnostic:
    port = "" if tried.ssh.port == Ssh().port else f" -p {tried.ssh.port}"
    return Diagnostic(
        code="host-login-refused",
        summary="A host lets nobody in with your SSH keys",
        detail=said,
        hint=f"Put your public key there (it asks for the password of {tried.ssh.user}):\n"
        f"    ssh-copy-id{port} {tried.ssh.user}@{host.address}",
    )


def _not_root(host: Host, tried: NotEntered) -> Diagnostic:
    user = tried.ssh.user
    return Diagnostic(
        code="host-not-root",
        summary="A host can be entered, but not as root",
        detail=f"{host.name}: {user} is not root, and `sudo -n true` fails there.",
        hint=f"As root on {host.name}, let {user} do all without a password:\n"
        f"    echo '{user} ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/{user}",
    )


def not_there(name: str) -> Diagnostic:
    """A computer that Freehold makes, before it has."""
    return Diagnostic(
        code="target-missing",
        summary="A computer is not there yet",
        detail=f"{name} is yet to be made.",
        hint="Make it:\n    freehold apply",
    )


def no_program() -> TargetUnreached:
    """OpenSSH is not on this computer."""
    return TargetUnreached(
        Diagnostic(
            code="ssh-missing",
            summary="The program `ssh` is not installed here",
            detail="Hosts are entered by OpenSSH's client.",
            hint="Install it:\n    sudo apt install openssh-client",
        )
    )


def lost(target: str, said: str) -> TargetFailed:
    """The connection ended while a command was on its way or ran."""
    return TargetFailed(
        Diagnostic(
            code="target-lost",
            summary="The connection to a target broke while a command ran there",
            detail=f"{target}: {said.strip() or 'it ended without a word.'} The command may have been carried out.",
            hint="Run the same command again: it continues from what is real.",
        )
    )


def too_slow(target: str, program: str, seconds: float) -> TargetFailed:
    """A command took longer than it was given."""
    return TargetFailed(
        Diagnostic(
            code="target-timeout",
            summary="A command on a target did not end in time",
            detail=f"{target}: `{program}` ran longer than {seconds:.0f} seconds and was ended.",
        )
    )


def file_failed(target: str, path: str, doing: str, said: str) -> TargetFailed:
    """A file of the target could not be read or written; what was there is there still."""
    lines = said.strip().splitlines()[-_SHOWN_LINES:]
    return TargetFailed(
        Diagnostic(
            code="target-file",
            summary=f"A file on a target could not be {doing}",
            detail=f"{target}: {path}: {' '.join(lines) or 'no reason was given'}",
        )
    )


def machine_failed(target: str, said: str) -> TargetUnreached:
    """Incus did not let a command into a machine."""
    return TargetUnreached(
        Diagnostic(
            code="machine-unreachable",
            summary="A machine could not be entered",
            detail=f"{target}: {said}",
            hint="Is it running?\n    freehold status",
        )
    )
