"""The page for people who wait, on a real line: others before it, servers that go and come back."""

import json
import re
import signal
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.queue_line import PATIENCE_S, QueueServer
from tests.e2e.servers import until

pytestmark = pytest.mark.chromium
pytest_plugins = ["tests.browser.queue_line"]

# What the browser itself says about a server that is away.
AWAY = "WebSocket connection to|ERR_CONNECTION|ERR_EMPTY_RESPONSE|ERR_SOCKET"
NEXT = "https://game.example.org/play?from=queue"


def heading(page: Page, text: str, **options: float) -> None:
    """Wait until the page's heading says that; what stands in lines of its own is one sentence."""
    expect(page.locator(".panel:visible h1")).to_have_text(re.compile(rf"^\s*{text}\s*$"), **options)


def wait_until(condition: Callable[[], bool]) -> None:
    until(condition, within_s=PATIENCE_S, what="what the test waits for")


def client_id(page: Page) -> str:
    return page.evaluate("localStorage.getItem('foyer.queue.id')")


@pytest.fixture
def line(queue: QueueServer) -> QueueServer:
    """One place, which ``first`` has; ``second`` and ``third`` wait."""
    queue.set_policy(capacity=1)
    queue.come("first").gets_in()
    for name in ("second", "third"):
        queue.come(name)
    return queue


# --- the way to the front -----------------------------------------------------------------------------------


def test_who_comes_while_there_is_room_goes_right_through(page, queue):
    page.goto(queue.page)
    heading(page, "It is your turn")
    expect(page.locator("#in-text")).to_have_text("You are in.")
    expect(page.get_by_role("link", name="Go in")).to_be_hidden()
    expect(page).to_have_title("It is your turn – Waiting line")
    expect(page.locator("live-state")).to_be_hidden()


def test_the_place_moves_as_others_go_in_until_it_is_ones_turn(page, line):
    page.goto(line.page)
    heading(page, "You are number 3 in line")
    expect(page).to_have_title("You are number 3 in line – Waiting line")
    expect(page.locator("#ahead")).to_have_text("2 people are before you")
    expect(page.locator("#behind")).to_have_text("Nobody is behind you")
    expect(page.locator("#estimate")).to_have_text("We cannot say yet how long it will take.")
    expect(page.locator("#way-from")).to_have_text("You began as number 3")
    line.come("fourth")
    expect(page.locator("#behind")).to_have_text("1 person is behind you")
    line.make_room("first")
    heading(page, "You are number 2 in line")
    expect(page.locator("#ahead")).to_have_text("1 person is before you")
    line.make_room("second")
    heading(page, "You are next")
    assert page.locator("#way").evaluate("(bar) => bar.value / bar.max") == 1
    line.make_room("third")
    heading(page, "It is your turn")
    line.make_room(client_id(page))  # it was let in under the id of this browser


def test_who_is_let_in_goes_on_with_the_token_in_the_fragment(page, make_queue):
    server = make_queue(QUEUE_NEXT_URL=NEXT)
    asked: list[str] = []

    def answer(route) -> None:
        asked.append(route.request.url)
        route.fulfill(body="<title>The game</title>", content_type="text/html")

    page.route("https://game.example.org/**", answer)
    page.goto(server.page)
    heading(page, "It is your turn")
    expect(page.locator("#in-text")).to_have_text("You go in by yourself in a moment.")
    expect(page).to_have_title("The game")
    address, _, fragment = page.url.partition("#")
    assert address == NEXT
    assert re.fullmatch(r"jwt=[\w-]+\.[\w-]+\.[\w-]+", fragment)
    assert asked == [NEXT], "the token was sent somewhere"


# --- the place is kept --------------------------------------------------------------------------------------


def test_a_reload_a_closed_tab_and_a_second_visit_keep_the_place(new_context, line):
    context = new_context()
    page = context.new_page()
    page.goto(line.page)
    heading(page, "You are number 3 in line")
    ticket = line.ticket(client_id(page))["ticketId"]
    line.make_room("first")
    heading(page, "You are number 2 in line")
    page.reload()
    heading(page, "You are number 2 in line")
    page.close()
    line.come("fourth")
    page = context.new_page()
    page.goto(line.page)
    heading(page, "You are number 2 in line")
    assert line.ticket(client_id(page))["ticketId"] == ticket
    # Where one began is kept as well.
    expect(page.locator("#way-from")).to_have_text("You began as number 3")
    expect(page.locator("#new-place")).to_be_hidden()


def test_id_and_token_are_two_secrets_and_the_token_is_not_in_the_address(page, line):
    addresses: list[str] = []
    sent: list[str] = []

    def watch(socket) -> None:
        addresses.append(socket.url)
        socket.on("framesent", lambda text: sent.append(str(text)))

    page.on("websocket", watch)
    page.goto(line.page)
    heading(page, "You are number 3 in line")
    token = page.evaluate("localStorage.getItem('foyer.queue.token')")
    assert token != client_id(page)
    assert len(token) == 32
    assert addresses == [f"{line.page.replace('http', 'ws', 1)}?platform=web&id={client_id(page)}&extended=1"]
    assert [json.loads(text)["eventData"] for text in sent] == [
        {"type": 4, "token": token, "deviceId": client_id(page)}
    ]


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL], ids=["restarted", "killed"])
def test_a_server_that_restarts_keeps_the_place_and_the_page_comes_back(page, make_queue, complaints, ending):
    complaints.expect(AWAY)
    server = make_queue()
    server.set_policy(capacity=1)
    server.come("first").gets_in()
    server.come("second")
    page.goto(server.page)
    heading(page, "You are number 2 in line")
    page.evaluate("window.notReloaded = true")
    ticket = server.ticket(client_id(page))["ticketId"]
    server.stop(ending)
    expect(page.locator("#notice")).to_have_text("Connection lost. Your place is kept; we are reconnecting.")
    expect(page.locator("live-state [role=status]")).to_have_text(re.compile(r"^Not live since \d\d:\d\d"))
    heading(page, "You are number 2 in line")
    server.start()
    expect(page.locator("live-state")).to_have_attribute("state", "live", timeout=40_000)
    expect(page.locator("#notice")).to_be_hidden()
    heading(page, "You are number 2 in line")
    assert server.ticket(client_id(page))["ticketId"] == ticket
    expect(page.locator("#new-place")).to_be_hidden()
    assert page.evaluate("window.notReloaded")


