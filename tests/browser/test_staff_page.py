"""The page of those who serve, in Chromium: clerks at a real desk, each in a browser of their own."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.clerks import PATH, Clerk, by_token, manager, sign_in, take, token_of
from tests.browser.conftest import Complaints

pytest_plugins = ["tests.browser.desk", "tests.browser.clerk_pages"]
pytestmark = pytest.mark.chromium

LIVE = re.compile(r"^Live since \d\d:\d\d")
NOT_LIVE = re.compile(r"^Not live since \d\d:\d\d")


def test_a_visit_from_the_line_to_its_end(clerk, desk):
    ana = clerk(desk, desk.ana).sit_down("Table 1")
    expect(ana.page.locator("live-state")).to_have_text(LIVE)
    expect(ana.page).to_have_title("Desk – Table 1")
    expect(ana.page.locator("#figure-served")).to_have_text(re.compile(r"^\d+$"))
    served = int(ana.page.locator("#figure-served").inner_text())
    label = take(desk, "Ada")
    expect(ana.row(label)).to_contain_text("Ada")
    expect(ana.row(label)).to_contain_text("ada@example.org")
    expect(ana.row(label)).to_contain_text("< 1 min")
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
    ana.press("Cancel ticket")
    ana.press("Go back")
    expect(ana.card(second).get_by_role("button", name="Cancel ticket")).to_be_focused()
    # Leaving is asked about while somebody is there, and the visitor stays mine.
    ana.press("Leave the table")
    dialog = ana.page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"{second} stays yours")
    dialog.get_by_role("button", name="Stay").click()
    expect(dialog).to_be_hidden()
    ana.press("Leave the table")
    dialog.get_by_role("button", name="Leave all the same").click()
    ana.sit_down("Table 2")
    ana.press("Cancel ticket")
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
