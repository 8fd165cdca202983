"""The kiosk, as visitors use it: by touch, by keyboard, in their language, while the desk comes and goes."""

import json
import re
import signal

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.clocks import stop_clock
from tests.browser.desk import Desk
from tests.browser.test_accessibility import _OUTSIDE, violations
from ticketing.protocol.messages import ERROR_TEXTS, ErrorCode

pytestmark = pytest.mark.chromium
pytest_plugins = ["tests.browser.desk"]

PORTRAIT = {"width": 1080, "height": 1920}
UNAVAILABLE = ERROR_TEXTS["", ErrorCode.UNAVAILABLE]
LABEL = re.compile(r"^A-\d{3}$")
LIVE = re.compile(r"^Live since \d\d:\d\d")
# What the browser itself says about a server that is away.
AWAY = "WebSocket connection to|ERR_CONNECTION|ERR_EMPTY_RESPONSE|ERR_SOCKET"


TICKET = (
    '{"id":7,"email":"a@b.cd","name":"A","staff":"{}",'
    '"start":"2026-03-01T09:05:00Z","end":"1970-01-01T00:00:00Z"}'
)


class FakeDesk:
    """A desk at the other end of the page's socket that answers what a test tells it to.

    `answers` are the lines sent for each command, by its first word; "" answers nothing.
    """

    def __init__(self, page: Page) -> None:
        self.heard: list[str] = []
        self.answers = {
            "query": ["error query visitor email does not exist"],
            "once": [
                'ticket {"id":7,"label":"B-007","ahead":2,"estimate_s":600}',
                f"success new {TICKET}",
            ],
        }
        self.line = '{"waiting":2,"estimate_s":540}'
        self.sockets: list[WebSocketRoute] = []
        page.route_web_socket(re.compile("/ticketing/kiosk/"), self._connected)

    def _connected(self, socket: WebSocketRoute) -> None:
        self.sockets.append(socket)
        socket.on_message(lambda message: self._receive(socket, str(message)))
        socket.send(f"line {self.line}")
        socket.send("ready")

    def _receive(self, socket: WebSocketRoute, message: str) -> None:
        self.heard.append(message)
        for answer in self.answers[message.partition(" ")[0]]:
            socket.send(answer)


@pytest.fixture
def kiosk(new_context, desk: Desk):
    """Open a kiosk on a portrait touch screen and wait until it is live."""

    def open_kiosk(query: str = "", page: Page | None = None, **options: object) -> Page:
        page = page or new_context(**({"viewport": PORTRAIT} | options)).new_page()
        page.goto(f"{desk.url}/ticketing/kiosk/{query}")
        expect(page.locator("#line")).to_be_visible()
        return page

    return open_kiosk


@pytest.fixture
def fake_kiosk(new_context, kiosk):
    """A kiosk and the fake desk it talks to."""

    def open_kiosk(query: str = "", **options: object) -> tuple[Page, FakeDesk]:
        page = new_context(**({"viewport": PORTRAIT} | options)).new_page()
        fake = FakeDesk(page)
        return kiosk(query, page), fake

    return open_kiosk


def enter_email(page: Page, email: str) -> None:
    page.get_by_label("Your email address").fill(email)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_label("Your name")).to_be_focused()


def enter_name(page: Page, name: str | None) -> None:
    """Type a name, or leave what is there."""
    if name is not None:
        page.get_by_label("Your name").fill(name)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Is this right?")).to_be_focused()


def take(page: Page) -> None:
    page.get_by_role("button", name="Take a number").click()


def to_confirm(page: Page, email: str, name: str = "Ada Lovelace") -> None:
    enter_email(page, email)
    enter_name(page, name)


# --- taking a number ------------------------------------------------------------------------------


def test_a_visitor_takes_a_number_and_staff_see_it(kiosk, desk):
    with desk.sit_down(desk.ana, 1) as ana:
        page = kiosk()
        to_confirm(page, "Ada.Lovelace@Example.org")
        expect(page.locator("#given")).to_contain_text("Ada Lovelace")
        expect(page.locator("#given")).to_contain_text("Ada.Lovelace@Example.org")
        take(page)
        expect(page.locator("#number")).to_have_text(LABEL)
        expect(page.get_by_role("heading", name="Your number")).to_be_focused()
        line = ana.wait_for("new ")
        while '"email":"Ada.Lovelace@Example.org"' not in line:
            line = ana.wait_for("new ")
        ticket = json.loads(line.removeprefix("new "))
        assert ticket["name"] == "Ada Lovelace"
        ana.ask(f"accept {ticket['id']}", "success claimed")
        ana.ask(f"complete {ticket['id']}", "success complete")
        ana.ask("unpick", "success unpick")
    assert page.locator("#email").input_value() == page.locator("#name").input_value() == ""
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_label("Your email address")).to_be_focused()
    expect(page.locator("#number")).to_be_hidden()


