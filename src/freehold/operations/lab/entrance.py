"""The way by SSH into the hosts that the lab plays: a key of the lab's own, and what `ssh` must know to get there.

Made for the first host, renewed when the lab starts; called by `Lab` for SSH's settings and by the provider of lab hosts (as its `Entrance`). All of
it is in one folder of the lab, so that nothing of it gets into the user's own ~/.ssh or into the estate's known hosts: the
same addresses are those of the real computers.
"""

import os
import shlex
import sys
from pathlib import Path

import freehold
from freehold.operations.lab.layout import Layout
from freehold.system.files import locked, write_atomically
from freehold.system.processes import require

_SETTINGS = """\
# How ssh gets to the hosts that this lab plays; Freehold writes it anew at each start of the lab.
#     ssh -F {file} USER@ADDRESS
Host *
    ProxyCommand {relay} %h %p
    ProxyUseFdpass yes
    IdentityFile "{key}"
    IdentitiesOnly yes
    UserKnownHostsFile "{known}/%h"
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking accept-new
    UpdateHostKeys no
    HashKnownHosts no
"""


def settings_file(place: Layout) -> Path:
    """What `ssh -F` is to be given."""
    return place.ssh / "config"


def prepare(place: Layout) -> None:
    """Make what is missing: the folder, the key; write the settings as this Freehold wants them. Raises OSError, BackendError."""
    for folder in (place.ssh, _known(place)):
        folder.mkdir(mode=0o700, exist_ok=True)
    with locked(place.ssh / "lock"):  # hosts are made several at once
        if not _key(place).exists():
            _make_key(place)
    file = settings_file(place)
    text = _SETTINGS.format(
        file=file, relay=_relay(place), key=_escaped(_key(place)), known=_escaped(_known(place))
    )
    write_atomically(file, text)


def renew(place: Layout) -> None:
    """Write the settings anew where there are any: Freehold may be somewhere else since. Raises OSError, BackendError."""
    if place.ssh.is_dir():
        prepare(place)


class LabEntrance:
    """The lab's way in, as the provider of lab hosts asks for it."""

    def __init__(self, place: Layout) -> None:
        self._place = place

    def public_key(self) -> str:
        """The line that opens a host to the lab's key. Raises OSError, BackendError."""
        prepare(self._place)
        return _key(self._place).with_suffix(".pub").read_text().strip()

    def forget(self, declared: str) -> None:
        """A host is there for the first time: whoever had its address before had another key."""
        (_known(self._place) / declared.lower()).unlink(missing_ok=True)

    async def answers(self, declared: str, port: int) -> bool:
        """Whether an SSH server greets there (RFC 4253, 4.2)."""
        import asyncio  # 40 ms that the start of a lab should not pay

        from freehold.system.relay import greeting

        said = await asyncio.to_thread(greeting, self._place.holder, declared, port, 2.0)
        return said.startswith("SSH-")


def _make_key(place: Layout) -> None:
    """Under another name first: a key without its public half is none."""
    made = place.ssh / f".key-{os.getpid()}"
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "freehold-lab", "-f", str(made)]
    require(argv)
    made.with_suffix(".pub").rename(_key(place).with_suffix(".pub"))
    made.rename(_key(place))


def _relay(place: Layout) -> str:
    """The relay as ssh starts it: by a shell, after its own tokens were put in."""
    source = Path(freehold.__file__).parents[1]
    program = ["env", f"PYTHONPATH={source}", sys.executable, "-P", "-m", "freehold.system.relay"]
    return shlex.join([*program, str(place.holder)]).replace("%", "%%")


def _escaped(path: Path) -> str:
    """A path as it stands between double quotes in ssh_config(5), where `%` begins a token."""
    return str(path).replace("%", "%%").replace('"', '\\"')


def _key(place: Layout) -> Path:
    return place.ssh / "key"


def _known(place: Layout) -> Path:
    return place.ssh / "known"
