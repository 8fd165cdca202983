"""The page of those who serve, in Chromium: clerks at a real desk, and one with a line of ten thousand."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from config import BASE_DIR
from tests.browser.conftest import Complaints
from tests.browser.test_accessibility import _OUTSIDE, violations
from tests.e2e.channels import ADMIN_PASSWORD

if TYPE_CHECKING:
    from tests.browser.desk import Desk, Person

pytest_plugins = ["tests.browser.desk"]
pytestmark = pytest.mark.chromium

PATH = "/ticketing/staff/"
LIVE = re.compile(r"^Live since \d\d:\d\d")
NOT_LIVE = re.compile(r"^Not live since \d\d:\d\d")


class Clerk:
    """Somebody at their page. `page` is theirs; the rest is what they see and press."""

    def __init__(self, page: Page, person: Person) -> None:
        self.page = page
        self.person = person

    def sit_down(self, table: str) -> Clerk:
        self.page.get_by_role("button", name=table).click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text(table)
        return self

    def leave(self) -> None:
        """With nobody at the table."""
        self.page.get_by_role("button", name="Leave the table").click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text("Where do you sit?")

    def row(self, label: str) -> Locator:
        return self.page.locator("#line > li", has_text=label)

    def card(self, label: str) -> Locator:
        return self.page.locator("#mine > li", has_text=label)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).filter(visible=True).click()

    def call(self, label: str) -> None:
        self.row(label).get_by_role("button").click()
        expect(self.card(label)).to_be_visible()

    @property
    def toasts(self) -> Locator:
        return self.page.locator("#toasts")

    @property
    def problem(self) -> Locator:
        return self.page.locator("#problem")


@pytest.fixture
def tidy_desk(desk: Desk) -> Iterator[None]:
    """A test that failed halfway leaves nobody for the next one to call."""
    yield
    answer = by_token(desk, "GET", "tickets?state=waiting&state=serving", desk.ana.token).json()
    if answer["count"]:
        with manager(desk) as post:
            for ticket in answer["results"]:
                post(f"tickets/{ticket['id']}/cancel")


@pytest.fixture
def clerk(new_context: Callable[..., BrowserContext], tidy_desk: None) -> Callable[..., Clerk]:
    """Sign somebody in, in a browser of their own: ``clerk(desk, desk.ana, color_scheme="dark")``."""

    def open_page(desk: Desk, person: Person, **options: object) -> Clerk:
        page = new_context(**options).new_page()
        page.goto(desk.url + PATH)
        sign_in(page, person)
        return Clerk(page, person)

    return open_page


def sign_in(page: Page, person: Person) -> None:
    page.locator("#id_username").fill(person.username)
    page.locator("#id_password").fill(person.password)
    page.locator("#id_password").press("Enter")
    expect(page.locator("live-state[state=live]")).to_be_visible()


def take(desk: Desk, name: str) -> str:
    """A visitor takes a ticket; the number people see."""
    ticket = desk.take_ticket(f"{name.lower()}@example.org", name)
    return str(by_token(desk, "GET", f"tickets/{ticket['id']}", desk.ana.token).json()["label"])


@contextmanager
def manager(desk: Desk) -> Iterator[Callable[[str], None]]:
    """Somebody in the admin, by its session: ``post("tables/3/free")`` of the API."""
    with httpx.Client(base_url=desk.url) as client:

        def post(path: str, **more: dict[str, str]) -> None:
            headers = {"X-CSRFToken": client.cookies["csrftoken"]}
            assert not client.post(path, headers=headers, **more).is_error  # type: ignore[arg-type]

        client.get("/admin/login/")
        post("/admin/login/", data={"username": "admin", "password": ADMIN_PASSWORD, "next": "/admin/"})
        yield lambda path: post(f"/api/ticketing/{path}")


def by_token(desk: Desk, method: str, path: str, token: str) -> httpx.Response:
    """A request to the API with somebody's token."""
    headers = {"Authorization": f"Token {token}"}
    return httpx.request(method, f"{desk.url}/api/ticketing/{path}", headers=headers)