def test_a_name_that_the_desk_knows_is_filled_in_and_can_be_changed(kiosk, desk):
    desk.take_ticket("grace@example.org", "Grace")
    page = kiosk()
    enter_email(page, " GRACE@example.org ")
    expect(page.get_by_label("Your name")).to_have_value("Grace")
    expect(page.locator("#name-hint")).to_contain_text("your name from your last visit")
    enter_name(page, "Grace Hopper")
    page.get_by_role("button", name="Change the email address").click()
    expect(page.get_by_label("Your email address")).to_have_value("GRACE@example.org")
    # The same address: what was typed stays. Another one: another person.
    page.keyboard.press("Enter")
    expect(page.get_by_label("Your name")).to_have_value("Grace Hopper")
    page.get_by_role("button", name="Back").click()
    enter_email(page, "nobody@example.org")
    expect(page.locator("#name-hint")).to_contain_text("Your first name and your surname")
    expect(page.get_by_label("Your name")).to_have_value("")


def test_the_number_comes_with_the_place_in_line_and_an_estimate(fake_kiosk):
    page, fake = fake_kiosk()
    expect(page.locator("#line")).to_contain_text("2 people are waiting")
    expect(page.locator("#line")).to_contain_text("If you come now, it takes about 9 minutes.")
    to_confirm(page, "a@b.cd")
    take(page)
    expect(page.locator("#number")).to_have_text("B-007")
    expect(page.locator("#number-facts")).to_contain_text("2 people are ahead of you.")
    expect(page.locator("#number-facts")).to_contain_text("Your turn comes in about 10 minutes.")
    assert re.fullmatch(r"once [0-9a-f]{32} new a@b\.cd Ada Lovelace", fake.heard[-1])
    page.get_by_role("button", name="Done").click()
    fake.answers["once"][0] = 'ticket {"id":8,"label":"B-008","ahead":0,"estimate_s":null}'
    to_confirm(page, "a@b.cd")
    take(page)
    expect(page.locator("#number-facts")).to_contain_text("You are next.")
    expect(page.locator("#number-facts")).to_contain_text("We cannot say yet how long it will take.")
    keys = {line.split(" ")[1] for line in fake.heard if line.startswith("once ")}
    assert len(keys) == 2  # another visit, another ticket


def test_a_wait_is_rounded_up(kiosk):
    page = kiosk()
    said = {
        0: "about a minute",
        61: "about 2 minutes",
        601: "about 15 minutes",
        80 * 60: "about 80 minutes",
        100 * 60: "about 2 hours",
        130 * 60: "about 2.5 hours",
    }
    wait = """async (seconds) => {
      const { wait } = await import("/static/ticketing/words.js");
      return seconds.map((some) => wait(some));
    }"""
    assert page.evaluate(wait, list(said)) == list(said.values())


# --- mistakes, and a desk that says no ------------------------------------------------------------


def test_an_address_that_is_none_is_explained_before_anything_is_sent(fake_kiosk):
    page, fake = fake_kiosk()
    field = page.get_by_label("Your email address")
    for email, problem in (("", "Please type"), ("ada@", "not complete"), ("ada@home", "not complete")):
        field.fill(email)
        page.get_by_role("button", name="Continue").click()
        expect(page.locator("#email-error")).to_contain_text(problem)
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_be_focused()
        field.press_sequentially("x")
        expect(page.locator("#email-error")).to_be_empty()
        expect(field).not_to_have_attribute("aria-invalid", "true")
    assert fake.heard == []


def test_a_name_is_asked_for(kiosk):
    page = kiosk()
    enter_email(page, "linus@example.org")
    page.get_by_label("Your name").fill("  ")
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("#name-error")).to_have_text("Please type your name.")
    expect(page.get_by_label("Your name")).to_be_focused()


REFUSALS = [
    ("error message too many messages", "confirm", "a lot at once"),
    ("error once the key is not valid", "confirm", "did not work"),
    ("error new internal error", "confirm", "did not work"),
    ("error new the name is missing", "name", "Please type your name."),
    ("error new the name is too long", "name", "too long"),
    ("error new the email address is not valid", "email", "not complete"),
]


