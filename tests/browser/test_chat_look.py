"""The chat page on every screen, in both colour schemes, with a keyboard, and as a screen reader has it."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chat import QUESTION, Person, messages, write
from tests.browser.test_accessibility import _OUTSIDE, violations

pytestmark = pytest.mark.chromium
pytest_plugins = ["tests.browser.chat"]

LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
# A phone, a desk, 1280 wide at 200 % and 400 % zoom, and a phone held sideways.
SIZES = [(390, 844), (1280, 800), (640, 400), (320, 256), (844, 390)]


def long_channel(ann: Person, ben: Person) -> str:
    """A question with something of everything in it, and another with news."""
    channel = ann.open_channel(QUESTION, title=LONG * 2, description=LONG * 5, topic=LONG)
    ben.ask("POST", f"channels/{channel}/posts", json={"type": 1, "content": LONG})
    for text in ("two", "words\nand lines"):
        ben.post(channel, text)
    news = ann.open_channel(title="News")
    ben.post(news, "new")
    return channel


def states(page: Page):
    """Bring the page into one state after the other."""
    write(page, "x" * 4_001)
    expect(page.locator("#composer-problem")).not_to_be_empty()
    yield "conversation"
    page.locator("#text").fill("")
    page.evaluate("location.hash = ''")
    expect(page.locator("#conversation")).to_be_hidden()
    page.locator("#discover").evaluate("(details) => (details.open = true)")
    yield "channels"
    page.get_by_role("button", name="New channel").click()
    page.get_by_label("A stream").check()
    page.get_by_role("button", name="Open it").click()
    expect(page.locator("#channel-title-error")).not_to_be_empty()
    yield "new channel"
    page.keyboard.press("Escape")
    page.get_by_role("button", name="New message").click()
    page.get_by_label("To whom?").fill("be")
    expect(page.locator("#people > li").first).to_be_visible()
    yield "new message"


@pytest.mark.parametrize(("scheme", "sizes"), [("light", SIZES), ("dark", SIZES[:1])])
def test_axe_has_no_objection_and_nothing_is_cut_off(chat, open_chat, scheme, sizes):
    ann, ben = chat.person("ann"), chat.person("bea")
    page = open_chat(ann, long_channel(ann, ben), color_scheme=scheme)
    expect(messages(page)).to_have_count(3)
    for state in states(page):
        for width, height in sizes:
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (state, width)
            assert page.evaluate(_OUTSIDE) == [], (state, width)
        # The last size: a phone, upright or held sideways.
        assert violations(page) == [], state


def test_a_phone_shows_the_channels_or_one_of_them(chat, open_chat):
    ann = chat.person("ann")
    channel = ann.open_channel(title="In the pocket")
    page = open_chat(ann, viewport={"width": 390, "height": 844}, has_touch=True)
    link = page.locator("#mine").get_by_role("link", name="In the pocket")
    link.click()
    expect(page.locator("#conversation")).to_be_visible()
    expect(link).to_be_hidden()
    expect(page.locator("#text")).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    page.get_by_role("link", name="Back to the channels").click()
    expect(page.locator("#conversation")).to_be_hidden()
    expect(link).to_be_focused()
    page.go_back()
    expect(page.locator("#conversation-title")).to_have_text("In the pocket")
    assert page.url.endswith(f"#{channel}")


def test_everything_is_done_with_the_keyboard_and_is_seen_to_be(chat, open_chat):
    ann = chat.person("ann")
    ann.open_channel(title="By hand")
    page = open_chat(ann)
    link = page.locator("#mine").get_by_role("link", name="By hand")
    page.locator("body").press("Tab")
    for _ in range(8):
        page.keyboard.press("Tab")
        focused = page.locator(":focus-visible")
        assert focused.evaluate("(element) => getComputedStyle(element).outlineStyle") == "solid"
        if link.evaluate("(link) => link === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.locator("#text")).to_be_focused()
    expect(page.get_by_label("Message in By hand")).to_be_focused()
    page.keyboard.type("typed")
    page.keyboard.press("Enter")
    expect(messages(page)).to_have_text(["typed"])
    expect(page.locator("#text")).to_be_focused()
    expect(link).to_have_attribute("aria-current", "page")
    page.get_by_role("button", name="New message").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("To whom?")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="New message")).to_be_focused()
