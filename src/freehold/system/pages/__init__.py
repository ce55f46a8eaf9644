"""A web server for one reader: pages that are only read, behind a token. Knows nothing of what the pages say; started by `cli.ui`."""

from freehold.system.pages.messages import Asked, Given, Refusal, Site
from freehold.system.pages.server import PageServer

__all__ = ["Asked", "Given", "PageServer", "Refusal", "Site"]