def token_of(page: Page) -> str:
    """The token that a page keeps in its tab."""
    return str(page.evaluate("sessionStorage.getItem('foyer.ticketing.staff-token')"))


def test_a_visit_from_the_line_to_its_end(clerk, desk):
    ana = clerk(desk, desk.ana).sit_down("Table 1")
    expect(ana.page.locator("live-state")).to_have_text(LIVE)
    expect(ana.page).to_have_title("Desk – Table 1")
    served = int(ana.page.locator("#figure-served").inner_text())
    label = take(desk, "Ada")
    expect(ana.row(label)).to_contain_text("Ada")
    expect(ana.row(label)).to_contain_text("ada@example.org")
    expect(ana.row(label)).to_contain_text("just now")
    expect(ana.toasts).to_contain_text(f"{label}, Ada, is waiting.")
    expect(ana.page).to_have_title("(1) Desk – Table 1")
    expect(ana.page.locator("#figure-waiting")).to_have_text("1")
    ana.page.get_by_role("button", name="Call next").click()
    expect(ana.card(label)).to_contain_text("Ada")
    expect(ana.row(label)).to_have_count(0)
    expect(ana.page.locator("#announcements")).to_have_text(f"{label}, Ada, is called to your table.")
    ana.press("Call again")
    expect(ana.toasts).to_contain_text(f"{label} is called again.")
    ana.press("Complete")
    expect(ana.card(label)).to_have_count(0)
    expect(ana.page.locator("#figure-served")).to_have_text(str(served + 1))
    expect(ana.page.get_by_role("button", name="Call next")).to_be_focused()
    ana.page.reload()
    # Neither the table nor what was served is forgotten.
    expect(ana.page.get_by_role("heading", level=1)).to_have_text("Table 1")
    expect(ana.page.locator("#figure-served")).to_have_text(str(served + 1))
    ana.leave()


def test_of_two_who_call_the_same_visitor_one_is_told_who_was_faster(clerk, new_context, desk):
    held: list[str] | None = None
    page = new_context().new_page()

    # Ana's page hears of nothing until its own call is refused, so she calls somebody who is gone already.
    def relay(socket):
        def on_message(line: str) -> None:
            nonlocal held
            if held is not None and not line.startswith("error accept"):
                held.append(line)
                return
            for late in [*(held or []), line]:
                socket.send(late)
            held = None

        socket.connect_to_server().on_message(on_message)

    page.route_web_socket(re.compile(PATH), relay)
    page.goto(desk.url + PATH)
    sign_in(page, desk.ana)
    ana = Clerk(page, desk.ana).sit_down("Table 1")
    ben = clerk(desk, desk.ben).sit_down("Table 2")
    label = take(desk, "Grace")
    expect(ana.row(label)).to_be_visible()
    held = []
    ben.call(label)
    ana.row(label).get_by_role("button").click()
    expect(ana.toasts).to_contain_text(f"{label} has just been called by Ben, Table 2.")
    expect(ana.problem).to_be_empty()
    expect(ana.page.locator("#elsewhere")).to_contain_text("At other tables (1)")
    expect(ana.card(label)).to_have_count(0)
    ben.press("Complete")
    expect(ana.page.locator("#elsewhere")).to_be_hidden()
    ana.leave()
    ben.leave()


