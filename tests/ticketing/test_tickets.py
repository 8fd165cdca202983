"""Tickets: results, rows, what the journal says, and what a refusal leaves as it was."""

from datetime import UTC, datetime, timedelta
from functools import partial
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from realtime.errors import Refused
from ticketing.models import Journal, Ticket, TicketEvent, Visitor
from ticketing.services import arrivals, tables, tickets
from ticketing.services import journal as journals
from ticketing.services.journal import change
from ticketing.services.live import commit_commands
from ticketing.services.people import issue_token, revoke_tokens
from ticketing.services.tokens import staff_of_token

pytestmark = pytest.mark.django_db


def refused(code: str):
    return pytest.raises(Refused, match=f"^{code}:")


# --- Taking one -----------------------------------------------------------------------------------


def test_a_ticket_is_numbered_and_journalled(desk) -> None:
    entry = arrivals.create_ticket(email="Ada@example.org", name="Ada Lovelace", actor="Kiosk", origin="k1")
    ticket = Ticket.objects.get()
    assert (ticket.label, ticket.state, ticket.staff, ticket.ended_at) == ("A-001", "waiting", None, None)
    assert (ticket.email, ticket.name) == ("Ada@example.org", "Ada Lovelace")
    assert entry.ticket is not None
    assert (entry.kind, entry.origin, entry.ticket.id, entry.ticket.label) == (
        "created",
        "k1",
        ticket.pk,
        "A-001",
    )
    event = TicketEvent.objects.get(seq=entry.seq)
    assert (event.kind, event.ticket, event.actor) == ("created", ticket, "Kiosk")
    assert Journal.objects.get().last_seq == entry.seq


def test_numbers_count_in_each_series_and_start_again_each_day(desk, monkeypatch, settings) -> None:
    settings.TICKETING_TIME_ZONE = "Europe/Berlin"
    labels = []
    # 23:30 and 00:30 in Berlin, on the same day of UTC.
    for hour, prefix in ((22, None), (22, None), (22, "B"), (22, ""), (23, None), (23, "B")):
        moment = datetime(2026, 6, 1, hour - 1 + (hour == 23), 30, tzinfo=UTC)
        monkeypatch.setattr(journals.timezone, "now", lambda moment=moment: moment)
        labels.append(Ticket.objects.get(pk=desk.ticket(prefix=prefix)).label)
    assert labels == ["A-001", "A-002", "B-001", "001", "A-001", "B-001"]


def test_a_known_address_keeps_its_visitor_and_takes_the_new_name(desk) -> None:
    first, second = desk.ticket("Ada", "ada@example.org"), desk.ticket("Ada Lovelace", "ADA@Example.org")
    visitor = Visitor.objects.get()
    assert (visitor.email, visitor.name) == ("ADA@Example.org", "Ada Lovelace")
    assert [Ticket.objects.get(pk=pk).name for pk in (first, second)] == ["Ada", "Ada Lovelace"]


def test_a_request_sent_twice_makes_one_ticket(desk) -> None:
    first = arrivals.create_ticket(email="a@example.org", name="A", request_key="key-12345", origin="one")
    second = arrivals.create_ticket(email="a@example.org", name="A", request_key="key-12345", origin="two")
    assert second == first
    assert Ticket.objects.count() == 1
    assert desk.ticket() != first.ticket.id  # without a key each is its own


def test_a_request_that_was_sent_twice_at_once_makes_one_ticket(desk) -> None:
    take = partial(arrivals.create_ticket, email="a@example.org", name="A", request_key="key-12345")
    first, second = commit_commands([take, take])
    assert first == second
    assert Ticket.objects.count() == 1


