"""The page of `freehold ui`, rendered on the server from the document of `status --json`. Nothing is loaded from elsewhere."""

from freehold.views.ui.page import Fresh, overview_page, refusal_page, run_page, shared_file

__all__ = ["Fresh", "overview_page", "refusal_page", "run_page", "shared_file"]
