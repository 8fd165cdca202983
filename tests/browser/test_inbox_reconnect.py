"""The inbox over connections that are lost, servers that restart, and answers that are refusals."""

import json
from contextlib import closing

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.chat import LIVE, be_signed_in
from tests.browser.inbox import PATH, Post, expect_unread, row, titles
from tests.browser.wire import Wire
from tests.e2e.servers import until

pytestmark = pytest.mark.chromium
pytest_plugins = ["tests.browser.chat", "tests.browser.inbox"]


def on_a_wire(page: Page, post: Post, name: str) -> Wire:
    """Open the inbox of a new person on it."""
    be_signed_in(page, post.person(name))
    wire = Wire(page, PATH)
    page.goto(post.url)
    expect(page.locator("live-state")).to_have_text(LIVE)
    expect(page.get_by_text("There are no notif")).to_be_visible()
    return wire


def test_what_was_sent_while_the_connection_was_cut_comes_once_and_in_order(page, post):
    wire = on_a_wire(page, post, "tom")
    tom = post.person("tom")
    for title in ("0", "1"):
        post.send(tom, title=title)
        expect(page.locator("#announcements")).to_have_text(f"news: {title}")
    expect(titles(page)).to_have_text(["1", "0"])
    wire.down = True
    wire.cut()
    expect(page.locator("live-state")).to_contain_text("Not live since")
    post.send_titles(tom, "2", "3", "4")
    post.mark(tom, "read", "0")
    wire.sent.clear()
    wire.down = False
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(titles(page)).to_have_text(["4", "3", "2", "1", "0"])
    expect_unread(page, 4)
    expect(row(page, "0").get_by_role("button", name="Mark unread")).to_be_visible()
    expect(page.locator("#announcements")).to_have_text("3 new notifications.")
    assert [frame["command"] for frame in wire.sent[:2]] == ["authentication", "getMyNotifications"]
    assert "since" in wire.sent[1]["options"]["params"]

    # What another service says to the subscription: to fetch it again, or something that is no notification.
    subscription = next(frame["event"] for frame in wire.came if isinstance(frame["payload"], list))
    wire.mute = True
    wire.came.clear()
    post.mark(tom, "read", "4")
    until(lambda: page.evaluate("1") and wire.came, within_s=10, what="hearing of the mark")
    wire.mute = False
    for nonsense in (None, "news", {"id": 5}, [], {"id": "7", "type": "x", "status": 1}):
        post.update(subscription, nonsense)
    post.update(subscription, reload=True)
    expect(row(page, "4").get_by_role("button", name="Mark unread")).to_be_visible()
    expect_unread(page, 3)
    expect(titles(page)).to_have_count(5)


def test_marks_over_a_lost_connection_are_made_after_it_but_having_seen_is_not_having_read(page, post):
    wire = on_a_wire(page, post, "una-t")
    una = post.person("una-t")
    wire.lost = lambda frame: frame["command"] == "updateNotifications"
    post.send_titles(una, "seen", "read")
    until(lambda: page.evaluate("1") and wire.lost(wire.sent[-1]), within_s=10, what="marking as seen")
    wire.lost = lambda frame: False
    wire.down = wire.mute = True
    # On another device one goes further with it; the mark that was lost says less, and later.
    post.mark(una, "read", "seen")
    wire.cut()
    expect(page.locator("live-state")).to_contain_text("Not live since")
    row(page, "read").get_by_role("button", name="Mark read").click()
    wire.down = False
    page.evaluate("dispatchEvent(new Event('online'))")
    expect_unread(page, 0)
    expect(row(page, "read").get_by_role("button", name="Mark unread")).to_be_visible()
    expect(row(page, "seen").get_by_role("button", name="Mark unread")).to_be_visible()
    assert post.statuses(una) == {"seen": "read", "read": "read"}


def test_a_connection_that_only_looks_open_is_made_anew(page, post):
    page.clock.install()
    wire = on_a_wire(page, post, "uma")
    uma = post.person("uma")
    wire.mute = True
    post.send(uma, title="missed")
    page.clock.run_for(50_000)
    expect(titles(page)).to_have_text(["missed"])
    expect(page.locator("live-state")).to_have_text(LIVE)
    assert [frame["command"] for frame in wire.sent].count("authentication") == 2


def test_many_who_look_at_once_are_no_outage(page, post):
    wire = on_a_wire(page, post, "udo")
    udo = post.person("udo")
    wire.mute = True
    for _ in range(5):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    wire.mute = False
    post.send(udo, title="still here")
    expect(titles(page)).to_have_text(["still here"])
    assert [frame["command"] for frame in wire.sent].count("authentication") == 1


def test_what_the_server_refuses_is_said_in_its_words_and_changes_nothing(page, post):
    vera = post.person("vera")
    post.send(vera, title="one")
    be_signed_in(page, vera)
    words = "One of these is no notification of yours."

    def connect(route: WebSocketRoute) -> None:
        server = route.connect_to_server()

        def to_server(message: str | bytes) -> None:
            frame = json.loads(message)
            if frame["options"].get("status") == "read":
                payload = {"error": [], "message": words}
                answer = {"rid": frame["rid"], "event": frame["command"], "status": "error"}
                route.send(json.dumps({**answer, "payload": payload}))
            else:
                server.send(message)

        route.on_message(to_server)

    page.route_web_socket(f"**{PATH}", connect)
    page.goto(post.url)
    row(page, "one").get_by_role("button", name="Mark read").click()
    expect(page.get_by_role("alert").get_by_text(words)).to_have_text(f"Not marked: {words}")
    expect(row(page, "one").get_by_role("button", name="Mark read")).to_be_focused()
    expect_unread(page, 1)
    assert post.unread(vera) == 1


def test_a_server_that_restarts_loses_nothing_and_repeats_nothing(page, own_server, complaints):
    complaints.expect("WebSocket connection to|ERR_CONNECTION|ERR_EMPTY_RESPONSE|ERR_SOCKET")
    with closing(Post(own_server)) as post:
        ann = post.person("ann")
        be_signed_in(page, ann)
        page.goto(post.url)
        expect(page.locator("live-state")).to_have_text(LIVE)
        follower = page.context.new_page()
        follower.goto(post.url)
        post.send(ann, title="0")
        for tab in (page, follower):
            expect(titles(tab)).to_have_text(["0"])
        own_server.stop()
        for tab in (page, follower):
            expect(tab.locator("live-state")).to_contain_text("Not live since")
        own_server.start()
        # Whoever is faster: what the page has not seen comes either way.
        post.send_titles(ann, "1", "2", "3")
        for tab in (page, follower):
            expect(tab.locator("live-state")).to_have_text(LIVE, timeout=40_000)
            expect(titles(tab)).to_have_text(["3", "2", "1", "0"])
            expect_unread(tab, 4)
        post.close()
