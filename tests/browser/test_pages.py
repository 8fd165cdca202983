"""The pages that belong to the whole installation."""

import re

import httpx
import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.chromium


def test_the_first_page_says_what_runs_and_opens_a_channel(page, server):
    page.goto(server.url)
    service = page.get_by_role("region", name="Broadcast channels")
    expect(service).to_contain_text("Running")
    expect(page.locator("[data-part=database]")).to_have_text("Working")
    expect(page.locator("live-state")).to_contain_text("Live since")
    page.get_by_label("Name of the channel").fill("front-page")
    page.keyboard.press("Enter")
    page.wait_for_url("**/front-page/listen")
    expect(page.locator("live-state")).to_contain_text("Live since")


@pytest.mark.parametrize(
    ("name", "problem"), [("", "Write the name"), ("two words", "only letters"), ("a/b", "only letters")]
)
def test_a_name_that_is_none_is_explained(page, server, name, problem):
    page.goto(server.url)
    page.get_by_label("Name of the channel").fill(name)
    page.get_by_role("button", name="Open its page").click()
    expect(page.locator("#channel-error")).to_contain_text(problem)
    expect(page.get_by_label("Name of the channel")).to_be_focused()


def test_every_link_of_the_first_page_leads_somewhere(page, server):
    page.goto(server.url)
    links = page.locator("a[href^='/']").evaluate_all("(links) => links.map((link) => link.pathname)")
    assert len(links) > 5
    for link in links:
        response = httpx.get(server.url + link, headers={"Accept": "text/html"}, follow_redirects=True)
        assert response.status_code == 200, link


def test_the_messages_page_shows_every_message_with_its_schema(page, server):
    page.goto(f"{server.url}/api/asyncapi/")
    document = httpx.get(f"{server.url}/api/asyncapi/?format=json").json()
    for message in document["components"]["messages"].values():
        expect(page.get_by_role("heading", name=message["name"], exact=True).first).to_be_visible()
    expect(page.get_by_role("heading", name="How the connection ends").first).to_be_visible()
    page.get_by_text("Schema").first.click()
    expect(page.locator("details[open] pre").first).to_contain_text('"type"')


@pytest.mark.parametrize(
    "path", ["/nothing/here", "/admin-/x", "/api/nothing/", "/static/nothing.css", "/api/listen"]
)
def test_an_address_without_a_page_says_so_to_people(page, server, complaints, path):
    complaints.expect("404")
    response = page.goto(server.url + path)
    assert response.status == 404
    expect(page.get_by_role("heading", level=1)).to_have_text("There is nothing at this address")
    page.get_by_role("link", name="See what runs here").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What runs here")


def test_the_api_page_works_within_the_content_security_policy(page, server):
    page.goto(f"{server.url}/api/docs/")
    expect(page.locator("#swagger-ui")).to_contain_text(re.compile("Foyer"))
    page.wait_for_load_state("networkidle")


def test_pages_forbid_everything_from_elsewhere_and_inline(server):
    for path in ("/", "/lobby/listen", "/api/asyncapi/?format=html", "/nothing"):
        response = httpx.get(server.url + path, headers={"Accept": "text/html"})
        policy = response.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert not re.search(
            r"<style|\sstyle=|\son\w+=|<script(?![^>]*(src=|application/json))", response.text
        ), path
        assert not re.search(r"(src|href)=[\"'](https?:)?//", response.text), path