def test_each_refusal_is_said_in_a_visitors_words_where_it_can_be_put_right(fake_kiosk):
    page, fake = fake_kiosk()
    to_confirm(page, "a@b.cd", "Ada")
    for line, step, words in REFUSALS:
        fake.answers["once"] = [line]
        take(page)
        expect(page.locator(f"#step-{step}")).to_be_visible()
        expect(page.locator(f"#{step}-error")).to_contain_text(words)
        # Nothing that was typed is gone.
        assert (page.locator("#email").input_value(), page.locator("#name").input_value()) == (
            "a@b.cd",
            "Ada",
        )
        while step != "confirm" and page.locator("#step-confirm").is_hidden():
            page.get_by_role("button", name="Continue").click()
        expect(page.locator("#step-confirm")).to_be_visible()


def test_a_desk_that_says_no_names_is_no_obstacle(fake_kiosk):
    page, fake = fake_kiosk()
    fake.answers["query"] = ["error query too many requests"]
    enter_email(page, "a@b.cd")
    expect(page.locator("#name-hint")).to_contain_text("Your first name and your surname")
    fake.answers["query"] = []  # not even an answer
    page.get_by_role("button", name="Back").click()
    enter_email(page, "other@b.cd")
    expect(page.locator("#name-hint")).to_have_text("One moment…")
    enter_name(page, "Ada")
    take(page)
    expect(page.locator("#number")).to_have_text("B-007")


def test_while_the_database_is_away_the_kiosk_asks_again(fake_kiosk):
    page, fake = fake_kiosk()
    number = fake.answers["once"]
    fake.answers["once"] = [f"error new {UNAVAILABLE}"]
    stop_clock(page)
    to_confirm(page, "a@b.cd")
    take(page)
    expect(page.get_by_role("heading", name="your number is coming")).to_be_focused()
    page.wait_for_function("document.getElementById('step-taking').checkVisibility()")
    fake.answers["once"] = number
    page.clock.run_for(3_000)
    expect(page.locator("#number")).to_have_text("B-007")
    asked = [line for line in fake.heard if line.startswith("once ")]
    assert len(asked) == 2
    assert len(set(asked)) == 1


def test_a_kiosk_that_is_not_let_in_any_more_says_so(make_desk, new_context, complaints):
    complaints.expect("403|" + AWAY)
    desk = make_desk(TICKETING_OPEN_DEVICES="0")
    page = new_context(viewport=PORTRAIT).new_page()
    page.goto(f"{desk.url}/ticketing/kiosk/?token={desk.kiosk_token}&keyboard=0")
    expect(page).to_have_url(f"{desk.url}/ticketing/kiosk/?keyboard=0")
    expect(page.locator("live-state")).to_have_text(LIVE)
    page.context.clear_cookies()
    page.evaluate("""() => {
      const { socket } = document.querySelector("live-state");
      socket.stop();
      socket.start();
    }""")
    expect(page.get_by_role("heading")).to_contain_text("This screen is not in service.")
    expect(page.locator("#email")).to_be_hidden()
    assert violations(page) == []
    page.reload()
    expect(page.get_by_role("heading", name="This kiosk is not in service")).to_be_visible()
    assert violations(page) == []


# --- a connection that is lost --------------------------------------------------------------------


def test_keeps_what_was_typed_and_sends_it_once_the_desk_is_back(own_desk, new_context, complaints):
    complaints.expect(AWAY)
    page = new_context(viewport=PORTRAIT).new_page()
    page.goto(f"{own_desk.url}/ticketing/kiosk/")
    expect(page.locator("live-state")).to_have_text(LIVE)
    page.get_by_label("Your email address").fill("ada@example.org")
    own_desk.stop(signal.SIGKILL)
    expect(page.locator("#notice")).to_contain_text("There is no connection to the desk right now.")
    expect(page.locator("live-state [role=status]")).to_have_text(re.compile(r"^Not live since \d\d:\d\d"))
    expect(page.locator("#line")).to_be_hidden()
    assert violations(page) == []
    expect(page.get_by_label("Your email address")).to_have_value("ada@example.org")
    enter_email(page, "ada@example.org")
    enter_name(page, "Ada")
    take(page)
    expect(page.locator("#taking-late")).to_contain_text("Your number comes as soon as it is back")
    assert violations(page) == []
    own_desk.start()
    expect(page.locator("#number")).to_have_text("A-001", timeout=40_000)
    expect(page.locator("#notice")).to_be_hidden()
    assert own_desk.take_ticket("next@example.org", "Next")["id"] == 2  # and not more than one was made


