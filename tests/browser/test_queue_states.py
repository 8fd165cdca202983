"""What the page for people who wait says of a line that tests make up: numbers, words, troubles, calls."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from queue import rules
from tests.browser.queue_fake import PACE, FakeLine
from tests.browser.test_queue_page import heading, wait_until

pytestmark = pytest.mark.chromium
pytest_plugins = ["tests.browser.queue_line"]

NEXT = "https://game.example.org/play"
# A browser that notes what it is asked to do to be noticed, and allows notifications when asked.
_NOTICED = """
window.noticed = [];
window.AudioContext = undefined;
window.Notification = class {
  static permission = "default";
  static async requestPermission() { return (Notification.permission = window.answer ?? "granted"); }
  constructor(title, { body }) { noticed.push(`${title}: ${body}`); }
  addEventListener() {}
};
navigator.vibrate = (pattern) => noticed.push(`buzz ${pattern}`);
Object.defineProperty(document, "hidden", { get: () => true });
"""


@pytest.fixture
def fake(page: Page, one_queue):
    """Open the page with a line of the test's making: ``fake(position=5, headPosition=2)``."""

    def open_page(**numbers: object) -> FakeLine:
        line = FakeLine(page, **numbers)
        page.goto(one_queue.page)
        expect(page.locator("#panel-waiting")).to_be_visible()
        return line

    return open_page


@pytest.fixture
def clock(page):
    """The page's clock, which stands still but for what a test lets run: a slow machine changes nothing."""
    noon = datetime(2026, 7, 1, 12, tzinfo=UTC)
    page.clock.install(time=noon)
    page.clock.pause_at(noon + timedelta(seconds=1))
    return page.clock


def announced(page: Page) -> str:
    return page.locator("#announcements").text_content() or ""


# --- how long it takes --------------------------------------------------------------------------------------


def test_the_page_and_the_server_estimate_alike(page, fake):
    fake()
    source = random.Random(4)
    cases = [
        (ahead, source.uniform(1, 1e5), source.choice([0.0, source.uniform(1, 1e10)]), source.uniform(3, 400))
        for ahead in (0, 1, 2, 17, 500, 49_999)
        for _ in range(5)
    ]
    ours = page.evaluate(
        """async (cases) => {
          const { estimate } = await import("/static/queue/estimate.js");
          return cases.map(([ahead, perTicketMsec, varianceMsec2, tickets]) => {
            const { low, mean, high } = estimate(ahead, { perTicketMsec, varianceMsec2, tickets });
            return [low, mean, high];
          });
        }""",
        cases,
    )
    for (ahead, per_ticket_ms, variance_ms2, tickets), numbers in zip(cases, ours, strict=True):
        pace = rules.Pace(per_ticket_ms / 1e3, variance_ms2 / 1e6, tickets)
        assert numbers == pytest.approx([1e3 * seconds for seconds in rules.estimate(ahead, pace)])


MINUTE = 60_000
BANDS = {
    (0, 30_000): "Your turn probably comes in less than a minute.",
    (0, MINUTE): "Your turn probably comes within 1 minute.",
    (30_000, 7 * MINUTE - 1): "Your turn probably comes within 7 minutes.",
    (4.9 * MINUTE, 6.1 * MINUTE): "Your turn probably comes in between 4 and 7 minutes.",
    (5 * MINUTE, 5 * MINUTE): "Your turn probably comes within 5 minutes.",
    (9 * MINUTE, 11 * MINUTE): "Your turn probably comes in between 5 and 15 minutes.",
    (3 * MINUTE, 40 * MINUTE): "Your turn probably comes within 40 minutes.",
    (63 * MINUTE, 118 * MINUTE): "Your turn probably comes in between 60 and 120 minutes.",
    (100 * MINUTE, 130 * MINUTE): "Your turn probably comes in between 1.5 and 2.5 hours.",
    (20 * MINUTE, 130 * MINUTE): "Your turn probably comes within 2.5 hours.",
    (12 * 60 * MINUTE, 20 * 60 * MINUTE): "It probably takes more than 12 hours.",
}