@pytest.mark.parametrize(
    ("email", "name", "code"),
    [
        ("", "Ada", "EMAIL_INVALID"),
        ("ada", "Ada", "EMAIL_INVALID"),
        ("ada@", "Ada", "EMAIL_INVALID"),
        ("a@example.org\n", "Ada", "EMAIL_INVALID"),
        ("a" * 250 + "@example.org", "Ada", "EMAIL_INVALID"),
        ("nobody", "", "EMAIL_INVALID"),
        ("a@example.org", "", "NAME_MISSING"),
        ("a@example.org", " \t ", "NAME_MISSING"),
        ("a@example.org", "\x00\x1b\u2028", "NAME_MISSING"),
        ("a@example.org", "a" * 201, "NAME_TOO_LONG"),
    ],
)
def test_what_is_no_visitor_takes_no_ticket(desk, email: str, name: str, code: str) -> None:
    with refused(code):
        arrivals.create_ticket(email=email, name=name)
    assert not Ticket.objects.exists()
    assert not Visitor.objects.exists()


def test_names_are_one_line_without_what_nobody_sees(desk) -> None:
    ticket = Ticket.objects.get(pk=desk.ticket("  Zoë \x00 \n  O’Neil\ud800 ", "zoe@example.org"))
    assert ticket.name == "Zoë O’Neil\N{REPLACEMENT CHARACTER}"


# --- Serving it -----------------------------------------------------------------------------------


def test_claim_serve_complete(desk) -> None:
    ticket_id = desk.ticket()
    desk.pick(desk.ana, 1)
    entry = desk.claim(desk.ana, ticket_id)
    assert (entry.kind, entry.staff_name, entry.table.number) == ("claimed", "Ana", 1)
    ticket = Ticket.objects.get()
    assert (ticket.state, ticket.staff, ticket.table.number) == ("serving", desk.ana, 1)
    assert ticket.called_seq == entry.seq
    tickets.complete_ticket(ticket_id=ticket_id, staff_id=desk.ana.pk)
    ticket.refresh_from_db()
    assert (ticket.state, ticket.staff, ticket.ended_at is not None) == ("completed", desk.ana, True)
    assert desk.kinds(ticket_id) == ["created", "claimed", "completed"]


def test_who_may_accept_what(desk) -> None:
    waiting, claimed, ended = desk.ticket("W"), desk.ticket("C"), desk.ticket("E")
    with refused("NO_TABLE"):
        desk.claim(desk.ana, waiting)
    desk.pick(desk.ana, 0)
    desk.pick(desk.ben, 1)
    desk.claim(desk.ben, claimed)
    tickets.cancel_ticket(ticket_id=ended, staff_id=None)
    for ticket_id, code in (
        (999, "UNKNOWN_TICKET"),
        (None, "UNKNOWN_TICKET"),
        (ended, "TICKET_ENDED"),
        (claimed, "TICKET_CLAIMED"),
    ):
        with refused(code):
            tickets.claim_ticket(ticket_id=ticket_id, staff_id=desk.ana.pk)
    assert desk.state(waiting) == "waiting"


@pytest.mark.parametrize("end", [tickets.complete_ticket, tickets.cancel_ticket, tickets.mark_no_show])
def test_only_the_owner_ends_a_ticket_and_only_once(desk, end) -> None:
    ticket_id, waiting = desk.ticket("A"), desk.ticket("B")
    with refused("NO_TABLE"):
        end(ticket_id=ticket_id, staff_id=desk.ana.pk)
    desk.pick(desk.ana, 0)
    desk.pick(desk.ben, 1)
    desk.claim(desk.ben, ticket_id)
    for other in (ticket_id, waiting):
        with refused("NOT_OWNER"):
            end(ticket_id=other, staff_id=desk.ana.pk)
    with refused("UNKNOWN_TICKET"):
        end(ticket_id=None, staff_id=desk.ana.pk)
    end(ticket_id=ticket_id, staff_id=desk.ben.pk)
    for staff_id in (desk.ben.pk, desk.ana.pk, None):
        with refused("TICKET_ENDED"):
            end(ticket_id=ticket_id, staff_id=staff_id)


