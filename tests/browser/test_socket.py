"""LiveSocket and <live-state> in Chromium, with a socket of the test's making and time at its command."""

import pytest
from playwright.sync_api import Page

from realtime.close_codes import CloseCode, describe
from tests.browser.conftest import Installation

pytestmark = pytest.mark.chromium

# Sockets the test opens and closes by hand, and a `live` whose random number is always 1: every delay
# is the longest it can be.
_SET_UP = """async () => {
  const { LiveSocket } = await import("/static/realtime/socket.js");
  window.sockets = [];
  class FakeSocket {
    constructor(url) { this.url = String(url); this.sent = []; window.sockets.push(this); }
    send(text) { this.sent.push(text); }
    close(code) { this.closedWith = code ?? "none"; }
    open() { this.onopen?.(); }
    say(data) { this.onmessage?.({ data }); }
    end(code, reason = "") { this.onclose?.({ code, reason }); }
  }
  window.last = () => window.sockets.at(-1);
  const defaults = { WebSocket: FakeSocket, random: () => 1 };
  window.make = (url, options = {}) => new LiveSocket(url, { ...defaults, ...options });
  window.live = window.make("ws://test/");
}"""


@pytest.fixture
def console(page: Page, server: Installation) -> Page:
    """A page without a socket of its own, with time standing still and the fake sockets in place."""
    page.clock.install()
    page.goto(f"{server.url}/api/asyncapi/")
    page.clock.pause_at(page.evaluate("Date.now() + 1000"))
    page.evaluate(_SET_UP)
    return page


def retry_in_ms(console: Page) -> int:
    return console.evaluate("Math.round(live.retryAt - Date.now())")


def test_connects_and_is_live_since_the_moment_it_opened(console):
    assert console.evaluate("live.state") == "stopped"
    console.evaluate("live.start()")
    assert console.evaluate("[live.state, last().url, live.wasLive]") == ["connecting", "ws://test/", False]
    console.clock.run_for(700)
    console.evaluate("last().open()")
    assert console.evaluate("[live.state, live.since === Date.now(), live.wasLive]") == ["live", True, True]


def test_the_delays_double_up_to_the_cap(console):
    console.evaluate("live.start(), last().open()")
    delays = []
    for _ in range(8):
        console.evaluate("last().end(1006)")
        delays.append(retry_in_ms(console))
        console.clock.run_for(delays[-1])
    assert delays == [1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]


def test_the_jitter_is_full(console):
    console.evaluate("live = make('ws://test/', { random: () => 0.25 }), live.start(), last().end(1006)")
    assert retry_in_ms(console) == 250
    console.evaluate("live = make('ws://test/', { random: () => 0 }), live.start(), last().end(1006)")
    assert retry_in_ms(console) == 0


def test_a_stable_connection_starts_the_delays_over(console):
    console.evaluate("live.start()")
    for _ in range(3):
        console.evaluate("last().end(1006)")
        console.clock.run_for(retry_in_ms(console))
    console.evaluate("last().open()")
    console.clock.run_for(9_999)
    console.evaluate("last().end(1006)")
    assert retry_in_ms(console) == 8000, "it did not hold for long enough"
    console.clock.run_for(8000)
    console.evaluate("last().open()")
    console.clock.run_for(10_000)
    console.evaluate("last().end(1006)")
    assert retry_in_ms(console) == 1000


@pytest.mark.parametrize("code", [1001, 1012])
def test_a_restarting_server_is_tried_again_within_a_second_however_often_it_failed_before(console, code):
    console.evaluate("live = make('ws://test/', { baseDelayMs: 5000 }), live.start(), last().open()")
    console.evaluate(f"last().end({code})")
    assert retry_in_ms(console) == 1000
    console.clock.run_for(1000)
    console.evaluate("last().end(1006)")
    assert retry_in_ms(console) == 10_000, "it is not back yet: the usual delays"