def test_what_others_do_is_seen_at_once(clerk, desk):
    ana = clerk(desk, desk.ana).sit_down("Table 1")
    ben = clerk(desk, desk.ben)
    taken = ben.page.get_by_role("button", name="Table 1")
    expect(taken).to_contain_text("Taken: Ana")
    expect(taken).to_have_attribute("aria-disabled", "true")
    taken.dispatch_event("click")
    expect(ben.page.get_by_role("heading", level=1)).to_have_text("Where do you sit?")
    ben.sit_down("Table 2")
    labels = [take(desk, name) for name in ("Ada", "Bob", "Cid")]
    # The row stays for a moment and says who it was; the focus goes on with what is there.
    ana.row(labels[1]).get_by_role("button").focus()
    ben.call(labels[1])
    expect(ana.row(labels[1])).to_contain_text("Ben, Table 2")
    expect(ana.row(labels[1])).to_be_focused()
    expect(ana.row(labels[1])).to_have_count(0)
    expect(ana.row(labels[2]).get_by_role("button")).to_be_focused()
    # Handed on: a dialog of the tables that have somebody.
    ben.press("Hand on…")
    dialog = ben.page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Table 1")).to_contain_text("Ana, free")
    expect(dialog.get_by_role("button", name="Table 2")).to_have_count(0)
    dialog.get_by_role("button", name="Table 1").click()
    expect(ben.toasts).to_contain_text(f"{labels[1]} is handed on to Table 1.")
    expect(ben.card(labels[1])).to_have_count(0)
    expect(ana.card(labels[1])).to_be_visible()
    expect(ana.toasts).to_contain_text(f"Ben handed {labels[1]}, Bob, on to you.")
    # Back to the line, in its old place.
    ana.press("Back to the line")
    for page in (ana.page, ben.page):
        expect(page.locator("#line [data-part=label]")).to_have_text(labels)
    # A paused table says so, and is open again with the next call.
    ana.press("Pause")
    expect(ana.page.get_by_text("Your table is paused")).to_be_visible()
    ana.call(labels[0])
    expect(ana.page.get_by_text("Your table is paused")).to_be_hidden()
    ana.press("Pause")
    ana.press("Open again")
    expect(ana.page.locator("#desk-badge")).to_have_text("Open")
    ana.press("Complete")
    for label in labels[1:]:
        ana.call(label)
        ana.press("Complete")
        expect(ana.card(label)).to_have_count(0)
    ana.leave()
    ben.leave()


def test_what_ends_a_visit_for_good_is_asked_about_once(clerk, desk):
    ana = clerk(desk, desk.ana).sit_down("Table 1")
    first, second = take(desk, "Ada"), take(desk, "Bob")
    ana.call(first)
    ana.press("Did not come")
    expect(ana.page.get_by_role("group", name=f"{first} did not come?")).to_be_visible()
    ana.page.keyboard.press("Escape")
    expect(ana.card(first).get_by_role("button", name="Did not come")).to_be_focused()
    ana.press("Did not come")
    ana.press("Did not come")
    expect(ana.card(first)).to_have_count(0)
    ana.call(second)
    expect(ana.card(second)).to_be_focused()
    ana.press("Cancel")
    ana.press("Go back")
    expect(ana.card(second).get_by_role("button", name="Cancel")).to_be_focused()
    # Leaving is asked about while somebody is there, and the visitor stays mine.
    ana.press("Leave the table")
    dialog = ana.page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"{second} stays yours")
    dialog.get_by_role("button", name="Stay").click()
    expect(dialog).to_be_hidden()
    ana.press("Leave the table")
    dialog.get_by_role("button", name="Leave all the same").click()
    ana.sit_down("Table 2")
    ana.press("Cancel")
    ana.press("Cancel it")
    expect(ana.card(second)).to_have_count(0)
    ana.leave()


