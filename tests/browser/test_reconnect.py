"""What a page shows while the server is away, and after it is back. The page is never reloaded."""

import re
import signal

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Installation

pytestmark = pytest.mark.chromium

LIVE = re.compile(r"^Live since \d\d:\d\d")
# Those of the first page.
SERVICES = 5
NOT_LIVE = re.compile(r"^Not live since \d\d:\d\d")


@pytest.fixture
def channel_page(page: Page, own_server: Installation, complaints):
    """Open a channel's page on a server that will go away; the browser will say that it has."""
    complaints.expect("WebSocket connection to|ERR_CONNECTION|ERR_EMPTY_RESPONSE|ERR_SOCKET")

    def open_page(channel: str) -> Page:
        page.goto(f"{own_server.url}/{channel}/listen")
        expect(page.locator("live-state")).to_have_text(LIVE)
        expect(page.locator("#members")).to_contain_text("you")
        page.evaluate("window.notReloaded = true")
        return page

    yield open_page
    assert page.evaluate("window.notReloaded")


def emit(server: Installation, channel: str, payload: object) -> None:
    assert httpx.post(f"{server.url}/{channel}/emit", json=payload).status_code == 200


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL], ids=["restarted", "killed"])
def test_says_since_when_it_is_not_live_and_comes_back_by_itself(channel_page, own_server, ending):
    page = channel_page("lobby")
    emit(own_server, "lobby", {"number": 1})
    expect(page.locator("#events > li")).to_have_count(1)
    own_server.stop(ending)
    expect(page.locator("live-state [role=status]")).to_have_text(NOT_LIVE)
    expect(page.locator("#members-stale")).to_be_visible()
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#emit-result")).to_contain_text("Foyer cannot be reached.")
    own_server.start()
    expect(page.locator("live-state")).to_have_text(LIVE, timeout=40_000)
    expect(page.locator("#members-stale")).to_be_hidden()
    note = page.locator("#events > .log__note")
    expect(note).to_contain_text("Events sent in that time are missing here")
    emit(own_server, "lobby", {"number": 2})
    expect(page.locator("#events > li").first).to_contain_text('{"number": 2}')


def test_a_channel_with_history_is_shown_without_a_hole_or_a_repeat(channel_page, own_server, complaints):
    page = channel_page("kept-1")
    for number in range(3):
        emit(own_server, "kept-1", {"number": number})
    expect(page.locator("#events > li")).to_have_count(3)
    own_server.stop(signal.SIGKILL)
    expect(page.locator("live-state [role=status]")).to_have_text(NOT_LIVE)
    own_server.start()
    # Whoever is faster: what the page has not seen comes in either way, each once and in order.
    for number in range(3, 6):
        emit(own_server, "kept-1", {"number": number})
    expect(page.locator("live-state")).to_have_text(LIVE, timeout=40_000)
    bodies = page.locator("#events .log__body")
    expect(bodies).to_have_text([f'{{"number": {number}}}' for number in (5, 4, 3, 2, 1, 0)])
    expect(page.locator("#events > .log__note")).to_contain_text(
        "What the channel kept of that time was fetched."
    )


def test_events_that_are_no_longer_kept_are_said_to_be_missing(channel_page, own_server):
    page = channel_page("short-0")  # it keeps three
    emit(own_server, "short-0", {"number": 0})
    expect(page.locator("#events > li")).to_have_count(1)
    own_server.stop(signal.SIGKILL)
    expect(page.locator("live-state [role=status]")).to_have_text(NOT_LIVE)
    page.evaluate("document.querySelector('live-state').socket.stop()")
    own_server.start()
    for number in range(1, 6):
        emit(own_server, "short-0", {"number": number})
    page.get_by_role("button", name="Connect again").click()
    expect(page.locator("#events > li").filter(has_text="they are no longer kept")).to_be_visible()
    bodies = page.locator("#events .log__body")
    expect(bodies).to_have_text([f'{{"number": {number}}}' for number in (5, 4, 3, 0)])


def test_the_name_is_shown_again_after_a_reconnect(channel_page, own_server):
    page = channel_page("lobby")
    page.get_by_label("Your name").fill("Ada")
    page.get_by_role("button", name="Set name").click()
    expect(page.locator("#members")).to_contain_text("Ada")
    own_server.stop(signal.SIGKILL)
    expect(page.locator("live-state [role=status]")).to_have_text(NOT_LIVE)
    own_server.start()
    expect(page.locator("live-state")).to_have_text(LIVE, timeout=40_000)
    members = httpx.get(f"{own_server.url}/lobby/members").json()["members"]
    assert [member["presence"] for member in members] == [{"username": "Ada"}]


def test_the_first_page_says_that_the_server_is_away(page, own_server, complaints):
    complaints.expect("ERR_CONNECTION")
    page.goto(own_server.url)
    expect(page.locator("live-state")).to_have_text(LIVE)
    own_server.stop(signal.SIGKILL)
    page.evaluate("dispatchEvent(new Event('online'))")  # it asks every ten seconds, and then at once
    expect(page.locator("live-state [role=status]")).to_have_text(NOT_LIVE)
    expect(page.locator("[data-service]")).to_have_text(["Not known"] * SERVICES)
    own_server.start()
    page.get_by_role("button", name="Try now").click()
    expect(page.locator("live-state")).to_have_text(LIVE)
    expect(page.locator("[data-service]")).to_have_text(["Running"] * SERVICES)
