"""What a clerk sees, hears and presses, whatever the desk is like: with a socket of the test's making."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from config import BASE_DIR
from tests.browser.clerks import PATH, Clerk
from tests.browser.clocks import let_draw, stop_clock
from tests.browser.conftest import Complaints
from tests.browser.test_accessibility import _OUTSIDE, violations

pytest_plugins = ["tests.browser.desk", "tests.browser.clerk_pages"]
pytestmark = pytest.mark.chromium

# In the page: ten thousand lines would take a browser that is watched a quarter of a minute to receive.
_SOCKET = """
window.sent = [];
window.WebSocket = class {
  constructor() {
    window.say = (...lines) => lines.forEach((data) => this.onmessage({ data }));
    setTimeout(() => {
      this.onopen();
      setInterval(() => say('line {"waiting":0}'), 20_000);
      say("taken", 'table {"number":1,"name":"","state":"offline"}', 'line {"waiting":0}', "ready");
    });
  }
  send(line) {
    sent.push(line);
    if (!line.startsWith("pick")) return;
    const lines = Array.from({ length: window.crowd }, (_, n) => waits(n + 1));
    say("success pick 1", ...lines, "ready", 'table {"number":1,"name":"","state":"free"}');
  }
  close() {}
};
window.ticket = (fields) => "ticket " + JSON.stringify(
  { label: "A-" + String(fields.id).padStart(3, "0"), email: `v${fields.id}@example.org`, state: "waiting",
    staff_id: 0, staff: "", table: null, start: new Date(Date.now() - 3e6 + fields.id * 1000).toISOString(),
    name: `Visitor ${fields.id}`, ...fields });
