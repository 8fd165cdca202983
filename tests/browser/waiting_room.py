"""A screen in a waiting room, with a voice that tests hear and a socket whose server's side is theirs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from playwright.sync_api import BrowserContext, Locator, Page, WebSocketRoute, expect

if TYPE_CHECKING:
    from tests.browser.desk import Desk

PATH = "/ticketing/display/"

# A voice that notes what it is to say; it is done when the test says so, or at once.
_VOICE = """
window.said = [];
window.speaking = null;
window.holdBreath = false;
window.endSentence = () => { const done = window.speaking; window.speaking = null; done?.onend?.({}); };
window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
Object.defineProperty(window, "speechSynthesis", { value: {
  speaking: false, pending: false, paused: false,
  getVoices: () => ["en-US", "de-DE", "ar-SA"].map((lang) => ({ lang, localService: true })),
  addEventListener() {}, cancel() {}, resume() {},
  speak(utterance) {
    if (window.speaking) window.said.push("TALKED OVER");
    window.said.push(`${utterance.lang}: ${utterance.text}`);
    window.speaking = utterance;
    if (!window.holdBreath) setTimeout(window.endSentence);
  },
} });
"""
# Without Web Audio nothing is blocked, and a call begins with its sentence.
_NO_CHIME = "delete window.AudioContext;"
# What tests evaluate in a page counts as a touch of it, sooner or later: whether the browser's own rule
# still blocks sound then is a matter of luck. This is silent until the page asks for sound, too.
_BLOCKED = "window.AudioContext = class extends AudioContext { constructor() { super(); this.suspend(); } };"


def make_screen(
    new_context: Callable[..., BrowserContext], *, blocked: bool = False, **options: object
) -> Page:
    """A screen on a wall, with a voice; with `blocked` in a browser that is silent until it is touched.

    The test's module has a fixture of it: ``functools.partial(make_screen, new_context)``.
    """
    page = new_context(**({"viewport": {"width": 1920, "height": 1080}} | options)).new_page()
    page.add_init_script(_VOICE)
    page.add_init_script(_BLOCKED if blocked else _NO_CHIME)
    return page


def is_live(page: Page) -> None:
    # As long as a page may wait between two attempts, and one attempt may take on a busy machine.
    expect(page.locator("live-state")).to_have_attribute("state", "live", timeout=20_000)


def tile(page: Page, number: int) -> Locator:
    return page.locator(f".tile[data-table='{number}']")


def said(page: Page) -> list[str]:
    return page.evaluate("said")


class Line:
    """The server's side of the display's socket."""

    def __init__(self, page: Page) -> None:
        self._routes: list[WebSocketRoute] = []
        self.snapshot: list[str] = []
        self.let_in = True
        page.route_web_socket(lambda url: PATH in url, self._connected)

    def _connected(self, route: WebSocketRoute) -> None:
        if not self.let_in:
            route.close(code=1011)
            return
        self._routes.append(route)
        for line in self.snapshot:
            route.send(line)

    def tell(self, *lines: str) -> None:
        for line in lines:
            self._routes[-1].send(line)

    def call(self, table: int, ticket_id: int) -> None:
        label = f"A-{ticket_id:03d}"
        ticket = json.dumps({"id": ticket_id, "label": label, "table": table})
        self.tell(f"ticket {ticket}", f"claimed {table} {ticket_id}", f"call {table} {ticket_id}")

    def drop(self, code: int = 1012) -> None:
        self._routes[-1].close(code=code)


def tables(count: int, *, serving: dict[int, int] | None = None, name: str = "Counter {}") -> list[str]:
    """A snapshot: all sorts of states, in a room of `count` tables."""
    states = {number: ("free", "offline", "paused")[number % 3] for number in range(count)}
    lines = []
    states |= dict.fromkeys(serving or {}, "serving")
    for number, state in states.items():
        table = {"number": number, "name": name.format(number + 1), "state": state}
        lines.append(f"table {json.dumps(table)}")
    for number, ticket_id in (serving or {}).items():
        lines.append(f'ticket {{"id":{ticket_id},"label":"A-{ticket_id:03d}","table":{number}}}')
        lines += [f"pick {number}", f"claimed {number} {ticket_id}"]
    return [*lines, 'line {"waiting":12,"estimate_s":600}', "ready"]


def open_room(page: Page, desk: Desk, snapshot: list[str], query: str = "") -> Line:
    line = Line(page)
    line.snapshot = snapshot
    page.goto(desk.url + PATH + query)
    is_live(page)
    return line
