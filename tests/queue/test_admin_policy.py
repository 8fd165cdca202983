"""The policy in the admin: the one form, what the line does now beside it, and the button that stops it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from queue.models import LogEntry, Policy
from queue.selectors.line import load_policy
from queue.services.policy import report_occupancy, save_policy
from tests.queue.admin_pages import POLICY
from tests.queue.line import LineOfTests
from tests.realtime.admin_pages import page_of

pytestmark = pytest.mark.django_db

FORM = POLICY + "1/change/"
LINE = POLICY + "line/"


def form_of(page: str) -> dict[str, str]:
    """What a browser would send of the form as it is."""
    form = page[page.index('id="policy_form"') :].partition("</form>")[0]
    sent = {}
    for field in re.findall(r"<input[^>]*>", form):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', field))
        if attributes.get("type") == "checkbox" and not re.search(r"\bchecked\b", field):
            continue
        if "name" in attributes and attributes.get("type") != "submit":
            sent[attributes["name"]] = attributes.get("value", "on")
    return sent


def now(client: Client) -> dict[str, Any]:
    response = client.get(LINE)
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    return {
        name: value.replace("\N{NO-BREAK SPACE}", " ") if isinstance(value, str) else value
        for name, value in response.json().items()
    }


# --- The form --------------------------------------------------------------------------------------------


def test_the_list_is_the_form_before_anything_was_saved(admin_client: Client) -> None:
    response = admin_client.get(POLICY)
    assert response["Location"] == FORM
    assert 'value="1000"' in page_of(admin_client.get(FORM))
    assert not Policy.objects.exists()
    for path in (POLICY + "add/", POLICY + "1/delete/"):
        assert admin_client.post(path, {"post": "yes"}).status_code == 403
    assert admin_client.get(POLICY + "2/change/")["Location"] == "/admin/"


def test_what_is_saved_holds_at_once_and_is_in_the_log(
    admin_client: Client, django_capture_on_commit_callbacks
) -> None:
    line = LineOfTests()
    line.policy(capacity=0)
    line.join("ann")
    form = form_of(page_of(admin_client.get(FORM)))
    with django_capture_on_commit_callbacks() as callbacks:
        response = admin_client.post(FORM, {**form, "capacity": "3", "message": "Welcome"})
    assert response.status_code == 302
    assert callbacks, "every process looks again"
    assert (load_policy().capacity, load_policy().message) == (3, "Welcome")
    assert line.states("ann") == ["admitted"]
    assert LogEntry.objects.get(kind="policy", capacity=3).note == "capacity=3 by admin"


def test_nothing_changed_is_nothing_done(admin_client: Client) -> None:
    save_policy(changes={"capacity": 5}, actor="the test")
    admin_client.post(FORM, form_of(page_of(admin_client.get(FORM))))
    assert LogEntry.objects.count() == 1


def test_a_form_that_was_open_for_long_undoes_nobodys_work(admin_client: Client) -> None:
    save_policy(changes={"capacity": 5}, actor="the test")
    form = form_of(page_of(admin_client.get(FORM)))
    save_policy(changes={"capacity": 6, "enabled": False, "paused": True}, actor="somebody else")
    admin_client.post(FORM, {**form, "ticket_stale_s": "60"})
    policy = load_policy()
    assert (policy.capacity, policy.enabled, policy.paused, policy.ticket_stale_s) == (6, False, True, 60)
    del form["enabled"]
    save_policy(changes={"enabled": True}, actor="somebody else")
    admin_client.post(FORM, form)
    assert not load_policy().enabled


@pytest.mark.parametrize(
    ("field", "value"),
    [("capacity", "-1"), ("capacity", "1000000001"), ("interval_s", "0"), ("capacity", "many")],
)
def test_what_makes_no_sense_is_refused(admin_client: Client, field: str, value: str) -> None:
    form = form_of(page_of(admin_client.get(FORM)))
    page_of(admin_client.post(FORM, {**form, field: value}))
    assert not Policy.objects.exists()


# --- Pausing ---------------------------------------------------------------------------------------------


def test_pausing_and_going_on(admin_client: Client) -> None:
    line = LineOfTests()
    line.policy(capacity=1)
    page = page_of(admin_client.post(POLICY + "pause/", follow=True))
    assert "Paused: nobody is let in." in page
    line.join("ann")
    assert line.states("ann") == ["waiting"]
    shown = re.findall(r'data-when="(\w+)"( hidden)?', page)
    assert shown == [("running", " hidden"), ("paused", "")]
    page_of(admin_client.post(POLICY + "resume/", follow=True))
    assert line.states("ann") == ["admitted"]
    assert [entry["note"] for entry in line.log() if entry["kind"] == "policy"][1:] == [
        "paused=True by admin",
        "paused=False by admin",
    ]


def test_a_link_pauses_nothing(admin_client: Client) -> None:
    assert admin_client.get(POLICY + "pause/")["Location"] == FORM
    assert not load_policy().paused


# --- The line now ----------------------------------------------------------------------------------------


def test_the_line_as_it_is(admin_client: Client) -> None:
    line = LineOfTests()
    line.policy(capacity=2, initial_avg_wait_s=90)
    assert now(admin_client) == {
        "paused": False,
        "state": "Open.",
        "waiting": "0",
        "active": "0",
        "away": "0",
        "logging_in": "0",
        "occupied": "0 of 2",
        "source": "counted by sessions that are alive",
        "free": "2",
        "head": "nobody waits",
        "tail": "0",
        "mean_wait": "1 min 30 s",
        "estimate": "no wait",
    }
    line.join("ann", "ben", "cem", "dan", "eve")
    line.enter("ann")
    line.leave("cem")
    line.policy(avg_wait_window=1)
    seen = now(admin_client)
    assert seen.pop("mean_wait")
    assert seen == {
        "paused": False,
        "state": "Full: the next is let in when somebody leaves.",
        "waiting": "3",
        "active": "2",
        "away": "1",
        "logging_in": "1",
        "occupied": "2 of 2",
        "source": "counted by sessions that are alive",
        "free": "0",
        "head": "3",
        "tail": "5",
        "estimate": "nobody can say yet",
    }


def test_who_says_how_full_it_is(admin_client: Client) -> None:
    save_policy(changes={"capacity": 2_000}, actor="the test")
    report_occupancy(count=1_234)
    seen = now(admin_client)
    assert seen["occupied"] == "1,234 of 2,000"
    assert re.fullmatch(r"the main server said 1,234 at \d{4}-\d\d-\d\d [\d:]{8} UTC", seen["source"])


@pytest.mark.parametrize(
    ("changes", "state", "free", "estimate"),
    [
        ({"paused": True}, "Paused: nobody is let in.", "0", "not while it is paused"),
        ({"enabled": False}, "Off: everyone is let in at once", "all", "no wait"),
    ],
)
def test_what_the_policy_does_is_said_first(
    admin_client: Client, changes: dict[str, bool], state: str, free: str, estimate: str
) -> None:
    save_policy(changes=changes, actor="the test")
    seen = now(admin_client)
    assert seen["state"].startswith(state)
    assert (seen["free"], seen["estimate"], seen["paused"]) == (free, estimate, changes.get("paused", False))


def test_a_main_server_that_fails_is_said(admin_client: Client) -> None:
    line = LineOfTests()
    line.policy(capacity=1)
    line.join("ann")
    line.fail("ann")
    assert now(admin_client)["state"].startswith("The main server fails.")


def test_the_page_has_a_place_for_all_that_is_told(admin_client: Client) -> None:
    page = page_of(admin_client.get(FORM))
    assert f'data-url="{LINE}"' in page
    assert "/static/queue/admin-line.js" in page
    told = now(admin_client)
    shown = dict(re.findall(r'data-line="(\w+)">([^<]*)<', page))
    assert shown == {name: value for name, value in told.items() if name != "paused"}


def test_looking_costs_the_same_however_long_the_line_is(admin_client: Client) -> None:
    line = LineOfTests()
    line.policy(capacity=1)

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            now(admin_client)
        return len(queries)

    line.join("ann", "ben")
    few = cost()
    line.join(*(f"c{number}" for number in range(20)))
    assert cost() == few <= 2 + 12, "who asks, and the line"
