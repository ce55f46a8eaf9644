"""A disposable host on the user's own machine: namespaces with a real Incus in them, and images for its machines."""

from freehold.operations.lab.lab import Lab, Started
from freehold.operations.lab.status import LabStatus

__all__ = ["Lab", "LabStatus", "Started"]
