"""Sessions: the places of the main server that are taken, as far as we know."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from queue.models import SESSION_ID_PATTERN, LogKind, Session
from queue.services.book import Book, change
from realtime.errors import Refused

DIGEST_LENGTH: Final = 64


def find_session(*, session_id: str) -> Session:
    """A session by its id, or by the SHA-256 of its credential. One query.

    Raises:
        Refused: UNKNOWN_SESSION.
    """
    session = (
        Session.objects.filter(_named([session_id])).select_related("ticket").order_by("-started_at").first()
    )
    if session is None:
        raise Refused("UNKNOWN_SESSION", "There is no such session.")
    return session


def refresh_session(*, session_id: str) -> Session:
    """A sign of life of a session. Two queries.

    Raises:
        Refused: UNKNOWN_SESSION; SESSION_ENDED.
    """
    session = _alive(session_id)
    # It says that its client has the credential, too.
    session.seen_at, session.delivered = timezone.now(), True
    updated = Session.objects.filter(pk=session.pk, ended_at=None).update(
        seen_at=session.seen_at, delivered=True
    )
    if not updated:
        raise _ended()
    return session


def refresh_sessions(*, session_ids: Collection[str]) -> set[str]:
    """A sign of life of many sessions; gives those that are alive. Two queries, however many there are."""
    possible = [one for one in session_ids if re.fullmatch(SESSION_ID_PATTERN, one)]
    alive = Session.objects.filter(_named(possible), ended_at=None)
    with transaction.atomic():
        # Locked in one order everywhere: who expires them meanwhile waits, and never in a circle.
        locked = list(alive.select_for_update().order_by("pk").values_list("session_id", "jwt_digest"))
        named = [session_id for session_id, _ in locked]
        Session.objects.filter(session_id__in=named).update(seen_at=timezone.now(), delivered=True)
    return {name for names in locked for name in names} & set(possible)


def end_session(*, session_id: str, actor: str) -> None:
    """Somebody has left the main server; the place is free at once.

    Raises:
        Refused: UNKNOWN_SESSION; SESSION_ENDED.
    """
    with change() as book:
        _end(book, _alive(session_id), note=f"by {actor}"[:150])


def expire_sessions(*, before: datetime, limit: int) -> int:
    """End sessions without a sign of life since `before`, at most `limit`; gives how many."""
    with change() as book:
        silent = list(
            # Locked, so that no heartbeat comes in between and is told that it was in time.
            Session.objects.select_for_update(of=("self",))
            .filter(ended_at=None, seen_at__lt=before)
            .select_related("ticket")
            .order_by("pk")[:limit]
        )
        for session in silent:
            session.expired = True
            _end(book, session)
        return len(silent)


def confirm_delivery(*, session_id: str) -> None:
    """The client has its credential. One query."""
    Session.objects.filter(session_id=session_id).update(delivered=True)


def _end(book: Book, session: Session, note: str = "") -> None:
    session.ended_at = book.now
    book.change_session(session)
    kind = LogKind.SESSION_EXPIRED if session.expired else LogKind.SESSION_ENDED
    book.record(kind, session.ticket, note=note)


def _alive(session_id: str) -> Session:
    session = find_session(session_id=session_id)
    if session.ended_at is not None:
        raise _ended()
    return session


def _named(names: Collection[str]) -> Q:
    digests = [name for name in names if len(name) == DIGEST_LENGTH]
    return Q(session_id__in=[name for name in names if len(name) != DIGEST_LENGTH]) | Q(
        jwt_digest__in=digests
    )


def _ended() -> Refused:
    return Refused("SESSION_ENDED", "This session has ended already.")