def test_a_ticket_whose_answer_was_lost_is_one_ticket(kiosk, desk, new_context):
    """The connection ends after the desk has made the ticket, before the page hears of it."""
    page = new_context(viewport=PORTRAIT).new_page()
    sent: list[str] = []
    lost: list[str] = []

    def between(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def to_server(message: str | bytes) -> None:
            sent.append(str(message))
            server.send(message)

        def to_page(message: str | bytes) -> None:
            if lost or not str(message).startswith("ticket "):
                socket.send(message)
                return
            lost.append(str(message))
            socket.close(code=1011)
            server.close()

        socket.on_message(to_server)
        server.on_message(to_page)

    page.route_web_socket(re.compile("/ticketing/kiosk/"), between)
    kiosk("", page)
    before = desk.take_ticket("before@example.org", "Before")["id"]
    to_confirm(page, "twice@example.org", "Twice")
    take(page)
    expect(page.locator("#number")).to_be_visible()
    expect(page.locator("#number")).to_have_text(json.loads(lost[0].removeprefix("ticket "))["label"])
    asked = [line for line in sent if line.startswith("once ")]
    assert len(asked) == 2
    assert asked[0] == asked[1]
    assert desk.take_ticket("after@example.org", "After")["id"] == before + 2


def test_a_connection_that_gives_no_answer_is_given_up_for_a_new_one(fake_kiosk):
    page, fake = fake_kiosk()
    number, fake.answers["once"] = fake.answers["once"], []
    stop_clock(page)
    to_confirm(page, "a@b.cd")
    take(page)
    expect(page.locator("#step-taking")).to_be_visible()
    fake.answers["once"] = number
    page.clock.run_for(10_000)
    expect(page.locator("#number")).to_have_text("B-007")
    assert len(fake.sockets) == 2
    asked = [line for line in fake.heard if line.startswith("once ")]
    assert len(set(asked)) == 1


def test_a_ticket_that_nobody_waits_for_is_not_given_to_the_next_person(fake_kiosk):
    page, fake = fake_kiosk()
    number, fake.answers["once"] = fake.answers["once"], []
    to_confirm(page, "first@b.cd")
    take(page)
    expect(page.locator("#step-taking")).to_be_visible()
    page.get_by_role("button", name="Start again").click()
    expect(page.get_by_label("Your email address")).to_have_value("")
    expect(page.locator("#line")).to_be_visible()
    assert len(fake.sockets) == 2  # whatever is still said on the first one is not heard
    to_confirm(page, "second@b.cd")
    fake.answers["once"] = [line.replace("B-007", "B-008") for line in number]
    take(page)
    expect(page.locator("#number")).to_have_text("B-008")


# --- clearing the screen for the next person ------------------------------------------------------


def test_asks_before_it_clears_and_gives_more_time(fake_kiosk):
    page, _ = fake_kiosk()
    stop_clock(page)
    enter_email(page, "ada@example.org")
    page.get_by_label("Your name").fill("Ada")
    question = page.get_by_role("alertdialog", name="Do you need more time?")
    page.clock.run_for(59_000)
    expect(question).to_be_hidden()
    page.clock.run_for(1_500)
    expect(question).to_be_visible()
    expect(question).to_contain_text("In 30 seconds this screen starts again")
    expect(page.get_by_role("button", name="Yes, more time")).to_be_focused()
    page.clock.run_for(5_000)
    expect(page.locator("#idle-count")).to_have_text("25")
    page.clock.run_for(15_000)
    expect(page.locator("#idle-status")).to_contain_text("In 10 seconds")
    page.keyboard.press("Enter")
    expect(question).to_be_hidden()
    expect(page.get_by_label("Your name")).to_have_value("Ada")
    expect(page.get_by_label("Your name")).to_be_focused()
    # Whoever was slow once gets twice as long, as often as wanted.
    page.clock.run_for(119_000)
    expect(question).to_be_hidden()
    page.clock.run_for(1_500)
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    page.clock.run_for(239_000)
    expect(question).to_be_hidden()


def test_clears_everything_once_the_time_is_up(fake_kiosk):
    page, _ = fake_kiosk()
    stop_clock(page)
    page.get_by_role("button", name="Deutsch").click()
    page.locator("#email").fill("ada@example.org")
    page.keyboard.press("Enter")
    page.locator("#name").fill("Ada")
    page.clock.run_for(61_000)
    expect(page.get_by_role("alertdialog", name="Brauchen Sie mehr Zeit?")).to_be_visible()
    page.clock.run_for(31_000)
    expect(page.get_by_label("Your email address")).to_be_focused()
    expect(page.get_by_role("alertdialog")).to_be_hidden()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    html = page.content()
    assert "Ada" not in html
    assert page.locator("#email").input_value() == page.locator("#name").input_value() == ""
    # With nothing to clear there is nothing to ask.
    page.clock.run_for(600_000)
    expect(page.get_by_role("alertdialog")).to_be_hidden()


def test_a_number_leaves_the_screen_too_and_stays_valid(fake_kiosk):
    page, _ = fake_kiosk()
    stop_clock(page)
    to_confirm(page, "a@b.cd")
    take(page)
    expect(page.locator("#number")).to_be_visible()
    page.clock.run_for(31_000)
    expect(page.get_by_role("alertdialog")).to_contain_text("Your number stays valid.")
    page.get_by_role("button", name="No, I am done").click()
    expect(page.get_by_label("Your email address")).to_be_focused()
    assert "B-007" not in page.content()


# --- the slip -------------------------------------------------------------------------------------


def test_the_slip_is_all_that_is_printed(fake_kiosk):
    page, _ = fake_kiosk()
    page.add_style_tag(url="/static/ticketing/slip.css")  # it has come by itself; this waits for it
    to_confirm(page, "a@b.cd", "Ada Lovelace")
    take(page)
    expect(page.locator("#number")).to_be_visible()
    expect(page.locator("#slip")).to_be_hidden()
    page.emulate_media(media="print")
    expect(page.locator("#slip")).to_be_visible()
    expect(page.locator("#number")).to_be_hidden()
    text = page.locator("body").inner_text()
    for part in (
        "Ticket desk",
        "B-007",
        "Place in line: 3",
        "Your turn comes in about 10 minutes.",
        "March 1, 2026, 09:05",
        "Watch the display",
    ):
        assert part in text
    assert "Ada" not in text
    assert "a@b.cd" not in text
    for width in ("80mm", "210mm"):
        pages = page.pdf(width=width, height="297mm")
        assert len(re.findall(rb"/Type\s*/Page\b", pages)) == 1
    # 72 mm of paper, as a printer of 80 mm has, and black on white whatever the screen is.
    page.emulate_media(media="print", color_scheme="dark")
    page.set_viewport_size({"width": 272, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= 272
    slip = page.locator("#slip-number")
    assert slip.evaluate("(element) => element.scrollWidth <= element.clientWidth")
    assert slip.evaluate("(element) => getComputedStyle(element).color") == "rgb(0, 0, 0)"


def test_prints_when_asked_and_by_itself_only_where_the_address_says_so(fake_kiosk, new_context):
    for query, by_itself, offered in (("", 0, True), ("?print=1", 1, True), ("?print=0", 0, False)):
        page, _ = fake_kiosk(query)
        page.evaluate("() => { window.printed = 0; window.print = () => void (window.printed += 1); }")
        to_confirm(page, "a@b.cd")
        take(page)
        expect(page.locator("#number")).to_be_visible()
        assert page.evaluate("window.printed") == by_itself
        button = page.get_by_role("button", name="Print")
        assert button.is_visible() is offered
        if offered:
            button.click()
            assert page.evaluate("window.printed") == by_itself + 1
        page.context.close()


# --- without a mouse, without sight, in other languages -------------------------------------------


def test_a_keyboard_is_enough(fake_kiosk):
    page, _ = fake_kiosk()
    expect(page.get_by_label("Your email address")).to_be_focused()
    page.keyboard.type("a@b.cd")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Your name")).to_be_focused()
    page.keyboard.type("Ada")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Delete everything")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Is this right?")).to_be_focused()
    for _ in range(4):
        page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Take a number")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your number")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Done")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.get_by_label("Your email address")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("button", name="العربية")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")


