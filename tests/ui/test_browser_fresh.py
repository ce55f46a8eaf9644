"""What the page says in a real browser when it gets no answer, an old one, or another one: never that all is well."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.llm import browser
from tests.ui.estates import FAILED, NOW, TROUBLED, WELL, judged, kept_run
from tests.ui.served import served
from tests.ui.test_browser import opened
from tests.ui.window import DESK, PHONE, Window

pytestmark = pytest.mark.timeout(300)
_SLOW = pytest.mark.slow
_HEADING = "document.querySelector('#verdict').innerText.trim()"
_MARK = "document.querySelector('.verdict').classList[1]"
_AT = "document.activeElement.outerHTML"


@pytest.fixture(scope="module")
def window() -> Iterator[Window]:
    if why := browser.install():
        pytest.skip(why)
    with Window() as made:
        yield made


class Foreign(ThreadingHTTPServer):
    """Another program's page, and the cookies that it was asked with."""

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Answers)
        self.cookies: list[str] = []


class _Answers(BaseHTTPRequestHandler):
    server: Foreign

    def do_GET(self) -> None:
        self.server.cookies.append(self.headers.get("Cookie", ""))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<p>somebody else's page</p>")

    def log_message(self, *_: object) -> None:
        """The tests' own output is enough."""


@contextmanager
def foreign(port: int = 0) -> Iterator[Foreign]:
    with Foreign(port) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(60)


@pytest.mark.parametrize(
    ("languages", "says"),
    [("en", "No answer any more"), pytest.param("fr", "Plus de réponse", marks=_SLOW)],
)
def test_a_server_that_is_gone_is_not_well(
    window: Window, tmp_path: Path, languages: str, says: str
) -> None:
    with served(WELL, tmp_path) as site:
        opened(window, site, languages=languages)
        assert window.run(_MARK) == "good"
    window.run("renew()")
    window.reads(says)
    assert (window.run(_HEADING), window.run(_MARK)) == (says, "unknown")
    assert says in window.run("document.title")
    assert window.run("document.querySelector('#said').textContent") == says
    assert (
        window.run("document.querySelector('#verdict svg use').getAttribute('href')") == "#unknown"
    )
    first = window.run("document.querySelector('#ago').innerText")
    window.until(f"document.querySelector('#ago').innerText !== {first!r}")  # it grows older


@_SLOW
def test_a_server_that_stands_still_is_not_waited_for(window: Window, tmp_path: Path) -> None:
    with served(WELL, tmp_path) as site:
        opened(window, site)
        window.run(
            "AbortSignal.timeout = (was => () => was.call(AbortSignal, 200))(AbortSignal.timeout)"
        )
        site.stand_still(2)
        window.run("renew()")
        window.reads("No answer any more")
        time.sleep(2)  # what was to last as long has ended
        window.run("renew()")
        window.reads("All is well")
        assert (window.run(_MARK), window.run("document.title")) == ("good", "orion: All is well")


def test_another_server_at_the_same_port_is_no_answer(window: Window, tmp_path: Path) -> None:
    with served(WELL, tmp_path) as site:
        opened(window, site)
        port = site.port
    with foreign(port):
        window.run("renew()")
        window.reads("No answer any more")


def test_a_page_that_nobody_looked_at_grows_old_by_itself(window: Window, tmp_path: Path) -> None:
    """A tab among others: what its title says is still read."""
    with served(WELL, tmp_path) as site:
        opened(window, site)
        window.run("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
        window.run("Date.now = (was => () => was() + 61000)(Date.now)")
        window.until("document.title === 'orion: What is known is old'")
        assert window.run("document.querySelector('#ago').innerText") == "1 min ago"
        window.run("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
        window.until("document.title === 'orion: All is well'")
        assert window.run(_MARK) == "good"


def test_whoever_pressed_copy_sees_what_is_new_and_stays_where_he_is(
    window: Window, tmp_path: Path
) -> None:
    with served(judged(replace(WELL, isolation=None)), tmp_path) as site:
        opened(window, site)
        window.run("navigator.clipboard.writeText = async text => { window.taken = text; }")
        window.run("document.querySelector('.command button').focus()")
        window.press(".command button")
        window.until("(window.taken || '').endsWith('verify --traffic')")
        site.facts = replace(TROUBLED, isolation=None, at=NOW + timedelta(hours=5))
        window.run("renew()")
        window.reads("things need you")
        said = "document.activeElement.previousElementSibling.textContent"
        assert window.run(said).endswith("verify --traffic")
        assert "need" in window.run("document.querySelector('#said').textContent")


def test_the_keyboard_stays_at_its_link_and_where_that_is_gone_in_the_content(
    window: Window, tmp_path: Path
) -> None:
    with served(TROUBLED, tmp_path) as site:
        opened(window, site)
        window.run("document.querySelector('nav a[href=\"#notes\"]').focus()")
        site.facts = replace(TROUBLED, needs=TROUBLED.needs[1:])
        window.run("renew()")
        window.reads("6 things need you")
        assert 'href="#notes"' in window.run(_AT)
        site.facts = WELL
        window.run("renew()")
        window.reads("All is well")
        assert window.run("document.activeElement.tagName") == "MAIN"


@_SLOW
def test_what_another_server_showed_is_not_shown_again(window: Window, tmp_path: Path) -> None:
    """Nor by going back, once it has ended."""
    with served(WELL, tmp_path) as site:
        opened(window, site)
        window.open("data:text/html,elsewhere")
        window.reads("elsewhere")
    window.run("history.back()")
    window.until("location.protocol !== 'data:' && document.readyState === 'complete'")
    window.until("!document.title.includes('All is well')")  # kept in memory, it asks at once


def test_another_port_of_this_computer_gets_no_cookie(window: Window, tmp_path: Path) -> None:
    with served(WELL, tmp_path) as site, foreign() as other:
        opened(window, site)
        window.open(f"http://127.0.0.1:{other.server_port}/")
        window.reads("somebody else's page")
        assert other.cookies
        assert not any("freehold-ui" in cookie for cookie in other.cookies)


@pytest.mark.parametrize("width", [PHONE, pytest.param(DESK, marks=_SLOW)])
def test_what_is_pressed_is_large_enough(window: Window, tmp_path: Path, width: int) -> None:
    """WCAG 2.2, success criterion 2.5.8: 24 pixels."""
    kept_run(tmp_path, FAILED)
    small = (
        "[...document.querySelectorAll('a, button')].filter(each => each.checkVisibility() && !each.closest('.skip'))"
        ".map(each => [each.textContent, each.getBoundingClientRect().height]).filter(each => each[1] < 24)"
    )
    with served(TROUBLED, tmp_path) as site:
        opened(window, site, width)
        assert window.run(small) == []
        window.open(site.path(f"/runs/{FAILED.name}"))
        window.reads("no space left on device")
        assert window.run(small) == []
