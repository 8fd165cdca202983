"""The API under ``/api/ticketing/``: tickets, what it costs and how it fails.

The rest of the desk is in test_api_desk, who may do what in test_api_rights, signing in in test_login, the
export in test_csv.
"""

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from realtime.http_api import MAX_BODY_BYTES
from tests.ticketing.callers import Caller, accepted, account, clerk, program, refused, results
from tests.ticketing.desk import Desk
from ticketing.api.base import MAX_ID
from ticketing.models import Ticket, TicketEvent
from ticketing.selectors.figures import local_today
from ticketing.services import arrivals, tickets

ADA = {"email": "ada@example.org", "name": "Ada Lovelace"}


# --- Taking a ticket ----------------------------------------------------------------------------------


def test_a_ticket_is_taken(manager: Caller):
    first = accepted(manager.post("tickets", ADA), 201)
    made = accepted(manager.post("tickets", {"email": "Bo@example.org", "name": "  Bo \t B. "}), 201)
    ticket = Ticket.objects.get(pk=made["id"])
    assert (made["label"], made["state"], made["email"], made["name"]) == (
        "A-002",
        "waiting",
        "Bo@example.org",
        "Bo B.",
    )
    assert (made["visitor"], made["staff"], made["table"]) == (ticket.visitor_id, None, None)
    assert (made["day"], made["ended_at"]) == (str(local_today()), None)
    assert (first["place"], made["place"]) == (
        {"ahead": 0, "estimate_s": None},
        {"ahead": 1, "estimate_s": None},
    )
    assert [(event["kind"], event["actor"]) for event in made["events"]] == [("created", "API key till")]


@pytest.mark.parametrize("way", ["header", "field"])
def test_a_request_that_is_sent_twice_makes_one_ticket(manager: Caller, way: str):
    headers = {"Idempotency-Key": "request-0001"} if way == "header" else {}
    body = ADA if way == "header" else ADA | {"request_key": "request-0001"}
    first = accepted(manager.post("tickets", body, **headers), 201)
    assert accepted(manager.post("tickets", body, **headers), 200) == first
    assert Ticket.objects.count() == 1
    other = accepted(manager.post("tickets", body, **{"Idempotency-Key": "request-0002"}), 201)
    assert other["id"] != first["id"]


def test_a_key_of_one_caller_finds_no_ticket_of_another(manager: Caller):
    headers = {"Idempotency-Key": "request-0001"}
    accepted(manager.post("tickets", ADA, **headers), 201)
    for other in (program("ticketing:create"), account("otto", "add_ticket")):
        accepted(other.post("tickets", ADA, **headers), 201)
    # Nor does a kiosk, whose keys are in the same column.
    arrivals.create_ticket(email="x@example.org", name="X", request_key="request-0001")
    assert Ticket.objects.count() == 4


def test_what_is_no_request_key(manager: Caller):
    for key in ("", "short", "x" * 65, "with space", "ключ-ключ-ключ", "request-0001\n", 12345678, None):
        body = refused(manager.post("tickets", ADA | {"request_key": key}), 400)
        assert list(body["fields"]) == ["request_key"], key
    for key in ("", "short", "with space"):
        body = refused(manager.post("tickets", ADA, **{"Idempotency-Key": key}), 400)
        assert list(body["fields"]) == ["Idempotency-Key"], key
    assert not Ticket.objects.exists()


WRONG_TICKETS: list[tuple[dict[str, Any], str | None]] = [
    ({"email": "ada"}, "EMAIL_INVALID"),
    ({"email": "ada@exa mple.org"}, "EMAIL_INVALID"),
    ({"email": "x" * 250 + "@example.org"}, "EMAIL_INVALID"),
    ({"email": 5}, None),
    ({"email": ""}, None),
    ({"email": "a\x00@example.org"}, None),
    ({"name": "\x01"}, "NAME_MISSING"),
    ({"name": "x" * 201}, "NAME_TOO_LONG"),
    ({"name": " "}, None),
    ({"name": ["Ada"]}, None),
    ({"name": None}, None),
]


def test_a_ticket_for_nobody(manager: Caller):
    for fields, code in WRONG_TICKETS:
        body = refused(manager.post("tickets", ADA | fields), 400, code)
        assert list(body["fields"]) == list(fields)
    for body in (b"", b"{", b"[]", b"5", b"null", b'{"email":"\\ud800"}'):
        refused(manager.post("tickets", body), 400)
    assert not Ticket.objects.exists()


