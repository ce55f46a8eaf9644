"""Is everything well, what changed, what needs somebody: all that `status` prints and the page of `ui` shows, from one look."""

from freehold.operations.overview.facts import Need, Overview, Verdict

__all__ = ["Need", "Overview", "Verdict"]
