"""The inbox, used as people use it: signing in, reading, marking, and finding what is old."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chat import LIVE, PASSWORD
from tests.browser.inbox import expect_unread, row, titles
from tests.e2e.servers import until

pytestmark = pytest.mark.chromium
pytest_plugins = ["tests.browser.chat", "tests.browser.inbox"]


def test_who_signs_in_or_out_in_one_tab_does_so_in_all_of_them(page, post, complaints):
    complaints.expect("40[13]")
    ida = post.person("ida")
    page.goto(post.url)
    expect(page.locator("live-state")).to_contain_text("Signed out")
    chat = page.context.new_page()
    chat.goto(post.chat_url)
    page.get_by_label("User name").fill("ida")
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.locator("#sign-in-problem")).to_have_text("Invalid username or password!")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#me-name")).to_have_text("ida")
    expect(chat.locator("#me-name")).to_have_text("ida")
    expect(page.get_by_text("There are no notifications here.")).to_be_visible()
    page.reload()
    expect(page.locator("live-state")).to_have_text(LIVE)

    with chat.expect_response("**/auth/logout"):
        chat.get_by_role("button", name="Sign out").click()
    expect(page.locator("#sign-in-problem")).to_have_text("You have signed out in another tab.")
    expect(page.locator("#inbox")).to_be_hidden()
    expect(page.locator("#bell")).to_be_hidden()
    expect(page.locator("live-state")).to_contain_text("Signed out")
    assert page.evaluate("localStorage.length") == 0
    post.wait_for_connections(0)

    # The server ends it, and says why.
    page.get_by_label("User name").fill("ida")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("live-state")).to_have_text(LIVE)
    token = page.evaluate("localStorage.getItem('foyer.token')")
    ida.api.post("auth/logout", headers={"Authorization": f"Bearer {token}"})
    for tab in (page, chat):
        expect(tab.locator("#sign-in-problem")).to_contain_text("the token is not valid any more")
    # A token that was never any: in the words of the server.
    page.evaluate("localStorage.setItem('foyer.token', 'nonsense')")
    page.reload()
    expect(page.locator("#sign-in-problem")).to_contain_text("Invalid access token")


def test_what_comes_is_there_at_once_and_is_read_when_it_is_opened(post, open_inbox):
    jan = post.person("jan")
    post.send(jan, type="task", title="First", body="1\n2\n3\n4", data={"room": 4, "of": ["a", "b"]})
    page = open_inbox(jan)
    expect_unread(page, 1)
    post.send(jan, title="The lift is repaired")
    expect(titles(page)).to_have_text(["The lift is repaired", "First"])
    expect_unread(page, 2)
    expect(page.locator("#announcements")).to_have_text("news: The lift is repaired")
    expect(page.locator("#items time").first).to_have_text(re.compile(r"^\d\d:\d\d$"))

    first = row(page, "First")
    expect(first.locator(".inbox-item__unread")).to_be_visible()
    expect(first.locator(".inbox-item__new")).to_be_visible()
    first.get_by_role("button", name="First", exact=False).first.click()
    expect_unread(page, 1)
    assert post.statuses(jan)["First"] == "read"
    expect(first.locator(".inbox-item__unread")).to_be_hidden()
    expect(first.locator(".inbox-item__new")).to_be_hidden()
    expect(first.locator(".inbox-item__exact-time")).to_contain_text("at")
    first.get_by_text("Data").click()
    expect(first.locator("pre")).to_have_text('{\n  "room": 4,\n  "of": [\n    "a",\n    "b"\n  ]\n}')
    expect(row(page, "The lift is repaired").locator("details")).to_be_hidden()

    first.get_by_role("button", name="Mark unread").click()
    expect_unread(page, 2)
    expect(first.get_by_role("button", name="Mark read")).to_be_focused()
    assert post.statuses(jan)["First"] == "unread"
    post.mark(jan, "read", "The lift is repaired")
    expect_unread(page, 1)
    expect(row(page, "The lift is repaired").get_by_role("button", name="Mark unread")).to_be_visible()
    page.get_by_role("button", name="Mark all read").click()
    expect_unread(page, 0)
    expect(page.locator(".inbox-item__unread:visible")).to_have_count(0)
    assert post.unread(jan) == 0


def test_seen_is_what_was_in_the_window_while_somebody_looked(post, open_inbox):
    kai = post.person("kai")
    post.send_titles(kai, *(f"{number}" for number in range(20)))
    page = open_inbox(kai, viewport={"width": 800, "height": 500})
    page.clock.install()
    expect(titles(page)).to_have_count(20)
    expect_unread(page, 20)

    def unseen() -> set[str]:
        return {title for title, status in post.statuses(kai).items() if status == "unseen"}

    until(lambda: "19" not in unseen(), within_s=10, what="seeing the newest")
    assert "0" in unseen(), "nobody has scrolled there"
    row(page, "0").scroll_into_view_if_needed()
    until(lambda: "0" not in unseen(), within_s=10, what="seeing the oldest")
    expect_unread(page, 20)

    hide(page, hidden=True)
    page.evaluate("scrollTo(0, 0)")
    post.send(kai, title="Nobody is here")
    expect_unread(page, 21)
    expect(row(page, "Nobody is here")).to_be_in_viewport()
    page.clock.run_for(1_000)
    # Marks are made one after the other: when this one is, there was none before it.
    row(page, "19").get_by_role("button", name="Mark read").click()
    expect_unread(page, 20)
    assert unseen() >= {"Nobody is here"}
    hide(page, hidden=False)
    until(lambda: "Nobody is here" not in unseen(), within_s=10, what="seeing what came meanwhile")


def hide(page: Page, *, hidden: bool) -> None:
    """As if another tab were in front."""
    page.evaluate(
        """(hidden) => {
          Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


def test_older_ones_come_as_one_scrolls_and_new_ones_leave_the_reader_where_they_are(post, open_inbox):
    lea = post.person("lea")
    names = [f"number {number}" for number in range(65)]
    post.send_titles(lea, *names)
    page = open_inbox(lea)
    expect(titles(page)).to_have_text(names[:-31:-1])
    while titles(page).count() < 65:
        count = titles(page).count()
        titles(page).last.scroll_into_view_if_needed()
        expect(titles(page).nth(count)).to_be_attached()
    expect(titles(page)).to_have_text(names[::-1])
    expect(page.locator("#older")).to_be_hidden()
    row(page, "number 20").scroll_into_view_if_needed()
    before = row(page, "number 20").bounding_box()
    post.send(lea, title="news")
    jump = page.get_by_role("button", name="New notifications")
    jump.wait_for()
    expect(titles(page)).to_have_count(66)
    assert abs(row(page, "number 20").bounding_box()["y"] - before["y"]) < 2
    jump.click()
    expect(row(page, "news")).to_be_in_viewport()
    expect(jump).to_be_hidden()
    expect(page.locator("#inbox-title")).to_be_focused()
    # More than are told one by one were marked elsewhere.
    until(lambda: post.statuses(lea)["news"] == "unread", within_s=10, what="seeing the newest")
    post.mark(lea, "read")
    expect_unread(page, 0)
    expect(page.locator(".inbox-item__unread:visible")).to_have_count(0)


def test_one_type_alone_with_its_count(post, open_inbox):
    mia = post.person("mia")
    for kind, title in (("news", "n1"), ("task", "t1"), ("news", "n2"), ("offer", "o1")):
        post.send(mia, type=kind, title=title)
    page = open_inbox(mia)
    buttons = page.get_by_role("group", name="Types to show").get_by_role("button")
    expect(buttons).to_have_text(["All 4 unread", "news 2 unread", "offer 1 unread", "task 1 unread"])
    page.get_by_role("button", name="news").click()
    expect(titles(page)).to_have_text(["n2", "n1"])
    expect(page.get_by_role("button", name="news 2 unread")).to_have_attribute("aria-pressed", "true")
    post.send(mia, type="task", title="t2")
    expect(buttons).to_have_text(["All 5 unread", "news 2 unread", "offer 1 unread", "task 2 unread"])
    post.send(mia, type="news", title="n3")
    post.send(mia, type="poll", title="p1")
    expect(titles(page)).to_have_text(["n3", "n2", "n1"])
    expect(page.get_by_role("button", name="poll 1 unread")).to_be_visible()
    page.get_by_role("button", name="Mark all read of news").click()
    expect_unread(page, 4)
    expect(page.get_by_role("button", name="news", exact=True)).to_be_visible()
    assert {title for title, status in post.statuses(mia).items() if status == "read"} == {"n1", "n2", "n3"}
    page.get_by_role("button", name="All 4 unread").click()
    expect(titles(page)).to_have_text(["p1", "n3", "t2", "o1", "n2", "t1", "n1"])


HOSTILE = [
    "<img src=x onerror=alert(1)> <script>alert(2)</script> &amp; ${x} {{ y }}",
    "\u202e siht daer yam uoy\u202c مرحبا left to right",
    "W" * 200,
]


def test_whatever_others_send_is_shown_as_text(post, open_inbox):
    noa = post.person("noa")
    for text in HOSTILE:
        data = {text: ["</pre><b>", 1e300], "__proto__": {"toString": 1}}
        post.send(noa, type=text[:64], title=text, body=f"{text}\n" * 3, data=data)
    post.send(noa, type="__proto__")
    for width in (1280, 390):
        page = open_inbox(noa, viewport={"width": width, "height": 844})
        expect(titles(page)).to_have_text(["__proto__", *reversed(HOSTILE)])
        for summary in page.locator("#items summary:visible").all():
            summary.click()
        expect(page.locator("#items pre").last).to_contain_text('"</pre><b>"')
        assert page.locator("#inbox :is(b, img, script)").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
