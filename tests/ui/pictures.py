"""The pictures of docs/how-to/ui.md, taken of the page itself: `python -m tests.ui.pictures`. Needs Debian's chromium.

The estate in them is that of the tests; nothing of the computer on which they are taken is to be seen.
"""

import contextlib
import sys
import tempfile
from pathlib import Path

from tests.docs.pages import ROOT
from tests.llm import browser
from tests.ui.estates import DONE, TROUBLED, kept_run
from tests.ui.served import Served, served
from tests.ui.test_browser import opened
from tests.ui.window import PHONE, Window

PICTURES = ROOT / "docs" / "pictures"


def main() -> None:
    """Take all of them."""
    if why := browser.install():
        sys.exit(why)
    with (
        tempfile.TemporaryDirectory() as name,
        contextlib.chdir(name),  # so that commands are shown without a folder
        served(TROUBLED, Path(), 3600) as site,
    ):
        kept_run(Path(), DONE)
        with Window() as window:
            _desk(window, site)
            _phone(window, site)


def _desk(window: Window, site: Served) -> None:
    opened(window, site)
    window.resize(1080, 1000)
    window.photograph(PICTURES / "ui-needs.png")
    window.run("document.querySelector('#estate').scrollIntoView()")
    window.resize(1080, 760)
    window.photograph(PICTURES / "ui-estate.png")


def _phone(window: Window, site: Served) -> None:
    opened(window, site, PHONE, "dark", "fr")
    window.resize(PHONE, 720)
    window.photograph(PICTURES / "ui-phone-dark.png")
    window.open(site.path(f"/runs/{DONE.name}"))
    window.until("document.readyState === 'complete'")
    window.prefer("light")
    window.photograph(PICTURES / "ui-phone-run.png")


if __name__ == "__main__":
    main()