def test_comes_back_by_itself_after_the_server_was_away(clerk, own_desk, complaints: Complaints):
    complaints.expect("WebSocket connection to|ERR_CONNECTION|ERR_EMPTY_RESPONSE|ERR_SOCKET")
    ana = clerk(own_desk, own_desk.ana).sit_down("Table 3")
    mine, waiting = take(own_desk, "Ada"), take(own_desk, "Bob")
    ana.call(mine)
    ana.page.evaluate("window.notReloaded = true")
    own_desk.stop()
    expect(ana.page.locator("live-state [role=status]")).to_have_text(NOT_LIVE)
    expect(ana.page.get_by_text("what you see may be out of date")).to_be_visible()
    # What was known stays to be read; nothing is done, and that is said.
    expect(ana.row(waiting)).to_be_visible()
    ana.card(mine).locator("[data-do=complete]").dispatch_event("click")
    expect(ana.toasts).to_contain_text("Not live right now. Nothing was changed.")
    own_desk.start()
    late = take(own_desk, "Cid")
    expect(ana.page.locator("live-state")).to_have_text(LIVE, timeout=40_000)
    expect(ana.page.get_by_text("what you see may be out of date")).to_be_hidden()
    expect(ana.page.locator("#line [data-part=label]")).to_have_text([waiting, late])
    ana.press("Complete")
    expect(ana.card(mine)).to_have_count(0)
    assert ana.page.evaluate("window.notReloaded")


def test_a_token_that_was_revoked_leads_to_the_sign_in_and_back_to_the_table(clerk, desk):
    ana = clerk(desk, desk.ana).sit_down("Table 3")
    label = take(desk, "Ada")
    expect(ana.row(label)).to_be_visible()
    assert by_token(desk, "POST", "logout", token_of(ana.page)).is_success
    expect(ana.page.get_by_role("heading", level=1)).to_have_text("You have been signed out")
    # Who waits is no business of theirs any more.
    expect(ana.page.get_by_text("ada@example.org")).to_have_count(0)
    ana.press("Sign in again")
    sign_in(ana.page, desk.ana)
    expect(ana.page.get_by_role("heading", level=1)).to_have_text("Table 3")
    ana.call(label)
    ana.press("Complete")
    expect(ana.card(label)).to_have_count(0)
    ana.leave()


def test_what_a_manager_does_is_told(clerk, desk):
    ana = clerk(desk, desk.ana).sit_down("Table 3")
    label = take(desk, "Ada")
    ana.call(label)
    with manager(desk) as post:
        post("tables/3/free")
        expect(ana.problem).to_contain_text("You have no table any more")
        ana.sit_down("Table 3")
        expect(ana.problem).to_be_empty()
        ticket = ana.card(label).get_attribute("data-id")
        post(f"tickets/{ticket}/release")
        expect(ana.problem).to_have_text(f"{label} was put back to the line by somebody else.")
        expect(ana.card(label)).to_have_count(0)
        post(f"tickets/{ticket}/cancel")
        expect(ana.row(label)).to_contain_text("cancelled")
    ana.leave()


def test_a_second_window_and_signing_out(clerk, desk):
    ana = clerk(desk, desk.ana).sit_down("Table 3")
    other = Clerk(ana.page.context.new_page(), desk.ana)
    other.page.goto(desk.url + PATH)
    # One's own table is no obstacle.
    expect(other.page.get_by_role("button", name="Table 3")).to_contain_text("Yours")
    other.sit_down("Table 4")
    expect(ana.problem).to_contain_text("you took another one in another window")
    other.page.close()
    ana.sit_down("Table 3")
    token = token_of(ana.page)
    ana.page.locator("#menu summary").click()
    ana.press("Sign out")
    expect(ana.page.get_by_label("User name")).to_be_visible()
    assert ana.page.evaluate("sessionStorage.length") == 0
    assert by_token(desk, "GET", "tables", token).status_code == 401
    table = by_token(desk, "GET", "tables/3", desk.ben.token).json()
    assert table["state"] == "offline"