def test_a_wait_is_said_as_a_band_never_more_exact_than_it_is_known(page, fake):
    fake()
    said = page.evaluate(
        """async (bands) => {
          const { band } = await import("/static/queue/estimate.js");
          const { translate } = await import("/static/realtime/words.js");
          return bands.map(([low, high]) => {
            const [word, values] = band({ low, high });
            return translate(`wait.${word}`, values);
          });
        }""",
        [list(band) for band in BANDS],
    )
    assert said == list(BANDS.values())


def test_the_estimate_follows_the_place(page, fake):
    line = fake(position=12)
    expect(page.locator("#estimate")).to_have_text("Your turn probably comes in between 10 and 15 minutes.")
    line.tell_stats(headPosition=11)
    expect(page.locator("#estimate")).to_have_text("Your turn probably comes within 2 minutes.")
    line.tell_stats(estimate=None)
    expect(page.locator("#estimate")).to_have_text("We cannot say yet how long it will take.")


def test_a_line_that_has_stalled_promises_nothing(page, clock, fake):
    line = fake(position=12, estimate=PACE | {"perTicketMsec": 5_000})
    expect(page.locator("#estimate")).to_have_text("Your turn probably comes within 1 minute.")
    clock.fast_forward(5 * MINUTE)
    stalled = "Nobody has been let in for 5 minutes, so we cannot say how long it will take."
    expect(page.locator("#estimate")).to_have_text(stalled)
    line.tell_stats(tailPosition=50)  # somebody came; nobody went in
    expect(page.locator("#behind")).to_have_text("38 people are behind you")
    expect(page.locator("#estimate")).to_have_text(stalled)
    # The first in line is away, and those behind are let in.
    line.tell_stats(avgWaitMsec=181_000)
    expect(page.locator("#estimate")).to_have_text("Your turn probably comes within 1 minute.")


# --- troubles -----------------------------------------------------------------------------------------------


def test_a_line_that_is_away_is_asked_again_and_again_ever_more_slowly(page, clock, fake):
    line = fake()
    pauses = []
    for _ in range(5):
        line.say_error("UNAVAILABLE")
        expect(page.locator("#notice")).to_contain_text("The line does not work at the moment.")
        line.gives_tickets = False
        asked, waited = len(line.heard), 0
        while len(line.heard) == asked:
            clock.run_for(500)
            waited += 500
        pauses.append(waited)
    for pause, most in zip(pauses, (5_500, 10_500, 20_500, 38_000, 38_000), strict=True):
        assert most * 0.55 <= pause <= most
    line.give_ticket()
    expect(page.locator("#notice")).to_be_hidden()
    heading(page, "You are number 12 in line")


def test_a_trouble_of_the_server_is_forgotten_after_a_while(page, clock, fake):
    line = fake(position=2)
    line.turn_away(503, "The server does not answer now.")
    expect(page.locator("#notice")).to_contain_text("The server does not answer.")
    clock.fast_forward(6_000)
    expect(page.locator("#notice")).to_contain_text("The server does not answer.")
    assert len(line.heard) == 2
    clock.fast_forward(120_000)
    expect(page.locator("#notice")).to_be_hidden()


def test_a_connection_that_falls_silent_is_lost(page, clock, fake):
    line = fake(intervalMsec=30_000)  # three of them missing, and 5 s more
    # The last of what is told at the beginning may come after the panel is shown, and silence counts from it.
    line.tell_stats(tailPosition=50)
    expect(page.locator("#behind")).to_have_text("38 people are behind you")
    clock.run_for(90_000)
    expect(page.locator("live-state")).to_have_attribute("state", "live")
    clock.run_for(5_000)
    expect(page.locator("#notice")).to_have_text("Connection lost. Your place is kept; we are reconnecting.")
    clock.run_for(1_000)
    expect(page.locator("#notice")).to_be_hidden()
    assert len(line.heard) == 2


