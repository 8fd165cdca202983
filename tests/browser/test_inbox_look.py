"""The inbox on every screen, in both colour schemes, with a keyboard, and as a screen reader has it."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.inbox import Post, expect_unread, row, titles
from tests.browser.test_accessibility import _OUTSIDE, violations

pytestmark = pytest.mark.chromium
pytest_plugins = ["tests.browser.chat", "tests.browser.inbox"]

LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
# A phone, a desk, 1280 wide at 200 % and 400 % zoom, and a phone held sideways.
SIZES = [(390, 844), (1280, 800), (640, 400), (320, 256), (844, 390)]


def fill(post: Post, name: str) -> None:
    """Something of everything."""
    person = post.person(name)
    post.send(person, type=LONG[:64], title=LONG * 2, body=LONG * 20, data={LONG: [LONG]})
    post.send(person, type="news", title="Short", body="one\ntwo\nthree\nfour")
    post.send(person, type="task")
    post.mark(person, "read", "Short")


def states(page: Page):
    """Bring the page into one state after the other."""
    yield "list"
    row(page, LONG * 2).locator(".inbox-item__open").click()
    row(page, LONG * 2).get_by_text("Data").click()
    yield "opened"
    page.get_by_role("button", name=f"{LONG[:64]}").first.click()
    expect(titles(page)).to_have_count(1)
    page.evaluate("document.getElementById('problem').textContent = 'Not marked: for no reason.'")
    page.evaluate("document.getElementById('jump').hidden = false")
    yield "one type, and a problem"


@pytest.mark.parametrize(("scheme", "sizes"), [("light", SIZES), ("dark", SIZES[:1])])
def test_axe_has_no_objection_and_nothing_is_cut_off(post, open_inbox, scheme, sizes):
    fill(post, f"wes-{scheme}")
    page = open_inbox(post.person(f"wes-{scheme}"), color_scheme=scheme)
    expect_unread(page, 2)
    for state in states(page):
        for width, height in sizes:
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (state, width)
            assert page.evaluate(_OUTSIDE) == [], (state, width)
        # The last size: a phone, upright or held sideways.
        assert violations(page) == [], state


def test_everything_is_done_with_the_keyboard_and_is_seen_to_be(post, open_inbox):
    xia = post.person("xia")
    for kind, title in (("news", "by hand"), ("task", "to do")):
        post.send(xia, type=kind, title=title)
    page = open_inbox(xia)
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        focused = page.locator(":focus-visible")
        reached.append(" ".join(focused.inner_text().split()))
        assert focused.evaluate("(element) => getComputedStyle(element).outlineStyle") == "solid"
    expected = ["Sign out", "Mark all read", "Unread: to do", "Unread: by hand"]
    assert [name for name in reached if name in expected] == expected
    opener = page.get_by_role("button", name="Unread: to do", exact=True)
    expect(opener).to_have_attribute("aria-expanded", "false")
    opener.focus()
    page.keyboard.press("Enter")
    opened = page.get_by_role("button", name="to do", exact=True)
    expect(opened).to_be_focused()
    expect(opened).to_have_attribute("aria-expanded", "true")
    expect_unread(page, 1)
    page.keyboard.press("Tab")
    expect(row(page, "to do").get_by_role("button", name="Mark unread")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator("#announcements")).to_have_text("Marked as unread.")
    expect(row(page, "to do").get_by_role("button", name="Mark read")).to_be_focused()
    # What comes in meanwhile takes the focus from nobody.
    post.send(xia, title="news")
    expect(titles(page)).to_have_count(3)
    expect(row(page, "to do").get_by_role("button", name="Mark read")).to_be_focused()
    page.get_by_role("button", name="task 1 unread").focus()
    page.keyboard.press("Enter")
    expect(titles(page)).to_have_text(["to do"])
    expect(page.get_by_role("button", name="task 1 unread")).to_be_focused()
