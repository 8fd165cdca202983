"""The chat page over connections that are lost, servers that restart, and tokens that are revoked."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chat import LIVE, PASSWORD, Chat, be_signed_in, messages, write
from tests.browser.wire import Wire

pytestmark = pytest.mark.chromium
pytest_plugins = ["tests.browser.chat"]


def not_live(page: Page) -> None:
    expect(page.locator("live-state")).to_contain_text("Not live since")


def test_what_was_posted_while_the_connection_was_cut_comes_once_and_in_order(page, chat, complaints):
    ann, ben = chat.person("ann"), chat.person("ben")
    channel, other = ann.open_channel(title="Cut"), ann.open_channel(title="Another")
    for place in (channel, other):
        ben.join(place)
    be_signed_in(page, ann)
    wire = Wire(page, "/gateway/")
    page.goto(f"{chat.url}#{channel}")
    expect(page.locator("live-state")).to_have_text(LIVE)
    write(page, "0")
    expect(messages(page)).to_have_text(["0"])
    ben.post(channel, "1")
    expect(messages(page)).to_have_text(["0", "1"])
    wire.down = True
    wire.cut()
    not_live(page)
    expect(page.locator("#latency")).to_have_text("–")
    expect(page.locator("live-state")).to_contain_text(re.compile(r"trying again"))
    for number in range(2, 6):
        ben.post(channel, str(number))
    ben.post(other, "elsewhere")
    write(page, "6")  # posting needs no connection
    expect(page.locator("#text")).to_have_value("")
    wire.down = False
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("live-state")).to_have_text(LIVE)
    expect(messages(page)).to_have_text([str(number) for number in range(7)])
    expect(page.locator("#mine").get_by_role("link", name="Another").locator(".badge")).to_be_visible()
    identifies = [frame for frame in wire.sent if frame["op"] == 1]
    assert ["after" in frame for frame in identifies] == [False, True]

    # A heartbeat of the server is answered with its time.
    wire.say({"op": 10, "time": 1579276740336})
    ben.post(channel, "7")
    expect(messages(page)).to_have_count(8)
    assert {"op": 11, "time": 1579276740336} in wire.sent

    # More was missed than is told: what there is is fetched, and fetched again until that works.
    wire.mute = True
    ben.post(channel, "8")
    complaints.expect("ERR_FAILED")
    page.route("**/posts?*", lambda route: route.abort(), times=1)
    wire.say({"op": 4, "gap": True})
    expect(page.locator("#conversation-problem")).to_have_text("The server cannot be reached.")
    expect(messages(page)).to_have_text([str(number) for number in range(9)])
    expect(page.locator("#conversation-problem")).to_be_empty()


def test_each_way_the_server_ends_a_connection_has_its_consequence(page, chat):
    una, ben = chat.person("una"), chat.person("ben")
    channel = una.open_channel(title="Ends")
    be_signed_in(page, una)
    wire = Wire(page, "/gateway/")
    page.goto(f"{chat.url}#{channel}")
    live = page.locator("live-state")
    expect(live).to_have_text(LIVE)
    wire.cut(4002)
    expect(page.locator("live-state [role=status]")).to_have_text(re.compile("^Not live since"))
    expect(live).to_have_text(LIVE)
    # What the page did wrong it would do wrong again: somebody has to look.
    wire.cut(4001)
    expect(live).to_contain_text("by the test")
    ben.post(channel, "meanwhile")
    page.get_by_role("button", name="Connect again").click()
    expect(live).to_have_text(LIVE)
    expect(messages(page)).to_have_text(["meanwhile"])
    # The token is revoked: one signs in again, and goes on where one was, with what one had begun.
    page.locator("#text").fill("I was about to say")
    una.ask("POST", "auth/logout")
    expect(page.locator("#sign-in-problem")).to_contain_text("the token is not valid any more")
    expect(live).to_contain_text("Signed out")
    expect(page.locator("#chat")).to_be_hidden()
    page.get_by_label("User name").fill("una")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(messages(page)).to_have_text(["meanwhile"])
    expect(page.locator("#text")).to_have_value("I was about to say")


def test_a_connection_that_only_looks_open_is_made_anew(page, chat):
    ann, ben = chat.person("ann"), chat.person("ben")
    channel = ann.open_channel(title="Silence")
    be_signed_in(page, ann)
    wire = Wire(page, "/gateway/")
    page.clock.install()
    page.goto(f"{chat.url}#{channel}")
    expect(page.locator("#latency")).to_have_text(re.compile(r"^\d+ ms$"))
    ben.post(channel, "heard")
    expect(messages(page)).to_have_text(["heard"])
    wire.mute = True
    ben.post(channel, "missed")
    page.clock.run_for(25_000)
    expect(page.locator("#latency")).to_have_text(re.compile(r"^\d{5} ms$"))
    page.clock.run_for(20_000)
    expect(messages(page)).to_have_text(["heard", "missed"])
    assert [frame["op"] for frame in wire.sent].count(1) == 2


def test_a_server_that_restarts_loses_nothing_and_repeats_nothing(page, own_server, complaints):
    complaints.expect("WebSocket connection to|ERR_CONNECTION|ERR_EMPTY_RESPONSE|ERR_SOCKET")
    chat = Chat(own_server)
    ann, ben = chat.person("ann"), chat.person("ben")
    channel = ann.open_channel(title="Restart")
    ben.join(channel)
    be_signed_in(page, ann)
    page.goto(f"{chat.url}#{channel}")
    expect(page.locator("live-state")).to_have_text(LIVE)
    page.evaluate("window.notReloaded = true")
    ben.post(channel, "0")
    expect(messages(page)).to_have_text(["0"])
    own_server.stop()
    not_live(page)
    write(page, "unsent")
    expect(page.locator("#composer-problem")).to_contain_text(
        "The server cannot be reached. Your text is kept."
    )
    own_server.start()
    # Whoever is faster: what the page has not seen comes either way.
    for number in range(1, 4):
        ben.post(channel, str(number))
    expect(page.locator("live-state")).to_have_text(LIVE, timeout=40_000)
    expect(messages(page)).to_have_text(["0", "1", "2", "3"])
    page.locator("#text").press("Enter")
    expect(messages(page)).to_have_text(["0", "1", "2", "3", "unsent"])
    assert page.evaluate("window.notReloaded")
    assert ben.posts(channel) == ["0", "1", "2", "3", "unsent"]
    chat.close()