def test_next_is_who_waits_longest_also_after_a_release(desk) -> None:
    first, second = desk.ticket("A"), desk.ticket("B")
    desk.pick(desk.ana, 0)
    desk.pick(desk.ben, 1)
    assert tickets.claim_next(staff_id=desk.ana.pk).ticket.id == first
    tickets.release_ticket(ticket_id=first, staff_id=desk.ana.pk)
    assert tickets.claim_next(staff_id=desk.ben.pk).ticket.id == first
    assert tickets.claim_next(staff_id=desk.ana.pk).ticket.id == second
    with refused("NOBODY_WAITS"):
        tickets.claim_next(staff_id=desk.ana.pk)


def test_a_released_ticket_has_waited_since_it_was_taken(desk) -> None:
    ticket_id = desk.ticket()
    desk.pick(desk.ana, 0)
    desk.claim(desk.ana, ticket_id)
    called = Ticket.objects.get().claimed_at
    entry = tickets.release_ticket(ticket_id=ticket_id, staff_id=None, actor="admin")
    assert (entry.kind, entry.staff_id, entry.table.number) == ("released", desk.ana.pk, 0)
    assert Ticket.objects.get().staff is None
    desk.claim(desk.ana, ticket_id)
    assert Ticket.objects.get().claimed_at == called
    with refused("NOT_SERVED"):
        tickets.release_ticket(ticket_id=desk.ticket("B"), staff_id=None)


def test_recall_makes_it_the_last_call(desk) -> None:
    first, second = desk.ticket("A"), desk.ticket("B")
    desk.pick(desk.ana, 0)
    desk.claim(desk.ana, first)
    desk.claim(desk.ana, second)
    entry = tickets.recall_ticket(ticket_id=first, staff_id=desk.ana.pk)
    assert Ticket.objects.get(pk=first).called_seq == entry.seq > Ticket.objects.get(pk=second).called_seq
    with refused("NOT_OWNER"):
        desk.pick(desk.ben, 1)
        tickets.recall_ticket(ticket_id=first, staff_id=desk.ben.pk)


def test_a_ticket_is_handed_to_whoever_sits_at_the_table(desk) -> None:
    ticket_id = desk.ticket()
    desk.pick(desk.ana, 0)
    desk.claim(desk.ana, ticket_id)
    with refused("TABLE_EMPTY"):
        tickets.transfer_ticket(ticket_id=ticket_id, staff_id=desk.ana.pk, table=1)
    with refused("SAME_TABLE"):
        tickets.transfer_ticket(ticket_id=ticket_id, staff_id=desk.ana.pk, table=0)
    desk.pick(desk.ben, 1)
    tables.pause_table(number=1, staff_id=desk.ben.pk)
    with refused("TABLE_PAUSED"):
        tickets.transfer_ticket(ticket_id=ticket_id, staff_id=desk.ana.pk, table=1)
    tables.resume_table(number=1, staff_id=desk.ben.pk)
    entry = tickets.transfer_ticket(ticket_id=ticket_id, staff_id=desk.ana.pk, table=1)
    assert (entry.staff_name, entry.table.number, entry.left_table) == ("Ben", 1, 0)
    with refused("NOT_OWNER"):
        tickets.complete_ticket(ticket_id=ticket_id, staff_id=desk.ana.pk)
    tickets.complete_ticket(ticket_id=ticket_id, staff_id=desk.ben.pk)


def test_calling_ends_a_pause(desk) -> None:
    ticket_id = desk.ticket()
    desk.pick(desk.ana, 0)
    tables.pause_table(number=0, staff_id=desk.ana.pk)
    desk.claim(desk.ana, ticket_id)
    assert desk.kinds()[-3:] == ["paused", "resumed", "claimed"]


def test_the_token_is_checked_before_all_else(desk) -> None:
    login = staff_of_token(issue_token(staff=desk.ana))
    revoke_tokens(staff=desk.ana)
    with refused("TOKEN_INVALID"):
        tickets.claim_ticket(ticket_id=None, staff_id=desk.ana.pk, token_digest=login.digest)


# --- The journal ----------------------------------------------------------------------------------


