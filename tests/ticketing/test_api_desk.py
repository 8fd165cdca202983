"""The API under ``/api/ticketing/``: tables, people, devices and figures."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.ticketing.callers import Caller, accepted, account, refused, results
from tests.ticketing.desk import Desk
from ticketing.models import Device, Staff, Table, Ticket, TicketEvent, Visitor
from ticketing.selectors.figures import local_today
from ticketing.services import tables, tickets
from ticketing.services.devices import find_device
from ticketing.services.people import issue_token
from ticketing.services.tokens import staff_of_token

# --- Tables -------------------------------------------------------------------------------------------


def test_tables_as_they_are_now(desk: Desk, manager: Caller, ana: Caller, ben: Caller):
    first, second = desk.ticket("Ada"), desk.ticket("Bob")
    desk.claim(desk.ana, first)
    desk.claim(desk.ana, second)
    tickets.recall_ticket(ticket_id=first, staff_id=desk.ana.pk)
    tables.pause_table(number=2, staff_id=None)
    listed = accepted(manager.get("tables"))["results"]
    assert [(row["number"], row["state"]) for row in listed] == [
        (0, "offline"),
        (1, "serving"),
        (2, "paused"),
        (3, "off"),
    ]
    assert listed[1] == {
        "number": 1,
        "name": "Counter 1",
        "is_active": True,
        "state": "serving",
        "staff": {"id": desk.ana.pk, "name": "Ana"},
        "tickets": [{"id": second, "label": "A-002"}, {"id": first, "label": "A-001"}],
    }
    assert listed[0]["staff"] is None
    assert accepted(manager.get("tables/1")) == listed[1]
    tickets.complete_ticket(ticket_id=first, staff_id=desk.ana.pk)
    tickets.complete_ticket(ticket_id=second, staff_id=desk.ana.pk)
    assert accepted(manager.get("tables/1"))["state"] == "free"


def test_a_table_from_making_to_closing_it(desk: Desk, manager: Caller):
    made = accepted(manager.post("tables", {"number": 9, "name": "Room 9"}), 201)
    assert (made["number"], made["name"], made["state"]) == (9, "Room 9", "offline")
    refused(manager.post("tables", {"number": 9}), 409)
    assert accepted(manager.patch("tables/9", {"name": ""}))["name"] == ""
    desk.pick(desk.chidi, 9)
    closed = accepted(manager.patch("tables/9", {"is_active": False}))
    assert (closed["state"], closed["staff"]) == ("off", None)
    assert desk.kinds()[-2:] == ["table_changed", "unpicked"]
    # The number cannot be changed, and an empty change changes nothing.
    assert accepted(manager.patch("tables/9", {"number": 8})) == closed
    assert TicketEvent.objects.filter(kind="table_changed").latest("seq").actor == "API key till"


def test_a_wrong_table(manager: Caller):
    before = list(Table.objects.values())
    for number in (-1, 10_000, "9", None):
        refused(manager.post("tables", {"number": number}), 400)
    wrong: dict[str, list[Any]] = {"name": ["x" * 61, 5, "\x00"], "is_active": ["yes", 1, None]}
    for field, values in wrong.items():
        for value in values:
            for response in (
                manager.post("tables", {"number": 9, field: value}),
                manager.patch("tables/1", {field: value}),
            ):
                assert list(refused(response, 400)["fields"]) == [field]
    assert list(Table.objects.values()) == before


def test_a_table_is_paused_resumed_and_freed(desk: Desk, manager: Caller, ana: Caller, ben: Caller):
    assert accepted(ana.post("tables/1/pause"))["state"] == "paused"
    refused(ana.post("tables/1/pause"), 409, "ALREADY_PAUSED")
    refused(ben.post("tables/1/resume"), 409, "NOT_OWNER")
    assert accepted(manager.post("tables/1/resume"))["state"] == "free"
    refused(manager.post("tables/1/resume"), 409, "NOT_PAUSED")
    assert accepted(manager.post("tables/1/free"))["state"] == "offline"
    for action in ("free", "pause", "resume"):
        refused(manager.post(f"tables/1/{action}"), 409, "TABLE_EMPTY")
        refused(manager.post(f"tables/55/{action}"), 404)
    assert TicketEvent.objects.order_by("-seq")[0].actor == "API key till"


def test_a_table_that_is_not_there(manager: Caller):
    refused(manager.get("tables/55"), 404)
    refused(manager.patch("tables/55", {}), 404)


# --- Staff and their tokens -----------------------------------------------------------------------------


def test_staff_are_listed(desk: Desk, manager: Caller, ana: Caller):
    issue_token(staff=desk.ana, expiry=None)
    issue_token(staff=desk.ana, expiry=timedelta(seconds=-1))
    listed = accepted(manager.get("staff"))["results"]
    assert [(row["name"], row["username"], row["table"], row["tokens"]) for row in listed] == [
        ("Ana", "ana", 1, 2),
        ("Ben", "ben", None, 0),
        ("Chidi", "chidi", None, 0),
    ]
    assert accepted(manager.get(f"staff/{desk.ana.pk}")) == listed[0]


def test_an_account_becomes_staff(manager: Caller):
    account("dana", is_staff=False)
    made = accepted(manager.post("staff", {"username": "dana", "name": "Dana"}), 201)
    assert (made["name"], made["username"], made["is_active"]) == ("Dana", "dana", True)
    refused(manager.post("staff", {"username": "dana", "name": "Dana again"}), 409)
    refused(manager.post("staff", {"username": "x", "name": "X"}), 409, "UNKNOWN_ACCOUNT")
    assert accepted(manager.patch(f"staff/{made['id']}", {"name": "Dana D."}))["name"] == "Dana D."


def test_whoever_is_made_inactive_is_out_at_once(desk: Desk, manager: Caller, ana: Caller):
    changed = accepted(manager.patch(f"staff/{desk.ana.pk}", {"is_active": False}))
    assert (changed["is_active"], changed["table"], changed["tokens"]) == (False, None, 0)
    refused(ana.get("tables"), 401)
    refused(manager.post(f"staff/{desk.ana.pk}/tokens"), 409, "STAFF_INACTIVE")
    accepted(manager.patch(f"staff/{desk.ana.pk}", {"is_active": True}))
    accepted(manager.post(f"staff/{desk.ana.pk}/tokens"), 201)


def test_wrong_staff(desk: Desk, manager: Caller):
    account("dana", is_staff=False)
    wrong: list[dict[str, Any]] = [{"name": value} for value in ("", "x" * 101, 5, None)]
    for fields in [*wrong, {"is_active": "no"}]:
        refused(manager.post("staff", {"username": "dana", "name": "Dana"} | fields), 400)
        refused(manager.patch(f"staff/{desk.ana.pk}", fields), 400)
    assert sorted(Staff.objects.values_list("name", flat=True)) == ["Ana", "Ben", "Chidi"]


@pytest.mark.parametrize(
    ("body", "expiry_s"),
    [(None, 16 * 3600), ({}, 16 * 3600), ({"expires_in_s": 60}, 60), ({"expires_in_s": None}, None)],
    ids=repr,
)
def test_tokens_are_made_and_revoked(desk: Desk, manager: Caller, body: Any, expiry_s: int | None):
    made = accepted(manager.post(f"staff/{desk.ana.pk}/tokens", body), 201)
    assert made["staff"] == {"id": desk.ana.pk, "name": "Ana"}
    login = staff_of_token(made["token"])
    assert login is not None
    assert login.staff_id == desk.ana.pk
    expiry = desk.ana.user.auth_token_set.get().expiry
    assert (expiry is None) == (made["expires_at"] is None) == (expiry_s is None)
    if expiry_s is not None:
        assert abs((expiry - timezone.now()).total_seconds() - expiry_s) < 10
    assert manager.delete(f"staff/{desk.ana.pk}/tokens").status_code == 204
    assert staff_of_token(made["token"]) is None


def test_a_token_for_no_time(desk: Desk, manager: Caller):
    for seconds in (0, 59, -1, 10**12, "60", 60.5, True):
        refused(manager.post(f"staff/{desk.ana.pk}/tokens", {"expires_in_s": seconds}), 400)


# --- Visitors -----------------------------------------------------------------------------------------


def test_visitors_are_found(desk: Desk, manager: Caller):
    for name in ("Ada Lovelace", "Ada Lovelace", "Bob"):
        desk.ticket(name)
    for query, expected in (
        ("", ["Bob", "Ada Lovelace"]),
        ("?q=ADA@", ["Ada Lovelace"]),
        ("?q=lace", ["Ada Lovelace"]),
    ):
        assert results(manager.get(f"visitors{query}"), "name") == expected
    ada = Visitor.objects.get(name="Ada Lovelace")
    found = accepted(manager.get(f"visitors/{ada.pk}"))
    assert (found["email"], found["tickets"]) == ("ada@example.org", 2)
    assert [ticket["label"] for ticket in found["latest"]] == ["A-002", "A-001"]


def test_a_visitor_is_erased(desk: Desk, manager: Caller, ana: Caller):
    served, waiting, other = desk.ticket("Ada"), desk.ticket("Ada"), desk.ticket("Bob")
    desk.claim(desk.ana, served)
    tickets.complete_ticket(ticket_id=served, staff_id=desk.ana.pk)
    path = f"visitors/{Ticket.objects.get(pk=served).visitor_id}"
    assert accepted(manager.delete(path)) == {"success": True, "tickets": 2}
    assert (desk.state(served), desk.state(waiting), desk.state(other)) == (
        "completed",
        "cancelled",
        "waiting",
    )
    blank = accepted(manager.get(f"tickets/{waiting}"))
    assert (blank["name"], blank["email"], blank["visitor"]) == ("", "", None)
    assert blank["events"][-1]["actor"] == "API key till"
    refused(manager.get(path), 404)
    refused(manager.delete(path), 404)


# --- Devices ------------------------------------------------------------------------------------------


def test_a_device_from_making_to_deleting_it(manager: Caller):
    made = accepted(manager.post("devices", {"kind": "kiosk", "name": "Door", "prefix": "B"}), 201)
    token = made.pop("token")
    device = find_device(kind="kiosk", token=token)
    assert device is not None
    path = f"devices/{device.pk}"
    assert (made["id"], made["kind"], made["prefix"]) == (device.pk, "kiosk", "B")
    assert made["token_start"] == token[:8]
    listed = manager.get("devices")
    assert accepted(listed)["results"] == [made]
    assert token not in listed.content.decode()
    changed = accepted(
        manager.patch(path, {"name": "Hall", "is_active": False, "prefix": "", "kind": "display"})
    )
    assert changed == made | {"name": "Hall", "is_active": False, "prefix": ""}
    assert find_device(kind="kiosk", token=token) is None
    accepted(manager.patch(path, {"is_active": True}))
    renewed = accepted(manager.post(f"{path}/token"), 201)["token"]
    assert find_device(kind="kiosk", token=token) is None
    assert find_device(kind="kiosk", token=renewed) is not None
    assert accepted(manager.get(path))["token_start"] == renewed[:8]
    assert manager.delete(path).status_code == 204
    refused(manager.get(path), 404)


def test_a_wrong_device(manager: Caller):
    path = f"devices/{accepted(manager.post('devices', {'kind': 'display', 'name': 'Hall'}), 201)['id']}"
    wrong: dict[str, list[Any]] = {"name": ["x" * 61, "", 5], "prefix": ["b", "ABCD", "A\n", None]}
    for field, values in wrong.items():
        for value in values:
            refused(manager.post("devices", {"kind": "kiosk", "name": "Door", field: value}), 400)
            refused(manager.patch(path, {field: value}), 400)
    for kind in ("printer", ["kiosk"], None):
        refused(manager.post("devices", {"kind": kind, "name": "Door"}), 400)
    refused(manager.post("devices", {"kind": "kiosk", "name": "Hall"}), 409)
    assert Device.objects.count() == 1


# --- Figures ------------------------------------------------------------------------------------------


def test_figures_of_today(desk: Desk, manager: Caller, ana: Caller):
    ticket = desk.ticket("Ada")
    desk.ticket("Bob")
    desk.claim(desk.ana, ticket)
    tickets.complete_ticket(ticket_id=ticket, staff_id=desk.ana.pk)
    figures = accepted(manager.get("stats"))
    assert (figures["waiting_now"], figures["created"], figures["completed"]) == (1, 2, 1)
    assert figures["wait"]["count"] == figures["service"]["count"] == 1
    assert [(row["number"], row["label"], row["count"]) for row in figures["tables"]] == [(1, "Counter 1", 1)]
    assert [(row["id"], row["label"]) for row in figures["staff"]] == [(desk.ana.pk, "Ana")]
    assert sum(hour["created"] for hour in figures["hours"]) == 2
    assert len(figures["hours"]) == 24
    assert figures["first_day"] == figures["last_day"] == str(local_today())


def test_figures_of_other_days(manager: Caller):
    for query, days in (
        ("from=2026-01-01&to=2026-01-31", ("2026-01-01", "2026-01-31")),
        ("from=2026-01-05", ("2026-01-05", "2026-01-05")),
        ("to=2026-01-06", ("2026-01-06", "2026-01-06")),
    ):
        figures = accepted(manager.get(f"stats?{query}"))
        assert (figures["first_day"], figures["last_day"]) == days
        assert figures["wait"] == {"count": 0, "mean_s": None, "p90_s": None}
    refused(manager.get("stats?from=2026-01-02&to=2026-01-01"), 400, "DAYS_INVALID")
    refused(manager.get("stats?from=2020-01-01&to=2026-01-01"), 400, "DAYS_INVALID")
    refused(manager.get("stats?from=x"), 400)
