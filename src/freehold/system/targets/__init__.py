"""Computers and machines on which services run: one way to run commands and to put files there."""

from freehold.system.targets.api import (
    Ended,
    Target,
    TargetFailed,
    TargetMissing,
    Targets,
    TargetUnreached,
)

__all__ = ["Ended", "Target", "TargetFailed", "TargetMissing", "TargetUnreached", "Targets"]
