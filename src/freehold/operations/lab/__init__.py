"""A disposable host on the user's own machine: namespaces with a real Incus in them, and images for its machines."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from freehold.operations.lab.lab import Lab, Started
    from freehold.operations.lab.status import LabStatus
else:

    def __getattr__(name):
        """Load a class when it is asked for: verbs without a lab import from here too, and need none of them."""
        if name in ("Lab", "Started"):
            from freehold.operations.lab import lab as module
        elif name == "LabStatus":
            from freehold.operations.lab import status as module
        else:
            raise AttributeError(name)
        return getattr(module, name)


__all__ = ["Lab", "LabStatus", "Started"]
