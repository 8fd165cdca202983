"""The tabs of a browser share one connection, whichever of them has it."""

import pytest
from playwright.sync_api import expect

from tests.browser.chat import LIVE, be_signed_in
from tests.browser.inbox import PATH, expect_unread, row, titles
from tests.browser.wire import Wire

pytestmark = pytest.mark.chromium
pytest_plugins = ["tests.browser.chat", "tests.browser.inbox"]


def test_three_tabs_have_one_connection_and_show_the_same(post, open_inbox):
    pia = post.person("pia")
    post.send_titles(pia, "one", "two")
    first = open_inbox(pia)
    tabs = [first, open_inbox(pia, first.context), open_inbox(pia, first.context)]
    post.wait_for_connections(1)
    elsewhere = open_inbox(pia)
    post.wait_for_connections(2)
    post.send(pia, title="three")
    everywhere = [*tabs, elsewhere]
    for page in everywhere:
        expect(titles(page)).to_have_text(["three", "two", "one"])
        expect_unread(page, 3)
    # In a tab that follows, in the one that leads, and on another device.
    for page, title, left in ((tabs[1], "one", 2), (tabs[0], "two", 1), (elsewhere, "three", 0)):
        row(page, title).get_by_role("button", name="Mark read").click()
        for other in everywhere:
            expect(row(other, title).get_by_role("button", name="Mark unread")).to_be_visible()
            expect_unread(other, left)
    assert post.unread(pia) == 0
    post.send(pia, title="four")
    tabs[2].get_by_role("button", name="Mark all read").click()
    for page in everywhere:
        expect(row(page, "four").get_by_role("button", name="Mark unread")).to_be_visible()
        expect_unread(page, 0)
    post.wait_for_connections(2)
    # Each tab has a filter of its own.
    post.send(pia, type="task", title="five")
    tabs[1].get_by_role("button", name="task").click()
    expect(titles(tabs[1])).to_have_text(["five"])
    expect(titles(tabs[0])).to_have_count(5)

    with tabs[1].expect_response("**/auth/logout"):
        tabs[1].get_by_role("button", name="Sign out").click()
    for page in (tabs[0], tabs[2]):
        expect(page.locator("#sign-in-problem")).to_have_text("You have signed out in another tab.")
    expect(elsewhere.locator("#sign-in-problem")).to_contain_text("the token is not valid any more")
    post.wait_for_connections(0)


def test_when_the_tab_that_leads_is_closed_the_next_goes_on_and_misses_nothing(post, open_inbox):
    quin = post.person("quin")
    tabs = [open_inbox(quin)]
    second = tabs[0].context.new_page()
    wire = Wire(second, PATH)
    second.goto(post.url)
    expect(second.locator("live-state")).to_have_text(LIVE)
    tabs += [second, *(open_inbox(quin, second.context) for _ in range(2))]
    sent = []
    while len(tabs) > 1:
        leader = tabs.pop(0)
        for number in range(4):
            if number == 2:
                leader.close()
            sent.append(f"{len(tabs)}.{number}")
            post.send(quin, title=sent[-1])
        for page in tabs:
            expect(titles(page)).to_have_text(sent[::-1])
            expect(page.locator("live-state")).to_have_text(LIVE)
            expect_unread(page, len(sent))
        post.wait_for_connections(1)
    assert [frame["command"] for frame in wire.sent[:2]] == ["authentication", "getMyNotifications"]
    assert "since" in wire.sent[1]["options"]["params"]
    row(tabs[0], sent[0]).get_by_role("button", name="Mark read").click()
    expect_unread(tabs[0], len(sent) - 1)


def test_a_tab_that_is_frozen_loses_the_lead_and_follows_when_it_wakes(post, open_inbox):
    rex = post.person("rex")
    leader = open_inbox(rex)
    follower = leader.context.new_page()
    follower.clock.install()
    follower.goto(post.url)
    expect(follower.locator("live-state")).to_have_text(LIVE)
    # It keeps the lock, and says nothing to anybody.
    leader.evaluate("""() => {
      window.post = BroadcastChannel.prototype.postMessage;
      BroadcastChannel.prototype.postMessage = () => {};
    }""")
    post.send(rex, title="news")
    expect(titles(leader)).to_have_text(["news"])
    # Somebody comes back to the other tab.
    follower.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    follower.clock.run_for(2_500)
    expect(follower.get_by_text("There are no notifications here.")).to_be_visible()
    follower.clock.run_for(500)
    expect(titles(follower)).to_have_text(["news"])
    leader.evaluate("""() => {
      BroadcastChannel.prototype.postMessage = window.post;
      document.dispatchEvent(new Event("visibilitychange"));
    }""")
    post.wait_for_connections(1)
    row(leader, "news").get_by_role("button", name="Mark read").click()
    for page in (leader, follower):
        expect(page.locator("live-state")).to_have_text(LIVE)
        expect_unread(page, 0)


# Whoever has lost the lead does not know it before `learn()`.
LEARN_LATE = """(() => {
  const request = LockManager.prototype.request;
  LockManager.prototype.request = async function (...options) {
    try {
      return await request.apply(this, options);
    } catch (error) {
      await new Promise((resolve) => (window.learn = resolve));
      throw error;
    }
  };
})()"""


