"""Clerks at their pages, for tests: what they see and press, and others who have a say in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
from playwright.sync_api import Locator, Page, expect

from tests.e2e.channels import ADMIN_PASSWORD

if TYPE_CHECKING:
    from tests.browser.desk import Desk, Person

PATH = "/ticketing/staff/"


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
