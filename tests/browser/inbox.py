"""People with an inbox, for the tests of its page: in a browser, and by other ways.

A test module asks for it with ``pytest_plugins = ["tests.browser.inbox"]`` and gets the fixtures `post` (on
the server of the whole run: each test has people of its own) and `open_inbox`.

PYTEST_DONT_REWRITE: so that a module may also import classes from here before it names the plugin.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect
from websockets.sync.client import connect

from tests.browser.chat import LIVE, Chat, Person, be_signed_in
from tests.browser.conftest import Installation
from tests.e2e.servers import until

PATH = "/notifications/"


class Post:
    """A server, people made as they are named, and a service that sends them something."""

    def __init__(self, server: Installation) -> None:
        self.url = server.url + PATH
        self.chat_url = f"{server.url}/gateway/"
        self._chat = Chat(server)
        self.person = self._chat.person
        self._http = httpx.Client(
            base_url=server.url,
            headers={"Authorization": f"Bearer {server.keys['site']}"},
            timeout=15,
            trust_env=False,
        )

    def send(self, *to: Person, type: str = "news", **document: Any) -> None:  # noqa: A002
        self._feed("notification", {"users": [person.id for person in to], "type": type, **document})

    def send_titles(self, to: Person, *titles: str) -> None:
        """One after the other."""
        for title in titles:
            self.send(to, title=title)

    def update(self, subscription: str, data: Any = None, *, reload: bool = False) -> None:
        """News for a subscription, whatever it is of."""
        document = {"subscriptions": [subscription], "data": data, "options": {"reload": reload}}
        self._feed("update_subscription", document)

    def _feed(self, kind: str, document: dict[str, Any]) -> None:
        answer = self._http.post("/api/notifications/", json={"type": kind, "document": document})
        assert answer.status_code == 201, answer.text

    def connections(self) -> int:
        """How many WebSockets of the notifications the server has."""
        series = 'foyer_connections{app="notifications"} '
        lines = self._http.get("/metrics").text.splitlines()
        return int(next((float(line.split()[-1]) for line in lines if line.startswith(series)), 0.0))

    def wait_for_connections(self, count: int) -> None:
        """Also those that were closed: the server hears of it a little later."""
        until(lambda: self.connections() == count, within_s=10, what=f"{count} connections")

    def ask(self, person: Person, command: str, **options: Any) -> Any:
        """What the server answers to another device of this person."""
        with connect(self.url.replace("http", "ws", 1), proxy=None) as socket:
            for rid, (name, content) in enumerate(
                [("authentication", {"authToken": person.token}), (command, options)], 1
            ):
                socket.send(json.dumps({"rid": rid, "command": name, "options": content}))
                answer = json.loads(socket.recv(timeout=15))
                assert answer["status"] == "ok", answer
        return answer["payload"]

    def unread(self, person: Person) -> int:
        """As the server counts."""
        answer = self.ask(person, "getMyNotificationsCount", where={"types": []}, status="unread")
        return int(answer["total"])

    def statuses(self, person: Person) -> dict[str, str]:
        """How far somebody got, by title."""
        found = self.ask(person, "getMyNotifications", where={"types": []}, params={"limit": 100})
        return {one["title"]: one["status"] for one in found}

    def mark(self, person: Person, status: str, *titles: str) -> None:
        """By another device; all of them, if none are named."""
        found = self.ask(person, "getMyNotifications", where={"types": []}, params={"limit": 100})
        ids = [one["id"] for one in found if one["title"] in titles]
        where = {"notifications": ids} if titles else {"types": []}
        self.ask(person, "updateNotifications", where=where, status=status)

    def close(self) -> None:
        self._chat.close()
        self._http.close()


def titles(page: Page) -> Locator:
    """Of what is on the list, in order."""
    return page.locator("#items .inbox-item__title")


def row(page: Page, title: str) -> Locator:
    """The one called so."""
    name = page.locator(".inbox-item__title", has_text=re.compile(f"^{re.escape(title)}$"))
    return page.locator("#items > li").filter(has=name)


def expect_unread(page: Page, count: int) -> None:
    """At the bell, in the title of the tab, and in words."""
    expect(page).to_have_title(f"({count}) Notifications – Foyer" if count else "Notifications – Foyer")
    expect(page.locator("#bell-count")).to_have_text(str(count))
    expect(page.locator("#bell-count")).to_be_visible(visible=bool(count))
    expect(page.locator("#bell-words")).to_have_text(f"{count} unread")


OpenInbox = Callable[..., Page]


@pytest.fixture(scope="package")
def post(server: Installation) -> Iterator[Post]:
    post = Post(server)
    yield post
    post.close()


@pytest.fixture
def open_inbox(post: Post, new_context: Callable[..., BrowserContext]) -> OpenInbox:
    """``open_inbox(ann, **options)``: Ann's page, live, in a browser of its own, or a tab of ``context=``."""

    def open_page(person: Person, context: BrowserContext | None = None, **options: Any) -> Page:
        page = (context or new_context(**options)).new_page()
        if context is None:
            be_signed_in(page, person)
        page.goto(post.url)
        expect(page.locator("live-state")).to_have_text(LIVE)
        # The list has come: before, an empty one means nothing.
        expect(page.locator("#items > li").or_(page.get_by_text("There are no notif")).first).to_be_visible()
        return page

    return open_page