def test_a_screen_reader_is_told_what_a_field_is_for_and_what_is_wrong(fake_kiosk):
    page, fake = fake_kiosk()
    field = page.get_by_role("textbox", name="Your email address")
    expect(field).to_have_accessible_description(re.compile("For example ada@example.com"))
    field.press("Enter")
    expect(field).to_have_accessible_description(re.compile("^Please type your email address."))
    fake.answers["query"] = ["success query Ada"]
    enter_email(page, "a@b.cd")
    hint = page.locator("#name-hint")
    expect(hint).to_have_text(re.compile("your name from your last visit"))
    expect(hint).to_have_attribute("role", "status")
    expect(page.get_by_role("textbox", name="Your name")).to_have_accessible_description(
        re.compile("your name from your last visit")
    )
    enter_name(page, None)
    take(page)
    heading = page.get_by_role("heading", name="Your number B-007")
    expect(heading).to_have_accessible_description(
        re.compile("2 people are ahead of you. Your turn comes in about 10 minutes. Watch the display")
    )
    expect(page).to_have_title("Your number B-007 – Ticket desk")


def test_the_keyboard_on_the_screen(fake_kiosk):
    page, fake = fake_kiosk("?keyboard=1", has_touch=True)
    keys = page.get_by_role("region", name="Keyboard on the screen")
    field = page.get_by_label("Your email address")
    expect(field).to_have_attribute("inputmode", "none")
    for letter in "ad@b.cd":
        keys.get_by_role("button", name=letter, exact=True).tap()
    expect(field).to_have_value("ad@b.cd")
    expect(field).to_be_focused()
    field.evaluate("(field) => field.setSelectionRange(2, 2)")
    keys.get_by_role("button", name="Delete the last letter").tap()
    expect(field).to_have_value("a@b.cd")
    page.get_by_role("button", name="Continue").tap()
    name = page.get_by_label("Your name")
    expect(name).to_be_focused()
    # A capital letter to begin with, and after a space.
    for letter in ("A", "d", "a", "Space", "L"):
        keys.get_by_role("button", name=letter, exact=True).tap()
    expect(name).to_have_value("Ada L")
    keys.get_by_role("button", name="Capital letter").tap()
    keys.get_by_role("button", name="O", exact=True).tap()
    expect(name).to_have_value("Ada LO")
    # The letters of the other languages.
    keys.get_by_role("button", name="Other letters").tap()
    expect(keys.get_by_role("button", name="Ü", exact=True).or_(keys.get_by_text("ü"))).to_be_visible()
    keys.get_by_role("button", name="Other letters").tap()
    keys.get_by_role("button", name="ش", exact=True).tap()
    expect(name).to_have_value("Ada LOش")
    page.get_by_role("button", name="Hide the keyboard").tap()
    expect(keys).to_be_hidden()
    expect(name).to_have_attribute("inputmode", "text")
    assert not any(line.startswith("once") for line in fake.heard)