def test_the_newer_of_two_tabs_waits_and_the_older_says_so(new_context, line):
    context = new_context()
    older = context.new_page()
    older.goto(line.page)
    heading(older, "You are number 3 in line")
    newer = context.new_page()
    newer.goto(line.page)
    heading(newer, "You are number 3 in line")
    heading(older, "You are waiting in another tab")
    expect(older.locator("live-state")).to_be_hidden()
    older.get_by_role("button", name="Wait here instead").click()
    heading(older, "You are number 3 in line")
    expect(older.locator("#panel-waiting h1")).to_be_focused()
    heading(newer, "You are waiting in another tab")
    # And they leave it at that: neither comes back by itself.
    line.make_room("first")
    heading(older, "You are number 2 in line")
    heading(newer, "You are waiting in another tab")


def test_who_is_in_stays_in_over_a_reload_and_may_get_in_line_again(page, queue):
    queue.set_policy(capacity=1)
    page.goto(queue.page)
    heading(page, "It is your turn")
    page.reload()
    expect(page.locator("#in-text")).to_have_text("You have been let in already.")
    page.get_by_role("button", name="Get in line again").click()
    heading(page, "You are next")
    expect(page.locator("#in-again")).to_be_hidden()


# --- refusals -----------------------------------------------------------------------------------------------


def test_a_refusal_is_told_in_the_main_servers_words_and_one_may_try_again(page, make_queue, main_server):
    main_server.status, main_server.body = 403, {"message": "Your account is locked until Monday."}
    server = make_queue(MAIN_SERVER_URL=main_server.url)
    page.goto(server.page)
    heading(page, "You could not be let in")
    expect(page.locator("#refusal")).to_have_text("Your account is locked until Monday.")
    expect(page.locator("#refusal-code")).to_have_text("Code 403")
    main_server.status, main_server.body = 200, {"data": {"jwt": "a.token.of-it"}}
    page.get_by_role("button", name="Try again (at the end of the line)").click()
    heading(page, "It is your turn")
    expect(page.locator("#panel-in h1")).to_be_focused()
    token = page.evaluate("localStorage.getItem('foyer.queue.token')")
    assert main_server.asked == [{"uniqueId": token}] * 2


def test_a_main_server_that_fails_costs_nobody_their_place(page, make_queue, main_server):
    main_server.status = 500
    server = make_queue(MAIN_SERVER_URL=main_server.url, MAIN_SERVER_RETRIES="0")
    page.clock.install()
    page.goto(server.page)
    notice = "The server does not answer. Your place is kept; we try again by ourselves."
    expect(page.locator("#notice")).to_have_text(notice)
    heading(page, "You are next")
    assert server.ticket(client_id(page))["position"] == 1
    asked = len(main_server.asked)
    page.clock.fast_forward(6_000)
    wait_until(lambda: len(main_server.asked) > asked)
    expect(page.locator("#notice")).to_have_text(notice)
    assert server.ticket(client_id(page))["position"] == 1
    main_server.status, asked = 200, len(main_server.asked)
    page.clock.fast_forward(11_000)
    heading(page, "It is your turn")


def test_who_is_taken_out_of_the_line_is_told_and_may_come_back(page, line):
    page.goto(line.page)
    heading(page, "You are number 3 in line")
    line.take_out(client_id(page))
    heading(page, "You were taken out of the line")
    line.come("fourth")
    page.get_by_role("button", name="Get in line again (at the end)").click()
    heading(page, "You are number 5 in line")  # positions are not given twice: the old one counts
    expect(page.locator("#new-place")).to_be_hidden()  # they know


def test_a_full_server_is_said_to_be_full_until_there_is_room(new_context, make_queue, complaints):
    complaints.expect("WebSocket connection to")
    server = make_queue(MAX_CONNECTIONS="1")
    server.set_policy(capacity=0)
    first, second = new_context().new_page(), new_context().new_page()
    first.goto(server.page)
    heading(first, "You are next")
    second.clock.install()
    second.goto(server.page)
    expect(second.locator("#notice")).to_be_visible()
    second.clock.fast_forward(2_000)
    expect(second.locator("#notice")).to_contain_text("So many people are here")
    first.close()
    wait_until(lambda: server.connections() == 0)
    second.clock.fast_forward(30_000)
    heading(second, "You are number 2 in line")


# --- what the operator says ---------------------------------------------------------------------------------


def test_a_pause_and_a_message_reach_everybody(page, line):
    page.goto(line.page)
    heading(page, "You are number 3 in line")
    expect(page.locator("#message")).to_be_hidden()
    line.set_policy(paused=True, message="Back at <b>eight</b>.")
    expect(page.locator("#notice")).to_have_text(
        "The line is paused. Your place is kept, and it goes on from here."
    )
    expect(page.locator("#message-text")).to_have_text("Back at <b>eight</b>.")
    expect(page.locator("#estimate")).to_have_text("We cannot say how long the pause will be.")
    line.set_policy(paused=False, message="")
    expect(page.locator("#notice")).to_be_hidden()
    expect(page.locator("#message")).to_be_hidden()
