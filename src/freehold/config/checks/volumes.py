"""Volumes of a machine: where they are mounted."""

from collections.abc import Iterator

from freehold.config.checks.context import Context
from freehold.diagnostics import Diagnostic

_SYSTEM = ("/proc", "/sys", "/dev", "/run")


def volume_paths(context: Context) -> Iterator[Diagnostic]:
    """Each path once in a machine, and not over the system's own folders."""
    for path, _, machine in context.machines():
        first: dict[str, str] = {}
        for name, volume in machine.volumes.items():
            here = (*path, "volumes", name, "path")
            other = first.setdefault(volume.path, name)
            if any(volume.path == top or volume.path.startswith(f"{top}/") for top in _SYSTEM):
                yield context.at(here, "system-path", f"`{volume.path}` belongs to the system.")
            elif other != name:
                detail = f"Volume `{other}` ({context.line((*path, 'volumes', other, 'path'))}) is mounted at `{volume.path}` already."
                yield context.at(here, "volume-path-taken", detail)
