"""The page in a real browser (Debian's Chromium): on a phone and on a desk, light and dark, in both languages, by keyboard, without scripts."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from freehold.diagnostics import BackendError, Diagnostic
from tests.llm import browser
from tests.ui.estates import FAILED, TROUBLED, WELL, kept_run
from tests.ui.extremes import hostile, large
from tests.ui.served import Served, served
from tests.ui.window import DESK, PHONE, Window

pytestmark = pytest.mark.timeout(300)
_CONTRAST = """
(() => {
  const parts = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const paper = of => { for (; of; of = of.parentElement) { const c = parts(getComputedStyle(of).backgroundColor);
    if (c.length === 3 || c[3] === 1) return c; } return parts(getComputedStyle(document.body).backgroundColor); };
  let worst = [99, ''];
  for (const each of document.querySelectorAll('body *')) {
    const own = [...each.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || each.namespaceURI.endsWith('svg') || !each.checkVisibility()) continue;
    const [a, b] = [light(parts(getComputedStyle(each).color)), light(paper(each))].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    if (ratio < worst[0]) worst = [ratio, each.outerHTML.slice(0, 120)];
  }
  return worst;
})()
"""  # WCAG 2.2, success criterion 1.4.3: relative luminance and contrast ratio
_AA = 4.5


@pytest.fixture(scope="module")
def window() -> Iterator[Window]:
    if why := browser.install():
        pytest.skip(why)
    with Window() as made:
        yield made


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Served]:
    with served(TROUBLED, tmp_path) as made:
        yield made


def opened(
    window: Window, site: Served, width: int = DESK, scheme: str = "light", languages: str = "en"
) -> None:
    """The overview, fresh from the server and drawn."""
    window.scripts(True)
    window.resize(width)
    window.prefer(scheme)
    window.speak(languages)
    window.forget()
    window.open("about:blank")
    window.open(site.address)
    window.until("document.readyState === 'complete' && !!document.querySelector('h1')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("languages", ["en", "fr-FR,fr;q=0.9"])
def test_a_phone_never_scrolls_sideways_and_everything_can_be_read(
    window: Window, site: Served, scheme: str, languages: str
) -> None:
    opened(window, site, PHONE, scheme, languages)
    assert window.run("document.documentElement.lang") == languages[:2]
    assert window.run("innerWidth") == PHONE
    assert window.run("document.documentElement.scrollWidth") <= PHONE
    ratio, where = window.run(_CONTRAST)
    assert ratio >= _AA, where


_SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "width", [PHONE, pytest.param(800, marks=_SLOW), pytest.param(DESK, marks=_SLOW)]
)
@pytest.mark.parametrize("scene", ["large", "hostile", "well"])
def test_no_estate_is_too_wide(window: Window, site: Served, scene: str, width: int) -> None:
    site.facts = {"large": large(500), "hostile": hostile(), "well": WELL}[scene]
    opened(window, site, width)
    assert window.run("document.documentElement.scrollWidth") <= width
    assert "poison" not in window.run("document.title").split(":")[0][:6]
    assert window.run("document.images.length") == 0


def test_light_and_dark_follow_the_reader(window: Window, site: Served) -> None:
    papers = []
    for scheme in ("light", "dark"):
        opened(window, site, scheme=scheme)
        papers.append(window.run("getComputedStyle(document.body).backgroundColor"))
        ratio, where = window.run(_CONTRAST)
        assert ratio >= _AA, where
    assert papers == ["rgb(250, 249, 246)", "rgb(20, 23, 26)"]


def test_the_picture_has_a_shape_for_each_window(window: Window, site: Served) -> None:
    shown = "[...document.querySelectorAll('.picture')].filter(each => each.checkVisibility()).map(each => each.classList[1])"
    opened(window, site, PHONE)
    assert window.run(shown) == ["narrow"]
    letters = "document.querySelector('.picture.narrow .service').getBoundingClientRect().height"
    assert window.run(letters) > 12  # as large as it is drawn: not shrunk to fit
    opened(window, site, DESK)
    assert window.run(shown) == ["wide"]


def test_the_token_leaves_the_address_and_scripts_do_not_see_the_cookie(
    window: Window, site: Served
) -> None:
    opened(window, site)
    assert window.run("location.href") == site.path()
    assert window.run("document.cookie") == ""


def test_a_page_of_another_site_that_leads_here_gets_in_once_the_token_was_given(
    window: Window, site: Served, tmp_path: Path
) -> None:
    """As `--open` does: by a file. The browser holds its cookie back at first (SameSite=Strict), and the page comes back by itself."""
    leads = tmp_path / "leads.html"
    leads.write_text(f'<!DOCTYPE html><meta http-equiv="refresh" content="0; url={site.address}">')
    window.scripts(True)
    window.forget()
    window.speak("en")
    window.open(leads.as_uri())
    window.until("location.protocol === 'http:' && document.readyState === 'complete'")
    window.reads("7 things need you")
    assert window.run("location.href") == site.path()


def test_without_the_token_the_browser_sees_a_refusal(window: Window, site: Served) -> None:
    window.forget()
    window.speak("fr")
    window.open(site.path())
    window.reads("Cette page est derrière un jeton")
    assert "radarr" not in window.text()


def test_another_language_is_kept(window: Window, site: Served) -> None:
    opened(window, site)
    window.press("a[hreflang=fr]")
    window.reads("7 choses vous attendent")
    window.open(site.path())
    window.reads("7 choses vous attendent")
    window.press("a[hreflang=en]")
    window.reads("7 things need you")
    assert window.run("location.search") == ""


def test_the_page_renews_itself_and_keeps_its_place(window: Window, site: Served) -> None:
    opened(window, site)
    site.facts = WELL
    window.run("renew()")
    window.reads("All is well")
    assert window.run("document.title") == "orion: All is well"
    window.run("document.querySelector('#machines').scrollIntoView()")
    before = window.run("scrollY")
    site.facts = BackendError(Diagnostic(code="lab-not-running", summary="The lab is not running"))
    window.run("renew()")
    window.reads("The last look failed")
    assert before > 0
    assert window.run("scrollY") > 0


def test_a_command_can_be_copied(window: Window, site: Served) -> None:
    opened(window, site)
    asked = "navigator.clipboard.writeText = async text => { window.taken = text; }"
    window.run(asked)
    window.press(".need .command button")
    window.until("window.taken === 'docker logs orion-radarr-1'")
    window.reads("Copied")


def test_without_scripts_nothing_is_missing(window: Window, site: Served) -> None:
    opened(window, site)
    full = window.text()
    window.scripts(False)
    window.open(site.path())
    window.until("document.readyState === 'complete'")  # the driver's own scripts still run
    plain = window.text()
    window.scripts(True)
    lines = {line for line in full.splitlines() if line.strip() and line != "Copy"}
    ago = {line for line in lines if "Looked at" in line}
    assert lines - ago <= set(plain.splitlines())


def test_the_keyboard_leads_past_the_head_and_shows_where_it_is(
    window: Window, site: Served
) -> None:
    opened(window, site)
    window.press_key("Tab")
    assert window.run("document.activeElement.getAttribute('href')") == "#main"
    seen: list[str] = []
    for _ in range(12):
        window.press_key("Tab")
        seen.append(window.run("document.activeElement.tagName"))
        assert window.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert {"A", "BUTTON"} <= set(seen)


def test_headings_and_regions_have_names(window: Window, site: Served) -> None:
    opened(window, site)
    levels = window.run(
        "[...document.querySelectorAll('h1,h2,h3')].map(each => Number(each.tagName[1]))"
    )
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    nameless = "[...document.querySelectorAll('section,nav,[role=img],[role=region]')].filter(each => !(each.ariaLabel || document.getElementById(each.getAttribute('aria-labelledby')))).length"
    assert window.run(nameless) == 0
    columns = "[...document.querySelectorAll('thead th, tbody th')].every(each => each.scope)"
    assert window.run(columns) is True


def test_a_run_is_a_page_of_its_own(window: Window, site: Served, tmp_path: Path) -> None:
    kept_run(tmp_path, FAILED)
    opened(window, site, PHONE)
    window.press(f"a[href='runs/{FAILED.name}']")
    window.reads("no space left on device")
    assert window.run("document.documentElement.scrollWidth") <= PHONE
    wide = window.run(
        "[...document.querySelectorAll('.bar rect.done')].map(each => each.getBoundingClientRect().width)"
    )
    assert wide[0] > 100
    window.open(site.path("/runs/..%2F..%2Finfra.yml"))
    window.reads("There is no such page")


def test_what_is_foreign_is_refused_and_what_is_ours_is_not(window: Window, site: Served) -> None:
    opened(window, site)
    window.run(
        "addEventListener('securitypolicyviolation', each => { window.refused = each.effectiveDirective; })"
    )
    window.run(
        "const own = document.createElement('img'); own.src = '/icon.svg'; document.body.append(own)"
    )
    window.until("own.complete && own.naturalWidth > 0 && !window.refused")
    window.run(
        "const foreign = document.createElement('img'); foreign.src = 'http://127.0.0.1:9/x'; document.body.append(foreign)"
    )
    window.until("window.refused === 'img-src'")
    assert window.run("getComputedStyle(document.querySelector('.verdict')).borderRadius") == "14px"
    assert (
        window.run("getComputedStyle(document.querySelector('#good .shape')).fill")
        != "rgb(0, 0, 0)"
    )
