"""The policy's page of the admin keeps up with the line, says when it does not, and stops it by a button."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Complaints, Installation
from tests.e2e.channels import ADMIN_PASSWORD

PAUSED = "Paused: nobody is let in. The line stays and grows."


def sign_in(page: Page, server: Installation) -> None:
    page.goto(f"{server.url}/admin/login/?next=/admin/queue/policy/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(ADMIN_PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="The line now")).to_be_visible()


def test_the_line_is_followed_without_a_reload(
    own_server: Installation, new_context: Callable[..., BrowserContext], complaints: Complaints
) -> None:
    context = new_context()
    page, other = context.new_page(), context.new_page()
    sign_in(page, own_server)
    state = page.locator('[data-line="state"]')
    expect(state).to_have_text("Open.")
    expect(page.locator("#line-now-state")).to_be_hidden()
    expect(page.get_by_role("button", name="Resume")).to_be_hidden()
    page.get_by_label("Capacity").fill("77")

    other.goto(f"{own_server.url}/admin/queue/policy/")
    other.get_by_role("button", name="Pause").click()
    expect(other.locator('[data-line="state"]')).to_have_text(PAUSED)
    page.bring_to_front()
    expect(state).to_have_text(PAUSED)
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    expect(page.get_by_role("button", name="Pause")).to_be_hidden()
    expect(page.get_by_label("Capacity")).to_have_value("77")

    complaints.expect("ERR_CONNECTION|Failed to load resource|ERR_EMPTY|ERR_SOCKET")
    own_server.stop()
    expect(page.locator("#line-now-state")).to_contain_text("Not live: the server does not answer.")
    own_server.start()
    expect(page.locator("#line-now-state")).to_be_hidden()
    context.clear_cookies()
    expect(page.locator("#line-now-state")).to_have_text("Not live: sign in again.")
