"""How it is told that new rules cut a way in. Used by the modules of this package."""

from collections.abc import Sequence

from freehold.diagnostics import BackendError, Diagnostic


class WayInLost(BackendError):
    """Something that worked with the old rules does not work with the new ones."""

    def __init__(self, lost: Sequence[str], hint: str) -> None:
        super().__init__(
            Diagnostic(
                code="way-in-lost",
                summary="The new firewall rules cut a way in; the rules from before are back",
                detail="\n".join(lost),
                hint=hint,
            )
        )
