"""What an Incus that was killed leaves of a disk on btrfs that it was bringing back. Called by `returning.py`.

Its driver renames the disk to `….incustmp`, copies the snapshot into its place, and deletes the first
(https://github.com/lxc/incus/blob/main/internal/server/storage/drivers/driver_btrfs_volumes.go). Killed in between it does not
clear up, and refuses the next time. No request removes that, so people are told what does.
"""

import re
from datetime import UTC, datetime

from freehold.diagnostics import BackendError, Diagnostic
from freehold.providers.incus.snapshots.reading import Snapshot, Target
from freehold.system.incus.api import IncusError

_RENAME = re.compile(r"rename (?P<place>/\S+) (?P<aside>/\S+\.incustmp): (?P<why>.+)")
_STANDS = ("file exists", "directory not empty")
_GONE = "no such file or directory"


def cut_off(error: IncusError, target: Target, snapshot: Snapshot) -> BackendError:
    """The refusal in words that help, when it is this one; else the error itself."""
    found = _RENAME.search(error.message)
    if found is None:
        return error
    place, aside = found["place"], found["aside"]
    commands = [f"sudo mv -T {aside} {place}"]
    if found["why"].startswith(_STANDS):
        commands.insert(0, f"sudo mv -T {place} {place}.half-{datetime.now(UTC):%Y%m%d-%H%M%S}")
    elif not found["why"].startswith(_GONE):
        return error
    return BackendError(
        Diagnostic(
            code="restore-cut-off",
            summary="Incus was ended while it brought a disk back, and cannot go on by itself",
            detail=f"{target.key}: {aside} is what the disk was before; Incus does not put it back by itself.",
            hint="Put it back in its place, then go back again (what is called `.half-…` can be deleted afterwards):\n"
            + "".join(f"    {command}\n" for command in commands)
            + f"    freehold snapshot restore {target.key} --name {snapshot.name}",
        )
    )