def test_a_long_absence_promises_no_place_and_a_new_one_is_said_to_be_new(page, clock, fake, complaints):
    complaints.expect("ERR_FAILED")
    page.route("**/readyz", lambda route: route.abort())
    line = fake(position=12)
    line.answers = False
    line.lose()
    expect(page.locator("#notice")).to_have_text("Connection lost. Your place is kept; we are reconnecting.")
    clock.run_for(6 * MINUTE)
    expect(page.locator("#notice")).to_contain_text("We keep trying, but your place may be gone.")
    line.answers = True
    line.ticket = {"ticketId": "t-2", "position": 43}
    # In small steps: an attempt that has no answer for long is given up by the same clock.
    wait_until(lambda: clock.run_for(1_000) or len(line.heard) == 2)
    heading(page, "You are number 43 in line")
    expect(page.locator("#new-place")).to_be_visible()
    expect(page.locator("#way-from")).to_have_text("You began as number 43")


# --- one's turn ---------------------------------------------------------------------------------------------


@pytest.fixture
def with_next_url(page):
    """The page as an installation with a QUEUE_NEXT_URL has it."""

    def change(route) -> None:
        answer = route.fetch()
        body = answer.text().replace('"nextUrl": ""', f'"nextUrl": "{NEXT}"')
        assert NEXT in body
        route.fulfill(response=answer, body=body)

    page.route("**/queue/", change)
    page.route(f"{NEXT}**", lambda route: route.fulfill(body="<title>The game</title>"))


def test_whoever_is_quicker_goes_in_by_the_button(page, clock, fake, with_next_url):
    line = fake()
    line.let_in("a.b+c/d=.e")
    heading(page, "It is your turn")
    clock.run_for(2_900)
    expect(page).to_have_title("It is your turn – Waiting line")
    page.get_by_role("link", name="Go in").click()
    expect(page).to_have_title("The game")
    assert page.url == f"{NEXT}#jwt=a.b%2Bc%2Fd%3D.e"


def test_the_way_back_leads_to_the_button_and_not_away_again(page, clock, fake, with_next_url):
    line = fake()
    line.let_in()
    page.get_by_role("link", name="Go in").click()
    expect(page).to_have_title("The game")
    page.go_back()
    expect(page.locator("#panel-in h1")).to_have_text("It is your turn")
    expect(page.get_by_role("link", name="Go in")).to_be_visible()
    assert len(line.heard) == 1, "a second place was asked for"


def test_what_is_read_out_is_little_and_at_the_right_moments(page, fake):
    line = fake(position=42)
    assert announced(page) == "You are number 42 in line"
    said = []
    for head in (2, 30, 33, 34, 38, 40, 42):
        line.tell_stats(headPosition=head)
        heading(page, "You are next" if head == 42 else f"You are number {43 - head} in line")
        said.append(announced(page))
    first, ten, five = (f"You are number {place} in line" for place in (42, 10, 5))
    assert said == [first, first, ten, ten, five, five, "You are next"]
    line.let_in()
    heading(page, "It is your turn")
    assert announced(page) == "It is your turn"


def test_a_button_has_the_page_tell_when_it_is_ones_turn(page, fake):
    page.add_init_script(_NOTICED)
    line = fake()
    button = page.get_by_role("button", name="Tell me when it is my turn")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#tell-note")).to_contain_text("A sound will tell you, and a notification")
    line.let_in()
    heading(page, "It is your turn")
    assert page.evaluate("noticed") == ["buzz 200,100,200", "It is your turn: You have been let in."]


def test_nobody_is_told_who_has_not_asked_or_asks_no_more(page, fake):
    page.add_init_script(_NOTICED)
    page.add_init_script("window.answer = 'denied'")
    line = fake()
    button = page.get_by_role("button", name="Tell me when it is my turn")
    button.click()
    expect(page.locator("#tell-note")).to_contain_text("Notifications are not allowed in this browser.")
    button.click()
    expect(page.locator("#tell-note")).to_be_empty()
    line.let_in()
    heading(page, "It is your turn")
    assert page.evaluate("noticed") == []


def test_a_page_without_storage_waits_all_the_same(page, fake):
    page.add_init_script(
        "for (const name of ['localStorage', 'sessionStorage'])"
        "  Object.defineProperty(window, name, { get() { throw new DOMException('no', 'SecurityError'); } });"
    )
    line = fake()
    heading(page, "You are number 12 in line")
    line.let_in()
    heading(page, "It is your turn")
