"""The page of a channel, used as people use it."""

import json
import re
import subprocess

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Installation

pytestmark = pytest.mark.chromium

LIVE = re.compile(r"Live since \d\d:\d\d")


def open_channel(page: Page, server: Installation, channel: str) -> Page:
    """Open the channel's page and wait until it is live and has been told who else is there."""
    page.goto(f"{server.url}/{channel}/listen")
    expect(page.locator("live-state")).to_contain_text(LIVE)
    expect(page.locator("#members")).to_contain_text("you")
    return page


def emit(server: Installation, channel: str, payload: object, **headers: str) -> dict[str, object]:
    response = httpx.post(f"{server.url}/{channel}/emit", json=payload, headers=headers)
    assert response.status_code == 200, response.text
    return response.json()


def events(page: Page):
    return page.locator("#events > li")


def test_two_tabs_get_what_is_emitted_with_curl(new_context, server):
    one = open_channel(new_context().new_page(), server, "two-tabs")
    other = open_channel(new_context().new_page(), server, "two-tabs")
    curl = one.locator("#curl").inner_text()
    answer = subprocess.run(curl, shell=True, capture_output=True, text=True, check=True)
    result = json.loads(answer.stdout)
    assert result["clients"] == 2
    for page in (one, other):
        expect(events(page)).to_have_count(1)
        expect(events(page)).to_contain_text('{"hello": "world"}')
        expect(events(page)).to_contain_text(result["eventID"])
        expect(events(page).locator("time")).to_have_text(re.compile(r"^\d\d:\d\d:\d\d\.\d{3}$"))


def test_sends_what_the_form_says_and_reports_it(page, server):
    open_channel(page, server, "form")
    page.get_by_label("Payload").fill('{"order": 12345678901234567890}')
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#emit-result")).to_have_text("Sent to 1 client.")
    expect(events(page)).to_contain_text('{"order": 12345678901234567890}')


def test_the_curl_line_survives_quotes_and_follows_the_form(page, server):
    open_channel(page, server, "quotes")
    page.get_by_label("Payload").fill('{"text": "it\'s $HOME `date` \\\\ \\u0041"}')
    page.get_by_text("Recipients and acknowledgement").click()
    page.get_by_label("Clients").fill("1")
    curl = page.locator("#curl").inner_text()
    assert "/quotes/emit?clients=1'" in curl
    answer = json.loads(subprocess.run(curl, shell=True, capture_output=True, text=True, check=True).stdout)
    assert answer["success"] is True
    expect(events(page)).to_contain_text('{"text": "it\'s $HOME `date` \\\\ A"}')


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "Write a payload first"),
        ("hello", 'Plain text goes between quotes: "hello".'),
        ('{"a": ', "This is not JSON yet"),
        ("{}", "An empty object or null counts as no payload"),
        (" null ", "An empty object or null counts as no payload"),
    ],
)
def test_a_payload_that_is_none_is_explained_before_anything_is_sent(page, server, text, problem):
    open_channel(page, server, "problems")
    payload = page.get_by_label("Payload")
    payload.fill(text)
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#payload-error")).to_contain_text(problem)
    expect(payload).to_have_attribute("aria-invalid", "true")
    expect(payload).to_be_focused()
    payload.fill('"fine"')
    expect(page.locator("#payload-error")).to_be_empty()
    expect(payload).not_to_have_attribute("aria-invalid", "true")
    expect(events(page)).to_have_count(0)