def test_who_lost_the_lead_without_knowing_fetches_what_was_told_meanwhile(post, open_inbox, new_context):
    tina = post.person("tina")
    post.send(tina, title="task")
    old = new_context().new_page()
    be_signed_in(old, tina)
    old.add_init_script(LEARN_LATE)
    wire = Wire(old, PATH)
    old.goto(post.url)
    expect(row(old, "task").get_by_role("button", name="Mark read")).to_be_visible()
    new = old.context.new_page()
    new.clock.install()
    new.goto(post.url)
    expect(titles(new)).to_have_text(["task"])
    old.evaluate("""() => {
      window.post = BroadcastChannel.prototype.postMessage;
      BroadcastChannel.prototype.postMessage = () => {};
    }""")
    new.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    new.clock.run_for(3_000)
    post.wait_for_connections(2)
    expect(new.locator("live-state")).to_have_text(LIVE)
    # Two believe that they lead. The old one hears nothing of its server any more.
    wire.mute = True
    post.mark(tina, "read", "task")
    expect(row(new, "task").get_by_role("button", name="Mark unread")).to_be_visible()
    expect(row(old, "task").get_by_role("button", name="Mark read")).to_be_visible()
    old.evaluate("""() => {
      BroadcastChannel.prototype.postMessage = window.post;
      window.learn();
    }""")
    expect(row(old, "task").get_by_role("button", name="Mark unread")).to_be_visible()
    expect_unread(old, 0)
    post.wait_for_connections(1)


def test_one_who_only_says_that_it_leads_is_followed_no_longer_than_the_leader_is_silent(post, open_inbox):
    ulla = post.person("ulla")
    leader = open_inbox(ulla)
    follower = open_inbox(ulla, leader.context)
    # Nobody looks at it: it asks nobody by itself.
    follower.evaluate("Object.defineProperty(document, 'hidden', { get: () => true })")
    ghost = {"leader": "ghost", "me": None, "unread": [["", 0]], "lastId": "0"}
    live = {"state": "live", "since": 0, "wasLive": True, "retryAt": 0, "lastClose": None}
    lie = {"id": "1", "type": "lie", "title": "lie", "body": "", "status": "read", "createdAt": ""}
    say = f"""(message) => {{
      const channel = new BroadcastChannel("foyer.notifications:{ulla.token}");
      message.unread &&= new Map(message.unread);
      channel.postMessage(message);
    }}"""
    # From one that is not known to lead: passed over.
    leader.evaluate(say, {"kind": "told", "leader": "ghost", "type": "news", "detail": lie})
    post.send(ulla, title="one")
    for page in (leader, follower):
        expect(titles(page)).to_have_text(["one"])
    # The word of one that has lost the lead may come last.
    leader.evaluate(say, {"kind": "here", "state": live, **ghost})
    post.send_titles(ulla, "two", "three")
    for page in (leader, follower):
        expect(titles(page)).to_have_text(["three", "two", "one"])
        expect_unread(page, 3)
    post.wait_for_connections(1)


def test_a_tab_of_another_user_follows_nobody_of_the_first(post, open_inbox):
    viv, wim = post.person("viv"), post.person("wim")
    post.send(viv, title="for Viv")
    post.send(wim, title="for Wim")
    first = open_inbox(viv)
    # Signed in as somebody else, before the first tab hears of it.
    second = first.context.new_page()
    be_signed_in(second, wim)
    second.goto(post.url)
    expect(titles(second)).to_have_text(["for Wim"])
    expect(second.locator("#me-name")).to_have_text("wim")
    expect(titles(first)).to_have_text(["for Viv"])
    post.wait_for_connections(2)


def test_a_leader_that_freezes_is_noticed_by_a_tab_that_is_only_looked_at(post, open_inbox):
    yves = post.person("yves")
    leader = open_inbox(yves)
    follower = leader.context.new_page()
    follower.clock.install()
    follower.goto(post.url)
    expect(follower.get_by_text("There are no notifications here.")).to_be_visible()
    leader.evaluate("BroadcastChannel.prototype.postMessage = setTimeout = () => 0")
    post.send(yves, title="news")
    expect(titles(leader)).to_have_text(["news"])
    follower.clock.run_for(18_000)
    expect(titles(follower)).to_have_text(["news"])


def test_without_locks_each_tab_has_a_connection_of_its_own(post, open_inbox, new_context):
    sam = post.person("sam")
    post.send(sam, title="one")
    context = new_context()
    context.add_init_script("Object.defineProperty(navigator, 'locks', { value: undefined })")
    context.add_init_script(f"if (location.host) localStorage.setItem('foyer.token', '{sam.token}')")
    tabs = [open_inbox(sam, context) for _ in range(2)]
    post.wait_for_connections(2)
    row(tabs[0], "one").get_by_role("button", name="Mark read").click()
    for page in tabs:
        expect_unread(page, 0)
        expect(row(page, "one").get_by_role("button", name="Mark unread")).to_be_visible()
