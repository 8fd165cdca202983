"""The fixture `clerk`: ``pytest_plugins = ["tests.browser.desk", "tests.browser.clerk_pages"]``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import BrowserContext

from tests.browser.clerks import PATH, Clerk, by_token, manager, sign_in

if TYPE_CHECKING:
    from tests.browser.desk import Desk, Person


@pytest.fixture
def tidy_desk(desk: Desk) -> None:
    """Nobody waits whom another test has left there."""
    answer = by_token(desk, "GET", "tickets?state=waiting&state=serving", desk.ana.token).json()
    if answer["count"]:
        with manager(desk) as post:
            for ticket in answer["results"]:
                post(f"tickets/{ticket['id']}/cancel")


@pytest.fixture
def clerk(new_context: Callable[..., BrowserContext], tidy_desk: None) -> Callable[..., Clerk]:
    """Sign somebody in, in a browser of their own: ``clerk(desk, desk.ana, color_scheme="dark")``."""

    def open_page(desk: Desk, person: Person, **options: object) -> Clerk:
        page = new_context(**options).new_page()
        page.goto(desk.url + PATH)
        sign_in(page, person)
        return Clerk(page, person)

    return open_page
