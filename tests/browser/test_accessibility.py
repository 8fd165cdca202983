"""Every page as axe sees it, in both colour schemes; small screens, high zoom, right to left."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Installation

pytestmark = pytest.mark.chromium

# WCAG 2.2 AA, and what axe's makers recommend besides.
_RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    # What it has no objection to is not gathered, which takes longer than to look for it.
    "resultTypes": ["violations"],
}

PAGES = {
    "landing": "/",
    "channel": "/axe/listen",
    "history": "/kept-0/listen",
    "locked": "/locked-0/listen",
    "closed": "/closed-0/listen",
    "chat": "/gateway/",
    "inbox": "/notifications/",
    "messages": "/api/asyncapi/?format=html",
    "not found": "/nothing/here",
}


def violations(page: Page, context: str | None = None) -> list[str]:
    """What axe objects to, one line an element."""
    page.evaluate(Axe().axe_script)
    found = page.evaluate(
        "async ([context, rules]) => (await axe.run(context ?? document, rules)).violations",
        [context, _RULES],
    )
    return [f"{v['id']}: {node['target']} {node['failureSummary']}" for v in found for node in v["nodes"]]


def open_page(page: Page, server: Installation, path: str) -> None:
    page.goto(server.url + path)
    page.wait_for_load_state("networkidle")
    if path in ("/axe/listen", "/kept-0/listen"):
        fill_channel(page)


def fill_channel(page: Page) -> None:
    """Bring the channel's page into a state with something of everything on it."""
    expect(page.locator("live-state")).to_contain_text("Live since")
    page.get_by_label("Your name").fill("Ada")
    page.get_by_role("button", name="Set name").click()
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#events > li").first).to_be_visible()
    page.get_by_text("Recipients and acknowledgement").click()
    page.get_by_label("Payload").fill("{")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#payload-error")).not_to_be_empty()
    page.get_by_role("button", name="Pause").click()
    # The colour of a new row fades: in between it is neither of the two that count.
    page.evaluate("Promise.all(document.getAnimations().map((animation) => animation.finished))")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_has_no_objection(new_context, server, complaints, name, scheme):
    complaints.expect("404")
    page = new_context(color_scheme=scheme).new_page()
    open_page(page, server, PAGES[name])
    assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") is (scheme == "dark")
    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_has_no_objection_while_the_server_is_away(new_context, own_server, complaints, scheme):
    complaints.expect("WebSocket connection to|ERR_CONNECTION|ERR_SOCKET|ERR_EMPTY")
    page = new_context(color_scheme=scheme).new_page()
    page.goto(f"{own_server.url}/lobby/listen")
    fill_channel(page)
    own_server.stop()
    expect(page.locator("live-state")).to_contain_text("Not live since")
    assert violations(page) == []


# 1280 wide at 200 % and 400 % zoom, a phone, and a phone held sideways.
_SIZES = [(640, 400), (320, 256), (390, 844), (844, 390)]

# Wide tables scroll by themselves; everything else has to fit.
_OUTSIDE = """() => [...document.querySelectorAll("main *, header *, footer *")]
  .filter((element) => !element.closest(".table-scroll, .visually-hidden") && element.checkVisibility())
  .filter((element) => {
    const box = element.getBoundingClientRect();
    return box.left < -1 || box.right > innerWidth + 1;
  })
  .map((element) => element.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_cut_off_on_small_screens(page, server, complaints, name):
    complaints.expect("404")
    open_page(page, server, PAGES[name])
    for direction in ("ltr", "rtl"):
        page.evaluate("(direction) => (document.documentElement.dir = direction)", direction)
        for width, height in _SIZES:
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (direction, width)
            assert page.evaluate(_OUTSIDE) == [], (direction, width)


def test_right_to_left_mirrors_the_page_and_leaves_code_as_it_is(page, server):
    open_page(page, server, "/axe/listen")
    page.evaluate("document.documentElement.dir = 'rtl'")
    assert page.locator(".brand").bounding_box()["x"] > 640
    assert page.locator("live-state").bounding_box()["x"] < 640
    events, forms = page.locator(".channel-events"), page.get_by_role("region", name="Send an event")
    assert events.bounding_box()["x"] > forms.bounding_box()["x"]
    for code in ("#curl", "#events", "#payload"):
        assert page.locator(code).evaluate("(element) => getComputedStyle(element).direction") == "ltr"
    assert violations(page) == []


def test_nothing_moves_for_those_who_ask_for_it(new_context, server):
    page = new_context(reduced_motion="reduce").new_page()
    open_page(page, server, "/axe/listen")
    assert page.evaluate("document.getAnimations().length") == 0


def test_what_is_focused_is_never_hidden_behind_the_header(page, server):
    open_page(page, server, "/axe/listen")
    page.keyboard.press("Home")
    for _ in range(40):
        page.keyboard.press("Tab")
        hidden = page.evaluate("""() => {
          const element = document.activeElement;
          const header = document.querySelector(".site-header");
          if (element.matches("body, .skip-link") || header.contains(element)) return "";
          const box = element.getBoundingClientRect();
          return box.bottom <= header.getBoundingClientRect().bottom ? element.outerHTML : "";
        }""")
        assert hidden == ""