def test_bodies_of_another_kind_or_too_large(manager: Caller):
    response = manager.client.post("/api/ticketing/tickets", ADA, headers=manager.headers)
    refused(response, 415)
    refused(manager.post("tickets", ADA | {"name": "x" * MAX_BODY_BYTES}), 413)


# --- Looking at tickets -------------------------------------------------------------------------------


def test_tickets_are_listed_and_filtered(desk: Desk, manager: Caller, ana: Caller, ben: Caller):
    ada, bob, cyd = desk.ticket("Ada"), desk.ticket("Bob Dobbs"), desk.ticket("Cyd", prefix="B")
    desk.claim(desk.ana, ada)
    desk.claim(desk.ben, bob)
    tickets.complete_ticket(ticket_id=ada, staff_id=desk.ana.pk)
    Ticket.objects.filter(pk=cyd).update(day=local_today() - timedelta(days=3))
    today = local_today()
    earlier = today - timedelta(days=2)
    for query, expected in (
        ("", [cyd, bob, ada]),
        ("?limit=1&offset=1", [bob]),
        ("?state=completed", [ada]),
        ("?state=completed&state=waiting", [cyd, ada]),
        (f"?from={today}", [bob, ada]),
        (f"?to={earlier}", [cyd]),
        (f"?from={today}&to={earlier}", []),
        (f"?staff={desk.ben.pk}", [bob]),
        ("?table=1", [ada]),
        ("?q=dobbs", [bob]),
        ("?q=CYD@example", [cyd]),
        ("?q=a-2", [bob]),
        ("?q=001", [cyd, ada]),
        ("?q=B-1", [cyd]),
        ("?q=nobody", []),
        ("?q=%25", []),
        (f"?staff={MAX_ID}", []),
    ):
        assert results(manager.get(f"tickets{query}"), "id") == expected, query


WRONG_FILTERS = [
    "state=late",
    "from=yesterday",
    "from=2026-13-01",
    "to=20261001",
    "to=2026-W01-1",
    "staff=x",
    "staff=-1",
    f"staff={MAX_ID + 1}",
    "table=10000",
    "q=%00",
    "q=" + "x" * 255,
    "limit=0",
    "offset=x",
]


def test_filters_that_are_none(manager: Caller):
    for query in WRONG_FILTERS:
        body = refused(manager.get(f"tickets?{query}"), 400)
        assert list(body["fields"]) == [query.partition("=")[0]]
        if not query.startswith(("limit", "offset")):
            refused(manager.get(f"tickets.csv?{query}"), 400)


def test_a_ticket_with_its_timeline(desk: Desk, manager: Caller, ana: Caller, ben: Caller):
    ticket = desk.ticket("Ada")
    accepted(ana.post(f"tickets/{ticket}/claim"))
    accepted(ana.post(f"tickets/{ticket}/transfer", {"table": 2}))
    accepted(ben.post(f"tickets/{ticket}/complete"))
    found = accepted(manager.get(f"tickets/{ticket}"))
    assert (found["state"], found["staff"], found["table"], found["place"]) == (
        "completed",
        {"id": desk.ben.pk, "name": "Ben"},
        2,
        None,
    )
    told = [
        (event["kind"], event["staff"] and event["staff"]["name"], event["table"], event["left_table"])
        for event in found["events"]
    ]
    assert told == [
        ("created", None, None, None),
        ("claimed", "Ana", 1, None),
        ("transferred", "Ben", 2, 1),
        ("completed", "Ben", 2, None),
    ]
    assert [event["actor"] for event in found["events"]] == ["", "Ana", "Ana", "Ben"]


def test_a_place_in_the_line_has_an_estimate_once_there_were_calls(desk: Desk, manager: Caller, ana: Caller):
    for name in ("Ada", "Bob", "Cyd", "Dot", "Eve"):
        desk.ticket(name)
    start = timezone.now() - timedelta(hours=1)
    Ticket.objects.update(created_at=start - timedelta(minutes=1))
    for number in range(3):
        desk.claim(desk.ana, Ticket.objects.filter(state="waiting").order_by("pk")[0].pk)
        called = TicketEvent.objects.filter(kind="claimed").order_by("-seq")[0]
        TicketEvent.objects.filter(seq=called.seq).update(at=start + timedelta(minutes=number))
    last = Ticket.objects.order_by("pk").last()
    assert last is not None
    assert accepted(manager.get(f"tickets/{last.pk}"))["place"] == {"ahead": 1, "estimate_s": 120}


