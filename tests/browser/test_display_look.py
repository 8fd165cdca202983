"""How the waiting room's display looks, on all sorts of screens, and for whom it works."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.test_accessibility import violations
from tests.browser.waiting_room import PATH, is_live, make_screen, open_room, tables, tile

pytest_plugins = ["tests.browser.desk"]
pytestmark = pytest.mark.chromium


@pytest.fixture
def new_screen(new_context: Callable[..., BrowserContext]) -> Callable[..., Page]:
    return partial(make_screen, new_context)


# Nothing of the screen outside it, no text cut off or over another.
_MISFITS = """() => {
  const seen = (element) => element.checkVisibility({ visibilityProperty: true });
  const problems = [];
  if (document.documentElement.scrollWidth > innerWidth) problems.push("wider than the screen");
  if (document.documentElement.scrollHeight > innerHeight) problems.push("higher than the screen");
  const all = (selector) => document.querySelectorAll(selector);
  for (const element of all(".wall__head *, .tile, .tile__name, #now p, #last li, #line *")) {
    if (!seen(element)) continue;
    const box = element.getBoundingClientRect();
    if (box.left < -1 || box.right > innerWidth + 1 || box.top < -1 || box.bottom > innerHeight + 1) {
      problems.push(`outside: ${element.outerHTML.slice(0, 80)}`);
    }
  }
  for (const text of all(".tile__name, .tile__what, #now-table, #now-number, #now-idle")) {
    if (!seen(text)) continue;
    const outer = text.closest(".tile, .now").getBoundingClientRect();
    const box = text.getBoundingClientRect();
    const tooWide = text.clientWidth && text.scrollWidth > text.clientWidth + 1;
    const tooHigh = text.matches(".tile__name, #now-table") && text.scrollHeight > text.clientHeight + 1;
    if (tooWide || tooHigh) problems.push(`cut: ${text.textContent}`);
    if (box.bottom > outer.bottom || box.right > outer.right + 1) problems.push(`over: ${text.textContent}`);
  }
  return problems;
}"""
_SIZES = [(1920, 1080), (1280, 800), (1080, 1920), (3840, 2160)]


@pytest.mark.parametrize("query", ["?lang=en", "?lang=ar"])
def test_a_room_of_any_size_fits_on_any_screen(new_screen, desk, query):
    page = new_screen()
    for count in (1, 2, 6, 12, 24):
        serving = {number: 100 + number for number in range(0, count, 2)}
        name = "Residence permits, vehicles and dogs {}" if count == 6 else "Counter {}"
        page.unroute_all()
        open_room(page, desk, tables(count, serving=serving, name=name), query)
        expect(page.locator(".tile")).to_have_count(count)
        for width, height in _SIZES:
            page.set_viewport_size({"width": width, "height": height})
            page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
            assert page.evaluate(_MISFITS) == [], (count, width, height)


def settled(page: Page) -> None:
    page.evaluate("Promise.allSettled(document.getAnimations().map((animation) => animation.finished))")


@pytest.mark.parametrize(("scheme", "query"), [("light", "?lang=en"), ("dark", "?lang=ar")])
def test_axe_has_no_objection(new_screen, desk, scheme, query):
    page = new_screen(blocked=True, color_scheme=scheme)
    line = open_room(page, desk, tables(6, serving={1: 7}), query)
    expect(page.locator("#blocked")).to_be_visible()
    assert violations(page) == []
    line.call(0, 11)
    expect(page.locator("#now-number")).to_have_text("A-011")
    settled(page)
    assert violations(page) == []
    line.let_in = False
    line.drop()
    expect(page.locator("#lost")).to_be_visible()
    assert violations(page) == []


def test_small_screens_and_high_zoom_scroll_in_one_direction_only(new_screen, desk):
    page = new_screen()
    open_room(page, desk, tables(6, serving={1: 7}))
    for width, height in ((640, 400), (320, 256), (390, 844), (844, 390)):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        expect(page.locator("#full-screen")).to_be_visible()


def test_the_keyboard_alone_does_everything(new_screen, desk):
    page = new_screen()
    open_room(page, desk, tables(3))
    seen = []
    for _ in range(5):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.textContent.trim()"))
    assert seen == ["English", "Deutsch", "العربية", "Turn the sound off", "Full screen"]
    page.keyboard.press("Enter")
    expect(page.locator("#full-screen")).to_have_text("End full screen")
    page.keyboard.press("f")
    expect(page.locator("#full-screen")).to_have_text("Full screen")
    page.keyboard.press("m")
    expect(page.locator("#muted")).to_be_visible()
    page.keyboard.press("Control+m")
    page.keyboard.press("m")
    expect(page.locator("#muted")).to_be_hidden()
    page.goto(desk.url + PATH + "?keys=off")
    is_live(page)
    page.keyboard.press("m")
    page.keyboard.press("f")
    expect(page.locator("#muted")).to_be_hidden()
    expect(page.locator("#full-screen")).to_have_text("Full screen")


def test_another_language_is_chosen_on_the_page_or_by_its_address(new_screen, desk):
    page = new_screen()
    line = open_room(page, desk, tables(3, name=""))
    page.get_by_role("button", name="العربية").click()
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    expect(tile(page, 1)).to_contain_text("الطاولة 1")
    line.call(0, 11)
    expect(page.locator("#announcements")).to_have_text("A-011، يرجى التوجه إلى الطاولة 0")
    assert tile(page, 0).bounding_box()["x"] < page.locator("#now").bounding_box()["x"]
    page.goto(desk.url + PATH + "?lang=de")
    expect(page.locator("h1")).to_have_text("Warteraum")
    page.goto(desk.url + PATH)
    expect(page.locator("h1"), "the address is for once, a choice stays").to_have_text("قاعة الانتظار")


def test_controls_are_out_of_sight_until_somebody_needs_them(new_screen, desk):
    page = new_screen()
    page.clock.install()
    open_room(page, desk, tables(3))
    expect(page.locator("#sound")).to_be_visible()
    page.clock.run_for(9_000)
    expect(page.locator("#sound")).to_be_hidden()
    page.mouse.move(200, 200)
    expect(page.locator("#sound")).to_be_visible()
    page.get_by_role("button", name="English").click()
    page.clock.run_for(9_000)
    expect(page.locator("#sound")).to_be_hidden()
    page.keyboard.press("Tab")
    page.clock.run_for(9_000)
    expect(page.locator("#sound"), "what has the keyboard's focus can be seen").to_be_visible()
    page.clock.run_for(52_000)
    expect(page.locator("#sound")).to_be_hidden()


def test_nothing_moves_for_those_who_ask_for_it(new_screen, desk):
    page = new_screen(reduced_motion="reduce")
    line = open_room(page, desk, tables(3))
    line.call(0, 11)
    expect(page.locator("#now-number")).to_have_text("A-011")
    assert page.evaluate("document.getAnimations().length") == 0