def test_a_full_server_is_left_alone_for_longer(console):
    console.evaluate("live.start(), last().end(1013)")
    assert retry_in_ms(console) == 8000


def test_whether_it_comes_back_is_the_close_codes_decision(console):
    for code in [*CloseCode, 3000, 4000, 4999]:
        console.evaluate(
            "live.stop(), sockets.length = 0, live = make('ws://test/'), live.start(), last().open()"
        )
        console.evaluate(f"last().end({int(code)}, 'because')")
        reconnect = describe(code).reconnect
        assert console.evaluate("live.state") == ("waiting" if reconnect else "stopped"), code
        assert console.evaluate("live.lastClose") == {"code": int(code), "reason": "because"}
        console.clock.run_for(10_000)  # past the longest first delay, short of giving the attempt up
        assert console.evaluate("sockets.length") == (2 if reconnect else 1), code


def test_since_is_when_it_was_lost_however_many_attempts_fail(console):
    console.evaluate("live.start(), last().open()")
    console.clock.run_for(5_000)
    console.evaluate("window.lostAt = Date.now(), last().end(1006)")
    for _ in range(3):
        console.clock.run_for(retry_in_ms(console))
        assert console.evaluate("[live.state, live.since === lostAt]") == ["connecting", True]
        console.evaluate("last().end(1006)")
        assert console.evaluate("[live.state, live.since === lostAt]") == ["waiting", True]


def test_the_address_is_asked_for_again_for_each_attempt(console):
    console.evaluate("window.seen = 0, live = make(() => `ws://test/?since=${++seen}`), live.start()")
    console.evaluate("last().end(1006)")
    console.clock.run_for(1000)
    assert console.evaluate("sockets.map((s) => s.url)") == ["ws://test/?since=1", "ws://test/?since=2"]


@pytest.mark.parametrize(
    "event", ["dispatchEvent(new Event('online'))", "document.dispatchEvent(new Event('visibilitychange'))"]
)
def test_coming_back_online_or_into_view_tries_at_once(console, event):
    console.evaluate("live.start(), last().end(1006)")
    console.evaluate(event)
    assert console.evaluate("[live.state, sockets.length]") == ["connecting", 2]
    console.evaluate(event)
    assert console.evaluate("sockets.length") == 2, "an attempt is under way already"


def test_going_offline_closes_nothing(console):
    console.evaluate("live.start(), last().open(), dispatchEvent(new Event('offline'))")
    assert console.evaluate("[live.state, last().closedWith ?? null]") == ["live", None]


def test_silence_for_too_long_is_a_lost_connection(console):
    console.evaluate("live = make('ws://test/', { silenceMs: 5000 }), live.start(), last().open()")
    for _ in range(3):
        console.clock.run_for(4_000)
        console.evaluate("last().say('{}')")
    assert console.evaluate("live.state") == "live"
    console.clock.run_for(5_000)
    assert console.evaluate("[live.state, last().closedWith, live.lastClose.code]") == [
        "waiting",
        "none",
        1006,
    ]


def test_what_a_given_up_socket_still_says_is_not_heard(console):
    console.evaluate("live = make('ws://test/', { silenceMs: 5000 }), live.start(), last().open()")
    console.evaluate("window.heard = [], live.addEventListener('message', (e) => heard.push(e.data))")
    console.clock.run_for(5_000)
    console.evaluate("sockets[0].say('late'), sockets[0].end(1000)")
    assert console.evaluate("[heard, live.state]") == [[], "waiting"]


def test_an_attempt_without_an_answer_is_given_up(console):
    console.evaluate("live.start()")
    console.clock.run_for(20_000)
    assert console.evaluate("[live.state, last().closedWith]") == ["waiting", "none"]