@pytest.mark.parametrize(
    "path", ["tickets/77", f"tickets/{MAX_ID}", "tickets/77/cancel", "tickets/77/release"]
)
def test_a_ticket_that_is_not_there(manager: Caller, path: str):
    response = manager.post(path) if path.count("/") == 2 else manager.get(path)
    refused(response, 404, "UNKNOWN_TICKET" if path.count("/") == 2 else None)


@pytest.mark.parametrize(
    "path", ["tickets/x", "tickets/-1", f"tickets/{MAX_ID + 1}", "tickets/", "tables/x", ""]
)
def test_addresses_that_are_none(manager: Caller, path: str):
    assert manager.get(path).status_code == 404


# --- What happens to tickets: staff ---------------------------------------------------------------------


def test_staff_call_the_next(desk: Desk, ana: Caller):
    refused(ana.post("next"), 409, "NOBODY_WAITS")
    first, _second = desk.ticket("Ada"), desk.ticket("Bob")
    called = accepted(ana.post("next"))
    assert (called["id"], called["state"], called["table"]) == (first, "serving", 1)
    assert called["staff"] == {"id": desk.ana.pk, "name": "Ana"}


def test_one_ticket_is_claimed_once(desk: Desk, ana: Caller, ben: Caller):
    ticket = desk.ticket()
    assert accepted(ana.post(f"tickets/{ticket}/claim"))["staff"]["name"] == "Ana"
    refused(ben.post(f"tickets/{ticket}/claim"), 409, "TICKET_CLAIMED")
    for action in ("complete", "cancel", "no-show", "release", "recall"):
        refused(ben.post(f"tickets/{ticket}/{action}"), 409, "NOT_OWNER")
    refused(ben.post(f"tickets/{ticket}/transfer", {"table": 2}), 409, "NOT_OWNER")
    accepted(ana.post(f"tickets/{ticket}/complete"))
    refused(ana.post(f"tickets/{ticket}/claim"), 409, "TICKET_ENDED")
    assert desk.kinds(ticket) == ["created", "claimed", "completed"]


def test_without_a_table_nothing_can_be_claimed(desk: Desk):
    ticket, chidi = desk.ticket(), clerk(desk.chidi)
    for path in ("next", f"tickets/{ticket}/claim", f"tickets/{ticket}/complete"):
        refused(chidi.post(path), 409, "NO_TABLE")
    assert desk.state(ticket) == "waiting"


def test_a_token_revoked_in_the_last_moment_claims_nothing(desk: Desk, ana: Caller, monkeypatch):
    ticket = desk.ticket()
    real = tickets.claim_ticket

    def claim(**options: Any) -> Any:
        desk.ana.user.auth_token_set.all().delete()
        return real(**options)

    monkeypatch.setattr(tickets, "claim_ticket", claim)
    response = ana.post(f"tickets/{ticket}/claim")
    refused(response, 401, "TOKEN_INVALID")
    assert response["WWW-Authenticate"].startswith("Token ")
    assert desk.state(ticket) == "waiting"


@pytest.mark.parametrize(
    ("action", "state"),
    [("complete", "completed"), ("cancel", "cancelled"), ("no-show", "no_show"), ("release", "waiting")],
)
def test_staff_are_done_with_a_ticket(desk: Desk, ana: Caller, action: str, state: str):
    ticket = desk.ticket()
    desk.claim(desk.ana, ticket)
    assert accepted(ana.post(f"tickets/{ticket}/{action}"))["state"] == state
    assert TicketEvent.objects.order_by("-seq")[0].actor == "Ana"


def test_staff_call_again_and_hand_on(desk: Desk, ana: Caller, ben: Caller):
    ticket = desk.ticket()
    desk.claim(desk.ana, ticket)
    assert accepted(ana.post(f"tickets/{ticket}/recall"))["events"][-1]["kind"] == "recalled"
    refused(ana.post(f"tickets/{ticket}/transfer", {"table": 0}), 409, "TABLE_EMPTY")
    refused(ana.post(f"tickets/{ticket}/transfer", {"table": 1}), 409, "SAME_TABLE")
    assert accepted(ana.post(f"tickets/{ticket}/transfer", {"table": 2}))["staff"]["name"] == "Ben"