def test_the_keyboard_on_the_screen_is_one_stop_and_has_arrows(fake_kiosk):
    page, _ = fake_kiosk("?keyboard=1")
    field = page.get_by_label("Your email address")
    keys = page.get_by_role("region", name="Keyboard on the screen")
    page.get_by_role("button", name="Continue").focus()
    page.keyboard.press("Tab")
    expect(keys.get_by_role("button", name="1", exact=True)).to_be_focused()
    for key in ("ArrowDown", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    expect(field).to_have_value("w")
    expect(page.locator("#announcements")).to_have_text("w")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(keys.get_by_role("button", name="0", exact=True)).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Start again")).to_be_focused()


def test_a_large_touch_screen_has_the_keyboard_and_a_phone_its_own(fake_kiosk):
    screen, _ = fake_kiosk("", has_touch=True, is_mobile=True)
    expect(screen.locator("#keys")).to_be_visible()
    phone, _ = fake_kiosk("", has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    expect(phone.locator("#keys")).to_be_hidden()
    expect(phone.get_by_role("button", name="Show the keyboard")).to_be_visible()
    never, _ = fake_kiosk("?keyboard=0", has_touch=True, is_mobile=True)
    expect(never.locator("#keys")).to_be_hidden()
    expect(never.locator("#keys-toggle")).to_be_hidden()


def test_arabic_runs_from_right_to_left_and_its_plurals_are_right(fake_kiosk):
    page, fake = fake_kiosk()
    page.get_by_role("button", name="العربية").click()
    expect(page.locator("html")).to_have_attribute("lang", "ar")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    expect(page.get_by_role("heading", name="خذ رقمًا")).to_be_visible()
    expect(page.locator("#line")).to_contain_text("شخصان ينتظران")
    for waiting, words in ((1, "شخص واحد ينتظر"), (3, "3 أشخاص ينتظرون"), (11, "11 شخصًا ينتظرون")):
        fake.sockets[-1].send(f'line {{"waiting":{waiting},"estimate_s":null}}')
        expect(page.locator("#line-waiting")).to_have_text(words)
    assert page.locator("#place").bounding_box()["x"] > PORTRAIT["width"] / 2
    assert page.locator("#languages").bounding_box()["x"] < PORTRAIT["width"] / 2
    # An address is written from left to right in every language.
    assert page.locator("#email").evaluate("(element) => getComputedStyle(element).direction") == "ltr"
    page.locator("#email").fill("a@b.cd")
    page.keyboard.press("Enter")
    page.locator("#name").fill("آدا")
    page.keyboard.press("Enter")
    page.locator("#take").click()
    expect(page.locator("#ahead")).to_have_text("أمامك شخصان.")
    expect(page.locator("#number")).to_have_text("B-007")
    expect(page.locator("#estimate")).to_have_text("يحين دورك بعد 10 دقائق تقريبًا.")
    assert violations(page) == []
    page.locator("#done").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_the_language_can_be_changed_at_every_step_and_nothing_is_lost(fake_kiosk):
    page, _ = fake_kiosk()
    to_confirm(page, "a@b.cd", "Ada")
    page.get_by_role("button", name="Deutsch").click()
    expect(page.get_by_role("heading", name="Stimmt das so?")).to_be_visible()
    expect(page).to_have_title("Stimmt das so? – Empfang")
    expect(page.locator("#given-name")).to_have_text("Ada")
    expect(page.locator("live-state")).to_have_text(re.compile(r"^Live seit \d\d:\d\d"))
    page.get_by_role("button", name="Nummer ziehen").click()
    expect(page.locator("#ahead")).to_have_text("2 Personen sind vor Ihnen.")
    page.get_by_role("button", name="English").click()
    expect(page.locator("#ahead")).to_have_text("2 people are ahead of you.")
    expect(page.locator("#estimate")).to_have_text("Your turn comes in about 10 minutes.")


def test_every_language_has_the_same_words(page, desk):
    """The same blocks, keys and values in each file, and a text for each plural form of the language."""
    page.goto(f"{desk.url}/ticketing/kiosk/")
    problems = page.evaluate("""async () => {
      const codes = JSON.parse(document.getElementById("desk-data").textContent).languages;
      const files = await Promise.all(codes.map((code) => import(`/static/ticketing/words/${code}.js`)));
      const problems = [];
      const flat = (file) => Object.fromEntries(Object.entries(file.default).flatMap(([block, words]) =>
        Object.entries(words).map(([key, word]) => [`${block}.${key}`, word])));
      const names = (text) => [...new Set(text.match(/\\{\\w+\\}/g))].sort().join();
      const reference = flat(files[0]);
      codes.forEach((code, index) => {
        const words = flat(files[index]);
        for (const key of new Set([...Object.keys(reference), ...Object.keys(words)])) {
          const [ours, theirs] = [words[key], reference[key]];
          if (ours === undefined || theirs === undefined) {
            problems.push(`${code}: ${key} is not in every file`);
          } else if (typeof ours !== typeof theirs) {
            problems.push(`${code}: ${key} has plural forms in one file only`);
          } else if (typeof ours === "string") {
            if (!ours.trim()) problems.push(`${code}: ${key} is empty`);
            if (names(ours) !== names(theirs)) problems.push(`${code}: ${key} has other values`);
          } else {
            const forms = new Intl.PluralRules(code).resolvedOptions().pluralCategories;
            // Or one for all, where the words around the number stay the same.
            if (!["other", [...forms].sort().join()].includes(Object.keys(ours).sort().join())) {
              problems.push(`${code}: ${key} has not the forms ${forms}`);
            }
            // "one" and "two" may be a word instead of the number.
            if (names(ours.other) !== names(theirs.other)) problems.push(`${code}: ${key} has other values`);
            const unknown = Object.values(ours).flatMap((text) => text.match(/\\{\\w+\\}/g) ?? [])
              .filter((name) => !names(theirs.other).includes(name));
            if (unknown.length) problems.push(`${code}: ${key} has unknown values ${unknown}`);
          }
        }
        if (!["ltr", "rtl"].includes(words["common.direction"])) problems.push(`${code}: direction`);
      });
      return problems;
    }""")
    assert problems == []


# --- looks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_has_no_objection_at_any_step(fake_kiosk, scheme):
    page, _ = fake_kiosk("?keyboard=1", color_scheme=scheme, reduced_motion="reduce")
    page.clock.install()
    assert violations(page) == []
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("#email-error")).not_to_be_empty()
    assert violations(page) == []
    enter_email(page, "a@b.cd")
    page.get_by_label("Your name").fill("Ada")
    assert violations(page) == []
    enter_name(page, None)
    assert violations(page) == []
    take(page)
    expect(page.locator("#number")).to_be_visible()
    assert violations(page) == []
    page.clock.fast_forward(31_000)
    expect(page.get_by_role("alertdialog")).to_be_visible()
    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_has_no_objection_to_the_pages_around_it(new_context, desk, complaints, scheme):
    complaints.expect("403")
    page = new_context(color_scheme=scheme).new_page()
    for path in ("", "staff/", "kiosk/?token=wrong"):
        page.goto(f"{desk.url}/ticketing/{path}")
        page.wait_for_load_state("networkidle")
        assert violations(page) == [], path


def test_what_is_touched_is_large_and_nothing_needs_scrolling(fake_kiosk):
    page, _ = fake_kiosk("?keyboard=1")
    small = """(least) => [...document.querySelectorAll("button, input")]
      .filter((element) => element.checkVisibility())
      .filter((element) => {
        const { width, height } = element.getBoundingClientRect();
        return Math.min(width, height) < least;
      })
      .map((element) => element.outerHTML)"""
    steps = [
        lambda: None,
        lambda: enter_email(page, "a@b.cd"),
        lambda: enter_name(page, "Ada"),
        lambda: take(page),
    ]
    for step in steps:
        step()
        assert page.evaluate(small, 60) == []
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    expect(page.locator("#number")).to_be_visible()
    # The number is read from where the next ones stand.
    assert page.locator("#number").bounding_box()["height"] > 250


def test_nothing_is_cut_off_on_other_screens(fake_kiosk):
    page, fake = fake_kiosk("?keyboard=1")
    fake.answers["once"][0] = 'ticket {"id":8,"label":"ABC-1008","ahead":12,"estimate_s":null}'
    sizes = [(1280, 800), (640, 400), (320, 256), (390, 844), (844, 390), (2160, 3840)]

    def check() -> None:
        for language in ("English", "Deutsch", "العربية"):
            page.get_by_role("button", name=language).click()
            for width, height in sizes:
                page.set_viewport_size({"width": width, "height": height})
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (language, width)
                assert page.evaluate(_OUTSIDE) == [], (language, width)
        page.get_by_role("button", name="English").click()

    page.get_by_role("button", name="Continue").click()
    check()
    to_confirm(page, f"{'long' * 20}@example.org", "Wolfeschlegelsteinhausenbergerdorff " * 4)
    check()
    take(page)
    expect(page.locator("#number")).to_have_text("ABC-1008")
    check()
    for width, height in sizes:
        page.set_viewport_size({"width": width, "height": height})
        assert page.locator("#number").evaluate("(element) => element.scrollWidth <= element.clientWidth")


# --- signing in -----------------------------------------------------------------------------------


def test_staff_sign_in_in_their_language(page, desk):
    page.goto(f"{desk.url}/ticketing/staff/")
    page.get_by_role("button", name="Deutsch").click()
    expect(page.get_by_role("heading", name="Anmelden")).to_be_visible()
    page.get_by_label("Benutzername").fill("ana")
    page.get_by_label("Passwort", exact=True).fill("nonsense")
    page.get_by_role("button", name="Anmelden").click()
    expect(page.get_by_role("alert")).to_contain_text("passen nicht zusammen")
    expect(page.get_by_label("Benutzername")).to_have_value("ana")
    expect(page.get_by_label("Passwort", exact=True)).to_be_focused()
    assert violations(page) == []
    page.get_by_label("Passwort anzeigen").check()
    expect(page.get_by_label("Passwort", exact=True)).to_have_attribute("type", "text")
    page.get_by_label("Passwort", exact=True).fill(desk.ana.password)
    page.keyboard.press("Enter")
    expect(page.locator("#sign-in")).to_have_count(0)


def test_who_does_not_serve_is_told_so(page, desk):
    page.goto(f"{desk.url}/ticketing/staff/")
    page.get_by_label("User name").fill("visitor")
    page.get_by_label("Password", exact=True).fill(desk.ana.password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("does not serve at the desk")
