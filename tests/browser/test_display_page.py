"""The waiting room's display in Chromium: with a desk at work, and with a socket of the test's making."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.clocks import let_draw, stop_clock
from tests.browser.waiting_room import PATH, is_live, make_screen, open_room, said, tables, tile
from tests.e2e.servers import until

if TYPE_CHECKING:
    from tests.browser.desk import Desk, Person, Wire

pytest_plugins = ["tests.browser.desk", "tests.browser.clerk_pages"]
pytestmark = pytest.mark.chromium


@pytest.fixture
def new_screen(new_context: Callable[..., BrowserContext]) -> Callable[..., Page]:
    return partial(make_screen, new_context)


# --- with a desk at work ----------------------------------------------------------------------------


def take_ticket(desk: Desk) -> tuple[int, str]:
    """Take a ticket at a kiosk: its ID and its number as people read it."""
    with desk.wire("kiosk", "?extended=1") as kiosk:
        line = kiosk.ask("new ada@example.org Ada", "ticket ")
    ticket = json.loads(line.removeprefix("ticket "))
    return ticket["id"], ticket["label"]


def leave(staff: Wire) -> None:
    staff.ask("unpick", "success unpick")
    staff.close()


def sit_down(desk: Desk, person: Person, table: int, page: Page) -> Wire:
    staff = desk.sit_down(person, table)
    expect(tile(page, table)).to_have_attribute("data-state", "free")
    return staff


@pytest.mark.usefixtures("tidy_desk")
def test_a_call_is_shown_large_at_its_table_and_in_words_and_goes_when_it_is_done(new_screen, desk):
    page = new_screen()
    page.goto(desk.url + PATH)
    expect(tile(page, 0)).to_contain_text("Reception")
    expect(tile(page, 3)).to_contain_text("Table 3")
    expect(tile(page, 3)).to_contain_text("Closed")
    ticket_id, label = take_ticket(desk)
    expect(page.locator("#waiting")).to_have_text("1 person is waiting")
    ana = sit_down(desk, desk.ana, 3, page)
    expect(tile(page, 3)).to_contain_text("Free")
    assert said(page) == [], "a ticket that waits is not called"
    ana.ask(f"accept {ticket_id}", "success claimed")
    expect(tile(page, 3)).to_contain_text(label)
    expect(page.locator("#now")).to_contain_text(label)
    expect(page.locator("#now")).to_contain_text("please go to")
    expect(page.locator("#now-table")).to_have_text("Table 3")
    expect(page.locator("#waiting")).to_have_text("Nobody is waiting")
    expect(page.locator("#announcements")).to_have_text(f"{label}, please go to Table 3")
    assert said(page) == [f"en-US: {label}, please go to Table 3"]
    ana.ask(f"complete {ticket_id}", "success complete")
    expect(tile(page, 3)).to_contain_text("Free")
    expect(tile(page, 3)).not_to_contain_text(label)
    expect(page.locator("#now-idle")).to_be_visible()
    expect(page.locator("#last > li")).to_have_count(1)
    expect(page.locator("#last > li")).to_contain_text(f"{label}")
    leave(ana)
    expect(tile(page, 3)).to_contain_text("Closed")


def test_a_screen_that_comes_later_shows_the_same_and_calls_nobody(new_screen, desk):
    page = new_screen()
    page.goto(desk.url + PATH)
    ticket_id, label = take_ticket(desk)
    ana = sit_down(desk, desk.ana, 3, page)
    ana.ask(f"accept {ticket_id}", "success claimed")
    expect(page.locator("#now-number")).to_have_text(label)
    later = new_screen()
    later.goto(desk.url + PATH)
    expect(tile(later, 3)).to_contain_text(label)
    expect(later.locator("#now-number")).to_have_text(label)
    assert later.locator("#tables").inner_text() == page.locator("#tables").inner_text()
    assert said(later) == []
    page.reload()
    expect(page.locator("#now-number")).to_have_text(label)
    expect(page.locator("#last")).to_have_text("", use_inner_text=True)
    assert said(page) == []
    ana.ask(f"complete {ticket_id}", "success complete")
    leave(ana)


def test_it_comes_back_by_itself_after_a_restart_of_the_server(new_screen, own_desk, complaints):
    complaints.expect("WebSocket connection to|ERR_CONNECTION|ERR_SOCKET|ERR_EMPTY")
    page = new_screen()
    page.goto(own_desk.url + PATH)
    ticket_id, label = take_ticket(own_desk)
    ana = sit_down(own_desk, own_desk.ana, 1, page)
    ana.ask(f"accept {ticket_id}", "success claimed")
    expect(tile(page, 1)).to_contain_text(label)
    page.evaluate("document.documentElement.dataset.sameDocument = 'yes'")
    own_desk.stop()
    expect(page.locator("#lost")).to_contain_text("Not live since")
    expect(page.locator("live-state")).to_contain_text("Not live since")
    expect(tile(page, 1), "what was known stays readable").to_contain_text(label)
    own_desk.start()
    is_live(page)
    expect(page.locator("#lost")).to_be_hidden()
    expect(tile(page, 1)).to_contain_text(label)
    assert page.evaluate("document.documentElement.dataset.sameDocument") == "yes"
    assert len(said(page)) == 1, "the snapshot calls nobody"
    with own_desk.sit_down(own_desk.ana, 1) as ana:
        ana.ask(f"complete {ticket_id}", "success complete")
        expect(tile(page, 1)).to_contain_text("Free")


# --- with a socket of the test's making ------------------------------------------------------------------


def test_calls_are_made_one_after_another_and_each_names_its_table(new_screen, desk):
    page = new_screen()
    page.clock.install()
    line = open_room(page, desk, tables(9))
    stop_clock(page)
    page.evaluate("holdBreath = true")
    for table, ticket_id in ((0, 11), (3, 12), (6, 13), (3, 12)):
        line.call(table, ticket_id)
    let_draw(page)
    expect(tile(page, 6)).to_contain_text("A-013")
    expect(page.locator("#now-number")).to_have_text("A-011")
    sentences = [f"en-US: A-0{n}, please go to Counter {table}" for n, table in ((11, 1), (12, 4), (13, 7))]
    for number, sentence in enumerate(sentences, start=1):
        # A sentence takes as long as it takes: nothing else is said or shown large meanwhile.
        page.clock.run_for(4_500)
        expect(page.locator("#now-number")).to_have_text(f"A-01{number}")
        assert said(page) == sentences[:number], sentence
        page.evaluate("endSentence()")
    page.clock.run_for(10_000)
    assert said(page) == sentences, "the second call for a waiting ticket is the same call"
    expect(page.locator("#last > li")).to_have_count(2)
    assert [row.split()[0] for row in page.locator("#last > li").all_inner_texts()] == ["A-012", "A-011"]


def test_a_ticket_finished_before_its_turn_is_not_called(new_screen, desk):
    page = new_screen()
    page.clock.install()
    line = open_room(page, desk, tables(9))
    stop_clock(page)
    page.evaluate("holdBreath = true")
    line.call(0, 11)
    line.call(3, 12)
    line.call(6, 13)
    line.tell("cancel 3")
    # Of two at one table the one called first ends: the other is shown as before, and called.
    line.call(0, 14)
    line.call(0, 15)
    line.tell("complete 0", "claimed 0 15")
    page.evaluate("holdBreath = false, endSentence()")
    page.clock.run_for(5_000)
    expect(page.locator("#now-number")).to_have_text("A-013")
    page.clock.run_for(5_000)
    expect(page.locator("#now-number")).to_have_text("A-015")
    assert [sentence.split()[1] for sentence in said(page)] == ["A-011,", "A-013,", "A-015,"]


def test_it_speaks_several_languages_one_after_another(new_screen, desk):
    page = new_screen()
    line = open_room(page, desk, tables(3, name=""), "?lang=en&say=de,en,xx,ar")
    line.call(0, 17)
    expect(page.locator("#now-number")).to_have_text("A-017")
    heard = [
        "de-DE: A-017, bitte zu Tisch 0",
        "en-US: A-017, please go to Table 0",
        "ar-SA: A-017، يرجى التوجه إلى الطاولة 0",
    ]
    until(lambda: len(said(page)) == 3, within_s=10, what="the third sentence")
    assert said(page) == heard


def test_the_browser_that_blocks_sound_is_told_on_screen_and_a_button_turns_it_on(new_screen, desk):
    page = new_screen(blocked=True)
    line = open_room(page, desk, tables(6))
    banner = page.locator("#blocked")
    expect(banner).to_contain_text("There is no sound yet")
    line.call(0, 11)
    expect(page.locator("#now-number")).to_have_text("A-011")
    assert said(page) == []
    banner.get_by_role("button", name="Turn the sound on").click()
    expect(banner).to_be_hidden()
    expect(page.locator("#sound")).to_have_text("Turn the sound off")
    line.call(3, 12)
    expect(page.locator("#now-number")).to_have_text("A-012")
    until(lambda: said(page), within_s=10, what="the sentence")
    page.locator("#sound").click()
    expect(page.locator("#muted")).to_have_text("Sound is off")
    page.reload()
    expect(page.locator("#muted")).to_be_visible()
    expect(banner).to_be_hidden()


def test_after_a_gap_it_shows_what_is_and_announces_nothing_of_it(new_screen, desk):
    page = new_screen()
    line = open_room(page, desk, tables(9, serving={0: 11, 3: 12}))
    expect(page.locator("#now-number")).to_have_text("A-012")
    line.let_in = False
    line.drop()
    expect(page.locator("#lost")).to_contain_text("Calls may be missing here")
    expect(tile(page, 0)).to_contain_text("A-011")
    line.snapshot = tables(9, serving={3: 12, 6: 14})
    line.let_in = True
    is_live(page)
    expect(tile(page, 6)).to_contain_text("A-014")
    expect(tile(page, 0)).to_contain_text("Free")
    expect(page.locator("#now-number"), "whoever missed the call still sees it").to_have_text("A-014")
    assert said(page) == []


def test_a_display_that_is_shut_out_says_so_and_asks_again(new_screen, desk):
    page = new_screen()
    page.clock.install()
    line = open_room(page, desk, tables(3))
    line.drop(4403)
    expect(page.locator("#lost")).to_contain_text("This display is not in service")
    page.clock.run_for(60_000)
    is_live(page)
    expect(page.locator("#lost")).to_be_hidden()


def test_a_display_that_is_refused_at_the_door_says_so_too(new_screen, desk, complaints):
    complaints.expect("403")
    page = new_screen()
    line = open_room(page, desk, tables(3))
    page.route(f"**{PATH}", lambda route: route.fulfill(status=403))
    line.let_in = False
    line.drop()
    expect(page.locator("#lost")).to_contain_text("This display is not in service")
    line.let_in = True
    page.get_by_role("button", name="Try now").click()
    is_live(page)
    expect(page.locator("#lost")).to_be_hidden()


def test_only_chosen_tables_are_shown_and_called(new_screen, desk):
    page = new_screen()
    line = open_room(page, desk, tables(9), "?tables=6,0")
    expect(page.locator(".tile")).to_have_count(2)
    assert page.locator(".tile__name").all_inner_texts() == ["Counter 7", "Counter 1"]
    line.call(3, 11)
    line.call(6, 12)
    expect(page.locator("#now-number")).to_have_text("A-012")
    assert len(said(page)) == 1


def test_a_label_or_a_name_is_text_whatever_it_looks_like(new_screen, desk):
    page = new_screen()
    line = open_room(page, desk, tables(3, name="<b>{}</b><img src=x onerror=alert(1)>"))
    line.tell('ticket {"id":1,"label":"<i>1</i>","table":0}', "claimed 0 1", "call 0 1")
    expect(page.locator("#now-number")).to_have_text("<i>1</i>")
    expect(page.locator("#now-table")).to_contain_text("<b>1</b>")
    assert page.locator("main img, main b, main i").count() == 0