def test_emitting_needs_no_mouse(page, server):
    open_channel(page, server, "keyboard")
    page.keyboard.press("Tab")
    expect(page.locator(".skip-link")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "payload":
            break
    expect(page.get_by_label("Payload")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type('{"typed": true}')
    page.keyboard.press("Control+Enter")
    expect(events(page)).to_contain_text('{"typed": true}')
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Send")).to_be_focused()
    page.keyboard.press("Enter")
    expect(events(page)).to_have_count(2)
    expect(page.get_by_role("button", name="Send")).to_be_focused()


def test_members_come_show_a_name_and_go(new_context, server):
    one = open_channel(new_context().new_page(), server, "members")
    expect(one.locator("#member-count")).to_have_text("1 member")
    other = open_channel(new_context().new_page(), server, "members")
    expect(one.locator("#member-count")).to_have_text("2 members")
    expect(one.locator("#members li").first).to_contain_text("you")
    other.get_by_label("Your name").fill("Ada <b>Lovelace</b>")
    other.get_by_role("button", name="Set name").click()
    expect(one.locator("#members li").nth(1)).to_contain_text("Ada <b>Lovelace</b>")
    expect(other.locator("#members li").first).to_contain_text("Ada <b>Lovelace</b>")
    expect(other.locator("#toasts")).to_contain_text("You are shown as Ada <b>Lovelace</b>.")
    other.reload()
    expect(one.locator("#members li").nth(1)).to_contain_text("Ada")
    other.close()
    expect(one.locator("#members li")).to_have_count(1)
    expect(one.locator("#member-count")).to_have_text("1 member")


def test_says_who_acknowledged_and_who_did_not(new_context, server, complaints):
    complaints.expect("408")
    one = open_channel(new_context().new_page(), server, "acks")
    other = open_channel(new_context().new_page(), server, "acks")
    other.get_by_label("Your name").fill("Grace")
    other.get_by_role("button", name="Set name").click()
    expect(one.locator("#members")).to_contain_text("Grace")
    one.get_by_text("Recipients and acknowledgement").click()
    one.get_by_label("Wait until everyone has acknowledged").check()
    one.get_by_role("button", name="Send").click()
    expect(one.locator("#emit-result")).to_contain_text("Sent to 2 clients. Acknowledged by")
    expect(one.locator("#emit-result")).to_contain_text("Grace (client_")
    expect(one.locator("#emit-result")).to_contain_text("you")
    expect(events(other)).to_contain_text("acknowledged")
    other.get_by_label("Acknowledge events").uncheck()
    one.get_by_role("button", name="Send").click()
    expect(one.locator("#emit-result")).to_contain_text("No answer in time from Grace (client_")


def test_the_latency_is_measured(page, server):
    open_channel(page, server, "latency")
    # The ping interval of this server is two seconds; a pong on loopback takes less than one.
    expect(page.locator("#latency")).to_have_text(re.compile(r"^(<1|\d+) ms$"))


def test_what_is_emitted_is_shown_as_text(page, server):
    open_channel(page, server, "text")
    evil = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    emit(server, "text", {"html": evil, "ctrl": "a\u202eb"})
    expect(events(page)).to_contain_text(evil)
    assert page.locator("#events img, #events script").count() == 0


@pytest.mark.parametrize("channel", ["a:b~c.d_e-f", "x" * 128, "__proto__", "0"])
def test_any_channel_name_makes_a_working_page(page, server, channel):
    open_channel(page, server, channel)
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Channel {channel}")
    emit(server, channel, "hello")
    expect(events(page)).to_contain_text('"hello"')
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_filter_pause_and_clear(page, server):
    open_channel(page, server, "tools")
    for name in ("apple", "Banana", "cherry"):
        emit(server, "tools", {"fruit": name})
    expect(events(page)).to_have_count(3)
    page.get_by_label("Show only events that contain").fill("BAN")
    expect(page.locator("#events > li:visible")).to_have_count(1)
    page.get_by_label("Show only events that contain").fill("kiwi")
    expect(page.get_by_text("No event on the list contains that.")).to_be_visible()
    page.get_by_label("Show only events that contain").fill("")
    page.get_by_role("button", name="Pause").click()
    emit(server, "tools", {"fruit": "date"})
    expect(page.locator("#paused")).to_contain_text("1 event has arrived since.")
    expect(events(page)).to_have_count(3)
    page.get_by_role("button", name="Pause").click()
    expect(events(page)).to_have_count(4)
    expect(events(page).first).to_contain_text("date")
    page.get_by_role("button", name="Clear").click()
    expect(events(page)).to_have_count(0)
    emit(server, "tools", {"fruit": "elderberry"})
    expect(events(page)).to_have_count(1)


def test_the_list_is_bounded_and_says_so(page, server):
    open_channel(page, server, "bound")
    with httpx.Client() as client:
        for number in range(230):
            client.post(f"{server.url}/bound/emit", json={"number": number})
    expect(events(page).first).to_contain_text('{"number": 229}')
    expect(events(page)).to_have_count(200)
    expect(events(page).last).to_contain_text('{"number": 30}')
    expect(page.get_by_text("Only the latest 200 are shown.")).to_be_visible()


def test_a_long_payload_is_cut_and_can_be_seen_whole(page, server):
    open_channel(page, server, "long")
    emit(server, "long", {"text": "lorem " * 5000 + "end"})
    expect(events(page)).not_to_contain_text("end")
    page.get_by_role("button", name=re.compile("Show all 30,0.. characters")).click()
    expect(events(page)).to_contain_text("end")


def test_a_channel_with_history_shows_what_was_sent_before(page, server):
    sent = [emit(server, "kept-1", {"number": number})["eventID"] for number in range(3)]
    open_channel(page, server, "kept-1")
    expect(events(page).first).to_contain_text(str(sent[-1]))
    expect(events(page).nth(2)).to_contain_text(str(sent[0]))
    emit(server, "kept-1", "live")
    expect(events(page).first).to_contain_text('"live"')
    history = page.get_by_role("link", name="History as JSON").get_attribute("href")
    assert httpx.get(f"{server.url}{history}").json()["events"][-1]["payload"] == "live"


def test_a_locked_channel_asks_for_a_key_and_works_with_it(page, server, complaints):
    complaints.expect("401|WebSocket connection to")
    page.goto(f"{server.url}/locked-0/listen")
    expect(page.locator("live-state [role=status]")).to_have_text("Not live")
    key = server.keys["all"]
    field = page.get_by_label("API key")
    field.fill("abcdefgh.abcdefghijklmnopqrstuvwxyzabcdef")
    page.get_by_role("button", name="Use this key").click()
    expect(page.locator("live-state")).to_contain_text("not signed in, or the token is no longer valid")
    expect(field).to_be_focused()
    field.fill(key)
    field.press("Enter")
    expect(page.locator("live-state")).to_contain_text(LIVE)
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#emit-result")).to_have_text("Sent to 1 client.")
    for code in ("#curl", "#sse-address"):
        assert '-H "Authorization: Bearer $FOYER_API_KEY"' in page.locator(code).inner_text()
    assert key not in page.content()


def test_a_closed_channel_says_so(page, server):
    page.goto(f"{server.url}/closed-0/listen")
    expect(page.get_by_text("No one may listen to this channel.")).to_be_visible()
    expect(page.get_by_text("No one may send to this channel.")).to_be_visible()
    expect(page.locator("live-state [role=status]")).to_have_text("Not live")


def test_copies_the_curl_line(new_context, server):
    context = new_context(permissions=["clipboard-read", "clipboard-write"])
    page = open_channel(context.new_page(), server, "copy")
    button = page.locator("[data-copy=curl]")
    button.click()
    expect(button).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#curl").inner_text()
    expect(page.locator("#announcements")).to_have_text("Copied.")


def test_an_error_of_the_server_is_shown_in_words(page, server):
    open_channel(page, server, "flood")
    page.evaluate("for (let i = 0; i < 200; i += 1) document.getElementById('presence').requestSubmit()")
    expect(page.get_by_role("alert")).to_contain_text("This page sent too much in a short time.")
    expect(page.locator("live-state")).to_contain_text("too many messages")
    page.get_by_role("button", name="Connect again").click()
    expect(page.locator("live-state")).to_contain_text(LIVE)
    expect(page.locator("#problem")).to_be_empty()
