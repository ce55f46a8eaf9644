"""How old the versions in `catalog/` are. Shown by `updates` and on the page of `ui`: no version that came out later is known."""

from datetime import date

VERSIONS_AS_OF = date(2026, 10, 7)
"""The day of which they are: up to it, what had come out was looked at. Set it whenever the versions are gone through."""