window.waits = (id) => ticket({ id });
"""


@pytest.fixture
def crowd(clerk, desk) -> Callable[..., Clerk]:
    """A page whose line has so many, told by the test: ``crowd(10_000)``."""

    def open_page(count: int, **options: object) -> Clerk:
        ana = clerk(desk, desk.ana, **options)
        ana.page.add_init_script(f"{_SOCKET} window.crowd = {count};")
        ana.page.clock.install()
        ana.page.reload()
        ana.sit_down("Table 1")
        return ana

    return open_page


def test_ten_thousand_wait_and_the_page_stays_quick(crowd):
    ana = crowd(10_000)
    rows = ana.page.locator("#line > li")
    expect(rows).to_have_count(50)
    expect(ana.page.locator("#figure-waiting")).to_have_text("10,000")
    ana.press("Show more of 9,950")
    expect(rows).to_have_count(150)
    expect(ana.row("A-051").get_by_role("button")).to_be_focused()
    ana.page.get_by_label("Find by").fill("V9876@")
    expect(ana.page.locator("#line-found")).to_have_text("1 found")
    expect(rows).to_have_text(re.compile("A-9876"))
    # Accents, case, and the zeros of a number do not matter.
    ana.page.evaluate("say(ticket({ id: 10001, name: 'Émilie du Châtelet' }))")
    ana.page.get_by_label("Find by").fill("emilie du CHATELET")
    expect(rows).to_have_text(re.compile("A-10001"))
    ana.page.get_by_label("Find by").fill("a7\n")
    expect(ana.row("A-007")).to_be_visible()
    ana.page.get_by_label("Find by").fill("")
    # A line changes all the time; it must not cost more than a frame or two even on a slow machine.
    took_ms = ana.page.evaluate("""() => {
      const field = document.getElementById("search");
      const begin = performance.now();
      for (let n = 0; n < 10; n += 1) field.dispatchEvent(new Event("input"));
      return (performance.now() - begin) / 10;
    }""")
    assert took_ms < 100


def test_times_count_in_minutes_and_the_focus_stays_where_it_is(crowd):
    ana = crowd(3)
    stop_clock(ana.page)
    ana.page.clock.run_for(15_000)
    waits = ana.row("A-002").locator("time")
    before = waits.inner_text()
    assert re.fullmatch(r"\d+ min", before)
    expect(ana.page.locator("#figure-longest")).to_have_text(re.compile(r"^\d+ min$"))
    button = ana.row("A-002").get_by_role("button")
    button.focus()
    ana.page.clock.run_for(120_000)
    expect(waits).to_have_text(f"{int(before.split()[0]) + 2} min")
    # Others come and go around it.
    ana.page.evaluate("say(waits(4), ticket({ id: 1, state: 'cancelled' }))")
    let_draw(ana.page)
    expect(ana.row("A-004")).to_be_visible()
    expect(ana.row("A-001")).to_contain_text("cancelled")
    ana.page.clock.run_for(4_000)
    expect(ana.row("A-001")).to_have_count(0)
    expect(button).to_be_focused()
    # Gone itself: the next one has it; with nobody left, the heading.
    for ticket_id in (2, 3, 4):
        ana.page.evaluate(
            "(id) => say(ticket({ id, state: 'serving', staff_id: 999, staff: 'Ben' }))", ticket_id
        )
        let_draw(ana.page)
        expect(ana.row(f"A-00{ticket_id}")).to_be_focused()
        ana.page.clock.run_for(4_000)
        expect(ana.row(f"A-00{ticket_id}")).to_have_count(0)
    expect(ana.page.get_by_role("heading", name="Waiting")).to_be_focused()


def test_who_comes_is_announced_and_heard_if_wished(crowd):
    ana = crowd(0)
    stop_clock(ana.page)
    ana.page.evaluate("""() => {
      window.notes = 0;
      const start = OscillatorNode.prototype.start;
      OscillatorNode.prototype.start = function (...at) { window.notes += 1; start.apply(this, at); };
    }""")
    ana.page.evaluate("say(waits(1))")
    let_draw(ana.page)
    expect(ana.toasts).to_contain_text("A-001, Visitor 1, is waiting.")
    assert ana.page.evaluate("notes") == 0
    ana.page.locator("#menu summary").click()
    ana.page.get_by_label("Sound when somebody new waits").check()
    assert ana.page.evaluate("notes") == 2
    ana.page.clock.run_for(4_000)
    # Three at once: one sound, one announcement, no toasts in the way.
    ana.page.evaluate("say(waits(2), waits(3), waits(4))")
    let_draw(ana.page)
    assert ana.page.evaluate("notes") == 4
    ana.page.clock.run_for(6_000)
    expect(ana.page.locator("#announcements")).to_have_text("3 new visitors are waiting.")
    expect(ana.toasts).to_be_empty()
    # A window in the background is drawn no more, and its title still counts.
    ana.page.evaluate("""() => {
      Object.defineProperty(document, "hidden", { get: () => true });
      window.requestAnimationFrame = () => 1;
      say(waits(5));
    }""")
    ana.page.clock.run_for(2_000)
    expect(ana.page).to_have_title("(5) Desk – Table 1")


def test_an_answer_that_does_not_come_is_explained(crowd, complaints: Complaints):
    complaints.expect("409|503|ERR_")
    ana = crowd(1)
    refuse = {
        "status": 409,
        "json": {"success": False, "error": "Nobody is waiting.", "code": "NOBODY_WAITS"},
    }
    ana.page.route("**/api/ticketing/next", lambda route: route.fulfill(**refuse))
    ana.page.get_by_role("button", name="Call next").click()
    expect(ana.toasts).to_contain_text("Nobody is waiting any more.")
    expect(ana.problem).to_be_empty()
    ana.page.route("**/api/ticketing/next", lambda route: route.abort())
    ana.page.get_by_role("button", name="Call next").click()
    expect(ana.problem).to_contain_text("No answer from the server.")
    ana.row("A-001").get_by_role("button").click()
    expect(ana.page.locator("#next")).not_to_have_attribute("aria-disabled", "true")
    assert ana.page.evaluate("sent").count("accept 1") == 1
    ana.page.evaluate("say('error accept the ticket has already been completed or cancelled')")
    expect(ana.toasts).to_contain_text("A-001 has already been completed or cancelled.")


# --- what it looks like ------------------------------------------------------------------------------------

# The desk in words of each language, enough to see that the page speaks it.
_LANGUAGES = {
    "English": ("ltr", "Call next"),
    "Deutsch": ("ltr", "Nächsten aufrufen"),
    "العربية": ("rtl", "نداء التالي"),
}


def fill(ana: Clerk) -> None:
    """Somebody at the table, somebody asked about, somebody at another table; names in two scripts."""
    ana.page.evaluate(
        """(me) => say(
          ticket({ id: 1, state: "serving", staff_id: me, staff: "Ana", table: 1, name: "محمد بن موسى" }),
          ticket({ id: 2, state: "serving", staff_id: me, staff: "Ana", table: 1 }),
          ticket({ id: 3, state: "serving", staff_id: 999, staff: "Ben", table: 2 }),
          ticket({ id: 5, name: "Anna-Maria von Hohenstein-Schwarzburg", email: "x".repeat(60) + "@a.org" }),
          'table {"number":1,"name":"","state":"paused"}',
          'table {"number":2,"name":"Building permits and everything else","state":"serving"}')""",
        ana.person.id,
    )
    ana.page.locator("#elsewhere summary").click()
    ana.card("A-001").locator("[data-do=noShow]").click()
    expect(ana.page.locator("#paused")).to_be_visible()
    ana.page.evaluate("Promise.all(document.getAnimations().map((animation) => animation.finished))")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_has_no_objection(crowd, scheme):
    ana = crowd(6, color_scheme=scheme)
    fill(ana)
    assert violations(ana.page) == []
    ana.page.locator("#menu summary").click()
    assert violations(ana.page) == []
    ana.page.keyboard.press("Escape")
    ana.card("A-002").locator("[data-do=transfer]").click()
    assert violations(ana.page) == []
    ana.page.keyboard.press("Escape")
    ana.page.locator("#keys-open").click()
    assert violations(ana.page) == []
    ana.page.keyboard.press("Escape")
    ana.page.evaluate('say(\'table {"number":1,"name":"","state":"offline"}\')')
    expect(ana.problem).to_contain_text("You have no table any more")
    assert violations(ana.page) == []
    ana.page.evaluate("say('signed-out')")
    expect(ana.page.get_by_role("heading", level=1)).to_have_text("You have been signed out")
    assert violations(ana.page) == []


def test_speaks_three_languages_and_fits_every_screen(crowd):
    ana = crowd(60)
    fill(ana)
    for language, (direction, words) in _LANGUAGES.items():
        ana.page.set_viewport_size({"width": 1280, "height": 800})
        ana.page.locator("#menu summary").click()
        ana.page.get_by_role("button", name=language).click()
        expect(ana.page.locator("#next")).to_contain_text(words)
        assert ana.page.evaluate("document.documentElement.dir") == direction
        # Every word there is: a key would be shown as it is called.
        assert "staff." not in ana.page.locator("body").inner_text()
        ana.page.keyboard.press("Escape")
        for width, height in [(1280, 800), (640, 400), (320, 256), (390, 844), (844, 390)]:
            ana.page.set_viewport_size({"width": width, "height": height})
            assert ana.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (language, width)
            assert ana.page.evaluate(_OUTSIDE) == [], (language, width)
    assert violations(ana.page) == []
    ana.page.reload()
    expect(ana.page.locator("#next")).to_contain_text(words)


def test_every_language_has_every_word(page, desk):
    page.goto(desk.url + PATH)
    blocks = page.evaluate("""async () => {
      const files = ["en", "de", "ar"].map((code) => import(`/static/ticketing/words/${code}.js`));
      return (await Promise.all(files)).map((file) => Object.keys(file.default.staff));
    }""")
    assert set(blocks[0]) == set(blocks[1]) == set(blocks[2])
    scripts = (BASE_DIR / "ticketing/static/ticketing").glob("staff*.js")
    sources = [*scripts, BASE_DIR / "templates/ticketing/staff.html"]
    used = {word for path in sources for word in re.findall(r'"staff\.(\w+)"', path.read_text())}
    assert used <= set(blocks[0])
