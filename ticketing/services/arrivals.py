"""Visitors who come in and take a ticket."""

import re

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

from realtime.errors import Refused
from ticketing.models import MAX_EMAIL_LENGTH, MAX_NAME_LENGTH, EventKind, Ticket, TicketEvent, Visitor
from ticketing.rules import Entry, email_key
from ticketing.selectors.floor import entry_of
from ticketing.services.journal import Ledger, change

_is_email = EmailValidator()
_space = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# Half of a pair, which UTF-8 cannot carry, and so neither a database nor a frame.
_surrogate = re.compile(r"[\ud800-\udfff]")


def create_ticket(
    *,
    email: str,
    name: str,
    kiosk_id: int | None = None,
    prefix: str | None = None,
    request_key: str | None = None,
    actor: str = "",
    origin: str = "",
) -> Entry:
    """A visitor takes a ticket. Known addresses keep their visitor, whose name is brought up to date.

    With a `request_key` that made a ticket before, nothing is changed and that ticket's entry is given
    again. Four queries besides those of `change`.

    Args:
        prefix: of the number on the ticket, each with numbers of its own; None is the desk's.
        request_key: chosen by who asks, the same when asking again.
        actor: who, in words, for the timeline.
        origin: the connection that asked, which is answered at the entry's place.

    Raises:
        Refused: EMAIL_INVALID, NAME_MISSING, NAME_TOO_LONG.
    """
    email, name = _checked_email(email), _checked_name(name)
    with change() as journal:
        if request_key and (first := _first_entry(journal, request_key)):
            return first
        visitor = _visitor(email, name)
        series = settings.TICKETING_PREFIX if prefix is None else prefix
        last = (
            Ticket.objects.filter(day=journal.today, prefix=series)
            .order_by("-number")
            .values_list("number", flat=True)
            .first()
        )
        ticket = Ticket.objects.create(
            visitor=visitor,
            email=email,
            name=name,
            day=journal.today,
            prefix=series,
            number=(last or 0) + 1,
            kiosk_id=kiosk_id,
            created_at=journal.now,
            request_key=request_key or None,
        )
        return journal.record(EventKind.CREATED, ticket=ticket, actor=actor, origin=origin)


def _first_entry(journal: Ledger, request_key: str) -> Entry | None:
    for event, entry in zip(journal.events, journal.entries, strict=True):
        # Of the same transaction: not in the database yet.
        if event.kind == EventKind.CREATED and event.ticket and event.ticket.request_key == request_key:
            return entry
    row = (
        TicketEvent.objects.filter(ticket__request_key=request_key, kind=EventKind.CREATED)
        .select_related("ticket", "staff", "table", "left_table")
        .first()
    )
    return entry_of(row) if row else None


def _visitor(email: str, name: str) -> Visitor:
    visitor = Visitor.objects.filter(email_key=email_key(email)).first()
    if visitor is None:
        return Visitor.objects.create(email=email, email_key=email_key(email), name=name)
    if (visitor.email, visitor.name) != (email, name):
        visitor.email, visitor.name = email, name
        visitor.save(update_fields=["email", "name"])
    return visitor


def _checked_email(email: str) -> str:
    try:
        _is_email(email)
    except ValidationError:
        raise Refused("EMAIL_INVALID", "The email address is not valid.") from None
    # Casefolding can make it longer; such an address is none that anybody has.
    if max(len(email), len(email_key(email))) > MAX_EMAIL_LENGTH or _surrogate.search(email):
        raise Refused("EMAIL_INVALID", "The email address is not valid.")
    return email


def _checked_name(name: str) -> str:
    name = _space.sub(" ", _surrogate.sub("\N{REPLACEMENT CHARACTER}", name)).strip()
    if not name:
        raise Refused("NAME_MISSING", "The name is missing.")
    if len(name) > MAX_NAME_LENGTH:
        raise Refused("NAME_TOO_LONG", "The name is too long.")
    return name
