"""The chat page, used as people use it: signing in, finding channels and each other, reading and writing."""

import re

import pytest
from playwright.sync_api import Route, expect

from tests.browser.chat import DIRECT, LIVE, PASSWORD, QUESTION, messages, write

pytestmark = pytest.mark.chromium
pytest_plugins = ["tests.browser.chat"]


def test_registering_signing_in_and_out_with_errors_in_the_servers_words(page, chat, complaints):
    complaints.expect("40[0139]")
    page.goto(chat.url)
    expect(page.locator("live-state")).to_contain_text("Signed out")
    username, password = page.get_by_label("User name"), page.get_by_label("Password")
    expect(username).to_be_focused()
    username.fill("rita")
    password.fill("wrong")
    page.keyboard.press("Enter")
    expect(page.locator("#sign-in-problem")).to_have_text("Invalid username or password!")

    page.get_by_role("button", name="Register").click()
    page.get_by_label("Name, as others see it").fill("Rita the First")
    page.get_by_role("button", name="Register").click()
    expect(page.locator("#password-error")).to_contain_text("This password is too short.")
    expect(password).to_be_focused()
    expect(password).to_have_attribute("aria-invalid", "true")
    password.fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("live-state")).to_have_text(LIVE)
    expect(page.locator("#latency")).to_have_text(re.compile(r"^\d+ ms$"))
    expect(page.locator("#me-name")).to_have_text("Rita the First")
    expect(page.locator("#mine-empty")).to_be_visible()

    page.reload()
    expect(page.locator("#me-name")).to_have_text("Rita the First")
    token = page.evaluate("localStorage.getItem('foyer.token')")
    with page.expect_response("**/auth/logout"):
        page.get_by_role("button", name="Sign out").click()
    expect(page.locator("live-state")).to_contain_text("Signed out")
    expect(page.locator("#latency")).to_have_text("–")
    assert page.evaluate("localStorage.getItem('foyer.token')") is None
    assert chat.api.get("users/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    expect(password).to_have_value("")
    password.fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#me-name")).to_have_text("Rita the First")


def test_two_people_talk_in_a_question_and_in_a_direct_message(chat, open_chat):
    ann, ben = chat.person("ann"), chat.person("ben")
    anns, bens = open_chat(ann), open_chat(ben)
    anns.get_by_role("button", name="New channel").click()
    anns.get_by_role("button", name="Open it").click()
    expect(anns.locator("#channel-title-error")).to_contain_text("It needs a title")
    anns.get_by_label("Title", exact=True).fill("Which way to the lift?")
    anns.get_by_label("Description").fill("I am at the back door.")
    anns.keyboard.press("Tab")
    anns.get_by_role("button", name="Open it").click()
    expect(anns.get_by_role("heading", name="Which way to the lift?")).to_be_visible()
    expect(anns.locator("#conversation-description")).to_have_text("I am at the back door.")
    expect(anns.locator("#text")).to_be_focused()
    write(anns, "Anybody?")
    expect(anns.locator("#text")).to_have_value("")

    # Ben finds it, reads along, and is in it as soon as he answers.
    bens.locator("#discover").evaluate("(details) => (details.open = true)")
    bens.get_by_label("Find by title or topic").fill("way to the LIFT")
    bens.locator("#discover-list").get_by_role("link", name="Which way to the lift?").click()
    expect(messages(bens)).to_have_text(["Anybody?"])
    expect(bens.get_by_role("button", name="Join", exact=True)).to_be_visible()
    write(anns, "Hello?")
    bens.locator("#text").fill("Left, then left again.")
    bens.get_by_role("button", name="Answer").click()
    talk = ["Anybody?", "Hello?", "Left, then left again."]
    for page in (anns, bens):
        expect(messages(page)).to_have_text(talk)
        expect(page.locator("#messages .badge:visible")).to_have_text("Answer")
        expect(page.locator(".chat-message__author").last).to_have_text("ben")
    expect(bens.locator("#discover-list")).not_to_contain_text("Which way to the lift?")
    expect(anns.locator("#announcements")).to_have_text("ben: Left, then left again.")

    # Ann writes to Ben alone; his page tells, wherever he is.
    anns.get_by_role("button", name="New message").click()
    anns.get_by_label("To whom?").fill("be")
    anns.locator("#people").get_by_role("button", name="ben @ben").click()
    expect(anns.get_by_role("heading", name="ben", exact=True)).to_be_visible()
    expect(anns.get_by_role("button", name="Answer")).to_be_hidden()
    expect(anns.locator("#text")).to_be_focused()
    anns.keyboard.type("Thank you")
    anns.keyboard.press("Shift+Enter")
    anns.keyboard.type("so much")
    anns.keyboard.press("Enter")
    link = bens.locator("#mine").get_by_role("link", name="ann")
    expect(link.locator(".badge")).to_be_visible()
    expect(bens).to_have_title("(1) Chat – Foyer")
    expect(bens.locator("#announcements")).to_contain_text("ann in ann: Thank you")
    link.click()
    expect(messages(bens)).to_have_text(["Thank you\nso much"], use_inner_text=True)
    expect(link.locator(".badge")).to_be_hidden()
    expect(bens).to_have_title("Chat – Foyer")
    write(bens, "Any time.")
    expect(messages(anns)).to_have_text(["Thank you so much", "Any time."])

    # Nobody has two direct messages with the same person, and a reload leaves everything as it was.
    anns.get_by_role("button", name="New message").click()
    anns.get_by_label("To whom?").fill("ben")
    anns.locator("#people").get_by_role("button", name="ben @ben").click()
    expect(anns.locator("dialog[open]")).to_have_count(0)
    found = ann.ask("GET", "channels", params={"mine": "true"})["channels"]
    assert [channel["type"] for channel in found].count(DIRECT) == 1
    bens.reload()
    expect(messages(bens)).to_have_text(["Thank you so much", "Any time."])
    expect(bens.locator("#mine .badge:visible")).to_have_count(0)


HOSTILE = [
    "<img src=x onerror=alert(1)> <script>alert(2)</script> &amp; ${x} {{ y }}",
    "\u202e siht daer yam uoy\u202c مرحبا\nleft to right",
    "W" * 4_000,
    "😀" * 4_000,
]


def test_whatever_others_wrote_is_shown_as_text(chat, open_chat):
    ann, ben = chat.person("ann"), chat.person("ben")
    title = "<b>Bold</b> " + "Donaudampfschifffahrt" * 8
    channel = ben.open_channel(title=title, description=HOSTILE[0], streamURL="https://example.org/<b>")
    for text in HOSTILE:
        ben.post(channel, text)
    for width in (1280, 390):
        page = open_chat(ann, channel, viewport={"width": width, "height": 844})
        expect(messages(page)).to_have_text(HOSTILE)
        assert page.locator("#conversation :is(b, img, script)").count() == 0
        expect(page.locator("#conversation-title")).to_have_text(title)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.locator("#scroll").evaluate("(box) => box.scrollWidth <= box.clientWidth")
    stream = page.get_by_role("link", name="example.org")
    assert stream.get_attribute("href") == "https://example.org/<b>"
    assert stream.get_attribute("rel") == "noopener noreferrer nofollow"
    # An address that is none of the web is a text.
    page.goto(f"{chat.url}#{ben.open_channel(title='Files', streamURL='ftp://example.org/')}")
    expect(page.locator("#conversation-stream")).to_have_text("Stream: ftp://example.org/")
    expect(page.locator("#conversation-stream a")).to_have_count(0)


def test_a_long_history_comes_as_one_scrolls_up_and_stays_where_one_reads(chat, open_chat):
    ann, ben = chat.person("ann"), chat.person("ben")
    channel = ann.open_channel(title="Long")
    texts = [f"number {number}" for number in range(70)]
    for text in texts:
        ann.post(channel, text)
    page = open_chat(ann, channel)
    expect(messages(page)).to_have_text(texts[-50:])
    scroll = page.locator("#scroll")
    gap = "(box) => box.scrollHeight - box.clientHeight - box.scrollTop"
    assert scroll.evaluate(gap) < 2
    scroll.evaluate("(box) => (box.scrollTop = 1)")
    expect(messages(page)).to_have_text(texts)
    expect(page.get_by_role("button", name="Show older messages")).to_be_hidden()
    expect(page.get_by_text("number 20", exact=True)).to_be_in_viewport()
    expect(page.get_by_text("number 0", exact=True)).not_to_be_in_viewport()
    ben.post(channel, "news")
    expect(page.get_by_role("button", name="New messages")).to_be_visible()
    expect(page.get_by_text("number 20", exact=True)).to_be_in_viewport()
    page.get_by_role("button", name="New messages").click()
    expect(page.get_by_text("news", exact=True)).to_be_in_viewport()
    expect(page.get_by_role("button", name="New messages")).to_be_hidden()


def test_days_are_told_apart_and_what_is_said_in_one_breath_stands_together(chat, open_chat):
    ann = chat.person("ann")
    channel = ann.open_channel(title="Days")
    minute = 60_000
    at = [1_790_000_000_000 + offset for offset in (0, 1_000, 5 * minute, 3 * 1_440 * minute)]
    posts = [
        {
            "id": str(10**18 + i),
            "channel_id": channel,
            "author": ann.id,
            "type": 0,
            "content": f"{i}",
            "timestamp": t,
        }
        for i, t in enumerate(at)
    ]
    page = open_chat(ann, timezone_id="Asia/Kolkata")
    page.route("**/posts*", lambda route: route.fulfill(json={"success": True, "posts": posts}))
    page.goto(f"{chat.url}#{channel}")
    expect(page.locator(".chat-day")).to_have_text(
        ["Monday, 21 September 2026", "Thursday, 24 September 2026"]
    )
    expect(page.locator("#messages time")).to_have_text(["19:43", "19:43", "19:48", "19:43"])
    expect(page.locator(".chat-message--goes-on .chat-message__text")).to_have_text("1")


def test_a_text_is_kept_until_it_is_posted_and_posted_once(chat, open_chat, complaints):
    complaints.expect("ERR_FAILED")
    ann = chat.person("ann")
    channel = ann.open_channel(QUESTION, title="Patience")
    page = open_chat(ann, channel)
    text, problem = page.locator("#text"), page.locator("#composer-problem")
    page.route("**/posts", lambda route: route.abort())
    write(page, "one")
    expect(problem).to_have_text("Not posted: The server cannot be reached. Your text is kept.")
    expect(text).to_have_value("one")
    expect(text).to_have_attribute("aria-invalid", "true")
    page.unroute("**/posts")
    text.press("Enter")
    expect(text).to_have_value("")
    expect(messages(page)).to_have_text(["one"])

    # The answer is lost, but what was posted is heard of.
    def lose_the_answer(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/posts", lose_the_answer)
    write(page, "two")
    expect(messages(page)).to_have_text(["one", "two"])
    expect(text).to_have_value("")
    expect(problem).to_be_empty()
    page.unroute("**/posts")

    write(page, "x" * 4_001)
    expect(problem).to_have_text("A message has at most 4,000 characters; this has 1 more.")
    expect(page.locator("#count")).to_have_text("4,001 of 4,000 characters.")
    # What one has begun is kept with its channel.
    page.evaluate("location.hash = ''")
    expect(page.locator("#conversation")).to_be_hidden()
    page.go_back()
    expect(text).to_have_value("x" * 4_001)
    write(page, "three")
    expect(messages(page)).to_have_text(["one", "two", "three"])
    assert ann.posts(channel) == ["one", "two", "three"]