def test_messages_go_both_ways_only_while_it_is_live(console):
    console.evaluate("window.heard = [], live.addEventListener('message', (e) => heard.push(e.data))")
    assert console.evaluate("live.send('early')") is False
    console.evaluate("live.start()")
    assert console.evaluate("live.send('early')") is False
    console.evaluate("last().open()")
    assert console.evaluate("[live.send('text'), live.send({ type: 'PONG' })]") == [True, True]
    console.evaluate("last().say('hello')")
    assert console.evaluate("[last().sent, heard]") == [["text", '{"type":"PONG"}'], ["hello"]]


def test_stopped_it_stays_stopped_until_it_is_started(console):
    console.evaluate("live.start(), last().open(), live.stop(1000, 'enough')")
    assert console.evaluate("[live.state, last().closedWith]") == ["stopped", 1000]
    console.clock.run_for(60_000)
    console.evaluate("dispatchEvent(new Event('online'))")
    assert console.evaluate("sockets.length") == 1
    console.evaluate("live.start(), live.start()")
    assert console.evaluate("[live.state, sockets.length]") == ["connecting", 2]


def test_an_address_that_is_none_stops_it_and_says_why(console):
    console.evaluate("live = make('ftp://test/', { WebSocket }), live.start()")
    assert console.evaluate("live.state") == "stopped"
    assert "ftp" in console.evaluate("live.lastClose.reason")


# --- <live-state> ---------------------------------------------------------------------------------


@pytest.fixture
def shown(console: Page) -> Page:
    """The same with a <live-state> for `live` on the page."""
    console.evaluate("""async () => {
      await import("/static/realtime/live-state.js");
      window.element = document.createElement("live-state");
      document.body.append(element);
      element.socket = live;
    }""")
    return console


def status(shown: Page) -> str:
    return shown.locator("live-state").get_by_role("status").inner_text()


def test_says_since_when_it_is_live_and_since_when_it_is_not(shown):
    shown.evaluate("live.start()")
    assert status(shown) == "Connecting…"
    shown.evaluate("last().open()")
    live_text = status(shown)
    assert live_text.startswith("Live since ")
    assert len(live_text.removeprefix("Live since ")) == len("10:42")
    shown.evaluate("last().end(1006)")
    assert status(shown).startswith("Not live since ")


def test_the_countdown_is_seen_and_not_read_out(shown):
    shown.evaluate("live.start(), last().open(), last().end(1006)")
    for _ in range(2):
        shown.clock.run_for(retry_in_ms(shown))
        shown.evaluate("last().end(1006)")
    shown.evaluate("""() => {
      window.spoken = 0;
      const status = document.querySelector("live-state [role=status]");
      const changes = { childList: true, characterData: true, subtree: true };
      new MutationObserver(() => (spoken += 1)).observe(status, changes);
    }""")
    more = shown.locator(".live-state__more")
    assert more.inner_text() == "– trying again in 4 s"
    assert more.get_attribute("aria-hidden") == "true"
    shown.clock.run_for(2_000)
    assert more.inner_text() == "– trying again in 2 s"
    assert shown.evaluate("spoken") == 0


def test_a_button_tries_at_once(shown):
    shown.evaluate("live.start(), last().open(), last().end(1006)")
    shown.get_by_role("button", name="Try now").click()
    assert shown.evaluate("[live.state, sockets.length]") == ["connecting", 2]
    shown.evaluate("last().open()")
    assert shown.locator("live-state").get_by_role("button").count() == 0


def test_an_end_for_good_says_why_and_offers_another_attempt(shown):
    shown.evaluate("live.start(), last().open(), last().end(4403)")
    assert "not permitted, or the permission was revoked" in shown.locator("live-state").inner_text()
    shown.get_by_role("button", name="Connect again").click()
    assert shown.evaluate("live.state") == "connecting"


def test_the_servers_own_reason_is_shown_as_text(shown):
    shown.evaluate("live.start(), last().open(), last().end(4403, '<b>removed</b> by an operator')")
    assert "– <b>removed</b> by an operator" in shown.locator("live-state").inner_text()