def test_the_journal_has_no_hole_and_a_refusal_leaves_none(desk) -> None:
    ticket_id = desk.ticket()
    with refused("NO_TABLE"):
        desk.claim(desk.ana, ticket_id)
    desk.pick(desk.ana, 0)
    desk.claim(desk.ana, ticket_id)
    seqs = list(TicketEvent.objects.order_by("seq").values_list("seq", flat=True))
    assert seqs == list(range(1, len(seqs) + 1))
    assert Journal.objects.get().last_seq == len(seqs)


def test_changes_nest_and_one_that_fails_takes_back_only_its_own(desk) -> None:
    before = TicketEvent.objects.count()

    def half_done() -> None:
        with change():
            desk.ticket("Lost")
            raise Refused("NO", "no")

    with change() as journal:
        kept = desk.ticket("Kept")
        with refused("NO"):
            half_done()
        desk.ticket("Also kept")
        assert [entry.ticket.name for entry in journal.entries] == ["Kept", "Also kept"]
    assert TicketEvent.objects.count() == before + 2
    assert list(Ticket.objects.order_by("id").values_list("name", "number")) == [
        ("Kept", 1),
        ("Also kept", 2),
    ]
    assert desk.state(kept) == "waiting"


def test_after_a_failed_change_nothing_of_it_is_left_in_the_next(desk) -> None:
    def fails() -> None:
        with change():
            desk.ticket("Lost")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    desk.ticket("Kept")
    assert list(TicketEvent.objects.filter(kind="created").values_list("ticket__name", flat=True)) == ["Kept"]


@pytest.mark.parametrize(
    ("run", "queries"),
    [
        (lambda desk, ids: desk.ticket("New"), 7),
        (lambda desk, ids: desk.claim(desk.ana, ids[1]), 6),
        (lambda desk, ids: tickets.claim_next(staff_id=desk.ana.pk), 6),
        (lambda desk, ids: tickets.complete_ticket(ticket_id=ids[0], staff_id=desk.ana.pk), 6),
        (lambda desk, ids: tickets.release_ticket(ticket_id=ids[0], staff_id=desk.ana.pk), 6),
        (lambda desk, ids: tickets.transfer_ticket(ticket_id=ids[0], staff_id=None, table=1), 6),
    ],
    ids=["create", "claim", "next", "complete", "release", "transfer"],
)
def test_queries(desk, run, queries: int) -> None:
    ids = [desk.ticket("A"), desk.ticket("B")]
    desk.pick(desk.ana, 0)
    desk.pick(desk.ben, 1)
    desk.claim(desk.ana, ids[0])
    with CaptureQueriesContext(connection) as captured:
        run(desk, ids)
    asked = [q["sql"] for q in captured if "SAVEPOINT" not in q["sql"]]
    assert len(asked) == queries, "\n".join(asked)


def test_closing_the_desk_cancels_who_waits_since_another_day(desk) -> None:
    yesterday, served, today = (desk.ticket(name) for name in ("A", "B", "C"))
    desk.pick(desk.ana, 0)
    desk.claim(desk.ana, served)
    Ticket.objects.exclude(pk=today).update(day=F("day") - timedelta(days=1))
    out = StringIO()
    call_command("close_desk", stdout=out)
    assert out.getvalue() == "Cancelled: 1.\n"
    assert [desk.state(ticket) for ticket in (yesterday, served, today)] == [
        "cancelled",
        "serving",
        "waiting",
    ]
    assert TicketEvent.objects.get(ticket=yesterday, kind="cancelled").actor == "closing"
    assert tickets.cancel_left_over() == 0


# --- What the database itself refuses -------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "serving"},
        {"state": "completed"},
        {"state": "waiting", "ended_at": datetime(2026, 1, 1, tzinfo=UTC)},
    ],
)
def test_a_ticket_without_an_owner_or_end_where_it_must_have_one_cannot_exist(desk, fields) -> None:
    desk.ticket()
    with pytest.raises(IntegrityError), transaction.atomic():
        Ticket.objects.update(**fields)
