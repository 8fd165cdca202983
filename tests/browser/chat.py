"""People who chat, for the tests of the chat page: in a browser, and by the HTTP API.

A test module asks for it with ``pytest_plugins = ["tests.browser.chat"]`` and gets the fixtures `chat` (on
the server of the whole run: channels are a test's own) and `open_chat`.

PYTEST_DONT_REWRITE: so that a module may also import classes from here before it names the plugin.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.conftest import Installation

PASSWORD = "correct horse battery"
LIVE = re.compile(r"^Live since \d\d:\d\d")
QUESTION, STREAM, DIRECT = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account, and what they do by the API."""

    api: httpx.Client
    id: str
    token: str

    def ask(self, method: str, path: str, **request: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = self.api.request(method, path, headers=headers, **request)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def open_channel(self, kind: int = STREAM, **fields: Any) -> str:
        """Open a channel; its id."""
        made: str = self.ask("POST", "channels", json={"type": kind, **fields})["id"]
        return made

    def join(self, channel: str) -> None:
        self.ask("PUT", f"channels/{channel}/members/me")

    def post(self, channel: str, content: str) -> None:
        self.ask("POST", f"channels/{channel}/posts", json={"content": content})

    def posts(self, channel: str) -> list[str]:
        """What was posted there, in order."""
        found = self.ask("GET", f"channels/{channel}/posts", params={"limit": 50})["posts"]
        return [post["content"] for post in found]


class Chat:
    """A server, and people made as they are named."""

    def __init__(self, server: Installation) -> None:
        self.url = f"{server.url}/gateway/"
        self.api = httpx.Client(base_url=f"{server.url}/api/v1/", timeout=15, trust_env=False)
        self._people: dict[str, Person] = {}

    def person(self, username: str) -> Person:
        """Registered when first named: one address may do so only so often."""
        if username not in self._people:
            body = {"username": username, "password": PASSWORD}
            made = self.api.post("auth/register", json=body).json()
            self._people[username] = Person(self.api, made["id"], made["token"])
        return self._people[username]

    def close(self) -> None:
        self.api.close()


def messages(page: Page) -> Locator:
    """The texts of the channel that is open, in order."""
    return page.locator("#messages .chat-message__text")


def write(page: Page, text: str) -> None:
    """Write a message and post it with Enter."""
    page.locator("#text").fill(text)
    page.locator("#text").press("Enter")


def be_signed_in(page: Page, person: Person) -> None:
    """As after signing in: the page finds the token, and so do others of its context."""
    page.add_init_script(f"localStorage.setItem('foyer.token', '{person.token}')")


OpenChat = Callable[..., Page]


@pytest.fixture(scope="package")
def chat(server: Installation) -> Iterator[Chat]:
    chat = Chat(server)
    yield chat
    chat.close()


@pytest.fixture
def open_chat(chat: Chat, new_context: Callable[..., BrowserContext]) -> OpenChat:
    """``open_chat(ann, channel, **options)``: Ann's page, live, with this channel open."""

    def open_page(person: Person, channel: str = "", **options: Any) -> Page:
        page = new_context(**options).new_page()
        be_signed_in(page, person)
        page.goto(f"{chat.url}#{channel}")
        expect(page.locator("live-state")).to_have_text(LIVE)
        # The lists have come: before, an empty one means nothing.
        expect(page.locator("#mine > li, #mine-empty:not([hidden])").first).to_be_attached()
        if channel:
            expect(page.locator("#conversation")).to_be_visible()
        return page

    return open_page
