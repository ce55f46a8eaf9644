"""A disposable host on the user's own machine: namespaces with a real Incus in them, and images for its machines."""

from freehold.operations.lab.lab import Lab, LabStatus, Started

__all__ = ["Lab", "LabStatus", "Started"]