def test_what_is_no_table_to_hand_on_to(desk: Desk, ana: Caller):
    ticket = desk.ticket()
    desk.claim(desk.ana, ticket)
    for table in ("2", 2.5, None, -1, 10_000, True, [2]):
        body = refused(ana.post(f"tickets/{ticket}/transfer", {"table": table}), 400)
        assert list(body["fields"]) == ["table"]


# --- What happens to tickets: managers --------------------------------------------------------------------


@pytest.mark.parametrize("who", ["program", "account"])
def test_managers_do_it_to_any_ticket(desk: Desk, manager: Caller, ana: Caller, ben: Caller, who: str):
    boss = manager if who == "program" else account("otto", "change_ticket")
    actor = "API key till" if who == "program" else "otto"
    for action, state in (
        ("release", "waiting"),
        ("complete", "completed"),
        ("no-show", "no_show"),
        ("cancel", "cancelled"),
    ):
        ticket = desk.ticket()
        desk.claim(desk.ana, ticket)
        changed = accepted(boss.post(f"tickets/{ticket}/{action}"))
        assert (changed["state"], changed["events"][-1]["actor"]) == (state, actor)
    waiting = desk.ticket()
    assert accepted(boss.post(f"tickets/{waiting}/cancel"))["state"] == "cancelled"
    served = desk.ticket()
    for action in ("complete", "no-show", "release"):
        refused(boss.post(f"tickets/{served}/{action}"), 409, "NOT_SERVED")
    desk.claim(desk.ana, served)
    moved = accepted(boss.post(f"tickets/{served}/transfer", {"table": 2}))
    assert (moved["staff"]["name"], moved["events"][-1]["actor"]) == ("Ben", actor)


# --- Costs and failures -----------------------------------------------------------------------------------


LISTS = {"tickets": 2, "tables": 4, "staff": 2, "visitors": 2, "devices": 2, "stats": 5}


def test_a_list_takes_as_many_queries_whatever_its_length(
    desk: Desk, manager: Caller, ana: Caller, ben: Caller, django_assert_num_queries
):
    manager.get("tables/1")  # from then on the key is remembered
    for round_ in range(2):
        for number in range(3):
            ticket = desk.ticket(f"Visitor{round_}{number}")
            desk.claim(desk.ana if number else desk.ben, ticket)
            accepted(manager.post("devices", {"kind": "kiosk", "name": f"Kiosk {round_} {number}"}), 201)
        tickets.complete_ticket(ticket_id=ticket, staff_id=desk.ana.pk)
        for path, queries in LISTS.items():
            with django_assert_num_queries(queries, info=path):
                accepted(manager.get(path))


def test_one_ticket_takes_two_queries_and_four_more_while_it_waits(
    desk: Desk, manager: Caller, ana: Caller, django_assert_num_queries
):
    manager.get("tables/1")
    ticket = desk.ticket()
    with django_assert_num_queries(6):
        manager.get(f"tickets/{ticket}")
    desk.claim(desk.ana, ticket)
    with django_assert_num_queries(2):
        manager.get(f"tickets/{ticket}")


def test_a_token_costs_one_query(desk: Desk, ana: Caller, django_assert_num_queries):
    desk.ticket()
    with django_assert_num_queries(3):
        accepted(ana.get("tickets"))


def test_without_the_database(manager: Caller, monkeypatch):
    def away(**_options: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(arrivals, "create_ticket", away)
    response = manager.post("tickets", ADA)
    refused(response, 503)
    assert response["Retry-After"] == "1"


def test_an_answer_the_client_does_not_take(manager: Caller):
    refused(manager.get("tickets", Accept="text/html"), 406)


@pytest.mark.parametrize(("method", "path"), [("PUT", "tables/1"), ("DELETE", "tables/1"), ("GET", "next")])
def test_methods_that_are_none(manager: Caller, method: str, path: str):
    # Who may do nothing there is told so first.
    assert manager.send(method, path).status_code in (403, 405)
    assert "Allow" in manager.send(method, path)