def test_shortcuts_press_the_buttons_that_show_them(clerk, desk):
    ana = clerk(desk, desk.ana).sit_down("Table 1")
    first, second = take(desk, "Ada"), take(desk, "Bob")
    expect(ana.row(second)).to_be_visible()
    keys = ana.page.keyboard
    keys.press("n")
    expect(ana.card(first)).to_be_visible()
    keys.press("r")
    expect(ana.toasts).to_contain_text(f"{first} is called again.")
    # Not in fields.
    keys.press("/")
    expect(ana.page.get_by_label("Find by")).to_be_focused()
    keys.type("cbx")
    expect(ana.page.get_by_text("Nobody who waits matches that.")).to_be_visible()
    expect(ana.card(first)).to_be_visible()
    keys.press("Escape")
    keys.type(second)
    keys.press("Enter")
    expect(ana.row(second).get_by_role("button")).to_be_focused()
    # Nor in dialogs.
    keys.press("?")
    expect(ana.page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    keys.press("c")
    keys.press("Escape")
    expect(ana.page.get_by_role("dialog")).to_have_count(0)
    expect(ana.card(first)).to_be_visible()
    # The key, whatever the layout writes with it; Control and the like are the browser's.
    keys.press("Control+c")
    ana.page.evaluate(
        "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'ؤ', code: 'KeyC', bubbles: true}))"
    )
    expect(ana.card(first)).to_have_count(0)
    # Off, also the next time.
    ana.page.locator("#menu summary").click()
    ana.page.get_by_role("checkbox", name="Keyboard shortcuts").uncheck()
    ana.page.reload()
    expect(ana.row(second)).to_be_visible()
    expect(ana.page.locator("#next kbd")).to_be_hidden()
    keys.press("n")
    keys.press("?")
    expect(ana.row(second)).to_be_visible()
    expect(ana.page.get_by_role("dialog")).to_have_count(0)
    ana.call(second)
    ana.press("Complete")
    expect(ana.card(second)).to_have_count(0)
    ana.leave()


def test_a_visit_without_a_mouse(clerk, desk):
    ana = clerk(desk, desk.ana)
    keys = ana.page.keyboard

    def tab_to(target: Locator) -> None:
        for _ in range(40):
            if target.evaluate("(element) => element === document.activeElement"):
                return
            keys.press("Tab")
        expect(target).to_be_focused()

    tab_to(ana.page.get_by_role("button", name="Table 1"))
    keys.press("Enter")
    expect(ana.page.get_by_role("heading", name="Table 1")).to_be_focused()
    label = take(desk, "Ada")
    tab_to(ana.row(label).get_by_role("button"))
    keys.press("Enter")
    expect(ana.card(label)).to_be_focused()
    tab_to(ana.card(label).get_by_role("button", name="Complete"))
    keys.press("Space")
    expect(ana.card(label)).to_have_count(0)
    expect(ana.page.locator("#next")).to_be_focused()
    tab_to(ana.page.get_by_role("button", name="Leave the table"))
    keys.press("Enter")
    expect(ana.page.get_by_role("heading", name="Where do you sit?")).to_be_focused()


# --- with a socket of the test's making ---------------------------------------------------------------------

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
        expect(ana.row(f"A-00{ticket_id}")).to_be_focused()
        ana.page.clock.run_for(4_000)
        expect(ana.row(f"A-00{ticket_id}")).to_have_count(0)
    expect(ana.page.get_by_role("heading", name="Waiting")).to_be_focused()


def test_who_comes_is_announced_and_heard_if_wished(crowd):
    ana = crowd(0)
    ana.page.evaluate("""() => {
      window.notes = 0;
      const start = OscillatorNode.prototype.start;
      OscillatorNode.prototype.start = function (...at) { window.notes += 1; start.apply(this, at); };
    }""")
    ana.page.evaluate("say(waits(1))")
    expect(ana.toasts).to_contain_text("A-001, Visitor 1, is waiting.")
    assert ana.page.evaluate("notes") == 0
    ana.page.locator("#menu summary").click()
    ana.page.get_by_label("Sound when somebody new waits").check()
    assert ana.page.evaluate("notes") == 2
    ana.page.clock.run_for(4_000)
    # Three at once: one sound, one announcement, no toasts in the way.
    ana.page.evaluate("say(waits(2), waits(3), waits(4))")
    assert ana.page.evaluate("notes") == 4
    ana.page.clock.run_for(6_000)
    expect(ana.page.locator("#announcements")).to_have_text("3 new visitors are waiting.")
    expect(ana.toasts).to_be_empty()


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
