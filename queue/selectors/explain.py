"""Why somebody was let in before somebody who had joined earlier: read from the admission log alone.

The order of the log (`seq`) decides what was so at a moment; times are only told. It holds enough to say at
any entry whether a ticket waited, had a connection, or was logging in.
Protocol: docs/protocols/queue.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import Exists, F, OuterRef, QuerySet, Subquery

from queue.models import LogEntry, LogKind, Reason, Ticket

MAX_LISTED = 200
"""Overtakings that are listed: who was away from a fast line was overtaken by thousands, for one reason."""


class Why(StrEnum):
    """What let the other go first."""

    BY_HAND = "by_hand"
    NEVER_WAITS = "never_waits"
    RESUMED = "resumed"
    LOGGING_IN = "logging_in"
    AWAY = "away"
    MOVED = "moved"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Overtaking:
    """Somebody who joined later and was admitted earlier.

    Attributes:
        position: the one it joined with; higher than that of the one it overtook.
        admitted_at: when it was admitted.
        reason: a sentence.
    """

    position: int
    ticket_id: str
    client_id: str
    admitted_at: datetime
    why: Why
    reason: str


def list_timeline(ticket: Ticket) -> list[LogEntry]:
    """What happened to a ticket, in order. One query."""
    return list(LogEntry.objects.filter(ticket=ticket).order_by("seq"))


def overtaken_by(ticket: Ticket, *, limit: int = MAX_LISTED) -> list[Overtaking]:
    """Who joined after this ticket and was admitted before it, in the order of their admission, and why.

    None are: it went strictly in order. Counted is what happened until it was admitted for good, was taken
    out of the line, or until now. Who was admitted and put back again has overtaken nobody. Three queries.
    """
    own = _Course(list_timeline(ticket))
    admissions = list(_overtakings(own)[:limit])
    moves: dict[str, list[LogEntry]] = {}
    for entry in LogEntry.objects.filter(
        kind=LogKind.MOVED, ticket__in=[admission.ticket_id for admission in admissions]
    ).order_by("seq"):
        moves.setdefault(entry.ticket_id or "", []).append(entry)
    return [_explained(own, admission, moves.get(admission.ticket_id or "", ())) for admission in admissions]


def count_overtaken_by(ticket: Ticket) -> int:
    """How many `overtaken_by` would list without a limit. Two queries."""
    return _overtakings(_Course(list_timeline(ticket))).count()


# --- What the log says of one ticket ----------------------------------------------------------------------


@dataclass(slots=True)
class _Stretch:
    """From one entry of a ticket's log to the one that ended it; None: it goes on."""

    why: Why
    began: LogEntry
    ended: LogEntry | None = None

    def holds_at(self, seq: int) -> bool:
        return self.began.seq < seq and (self.ended is None or seq < self.ended.seq)


class _Course:
    """A ticket's way through the line.

    Attributes:
        joined_seq, left_seq: the entries between which others could overtake it; None: they still can.
        stretches: when it could not be admitted, because it was away or logging in already.
    """

    def __init__(self, entries: Iterable[LogEntry]) -> None:
        self.joined_seq: int | None = None
        self.left_seq: int | None = None
        self.stretches: list[_Stretch] = []
        self._moves: list[LogEntry] = []
        self._position: int | None = None
        for entry in entries:
            if self.joined_seq is None:
                self.joined_seq, self._position = entry.seq, entry.position
            self._follow(entry)

    def position_at(self, seq: int) -> int | None:
        """The position before that entry."""
        return next((move.position for move in reversed(self._moves) if move.seq < seq), self._position)

    def stretch_at(self, seq: int) -> _Stretch | None:
        """What kept it from being admitted then, if anything did."""
        return next((stretch for stretch in self.stretches if stretch.holds_at(seq)), None)

    def _follow(self, entry: LogEntry) -> None:
        if entry.kind == LogKind.ADMITTED:
            self.stretches.append(_Stretch(Why.LOGGING_IN, entry))
            self.left_seq = entry.seq
        elif entry.kind == LogKind.PUT_BACK:
            self._end_stretch(entry)
            self.left_seq = None
        elif entry.kind == LogKind.LEFT:
            if not self._is_away():
                self.stretches.append(_Stretch(Why.AWAY, entry))
        elif entry.kind == LogKind.RETURNED:
            self._end_stretch(entry)
        elif entry.kind in (LogKind.STALE, LogKind.REMOVED):
            self._end_stretch(entry)
            if self.left_seq is None:  # not on its way already
                self.left_seq = entry.seq
        elif entry.kind == LogKind.MOVED:
            self._moves.append(entry)

    def _is_away(self) -> bool:
        return any(stretch.why == Why.AWAY and stretch.ended is None for stretch in self.stretches[-1:])

    def _end_stretch(self, entry: LogEntry) -> None:
        if self.stretches and self.stretches[-1].ended is None:
            self.stretches[-1].ended = entry


def _overtakings(own: _Course) -> QuerySet[LogEntry]:
    """Admissions, while it was in line, of tickets that joined after it, and not taken back meanwhile."""
    if own.joined_seq is None:
        return LogEntry.objects.none()
    same = LogEntry.objects.filter(ticket=OuterRef("ticket"))
    joined = same.filter(kind=LogKind.JOINED, seq__gt=own.joined_seq)
    put_back = same.filter(kind=LogKind.PUT_BACK, seq__gt=OuterRef("seq"))
    admissions = LogEntry.objects.filter(kind=LogKind.ADMITTED, seq__gt=own.joined_seq)
    if own.left_seq is not None:
        admissions = admissions.filter(seq__lt=own.left_seq)
        put_back = put_back.filter(seq__lt=own.left_seq)
    return (
        admissions.filter(Exists(joined))
        .exclude(Exists(put_back))
        .annotate(joined_position=Subquery(joined.values("position")[:1]), client_id=F("ticket__client_id"))
        .order_by("seq")
    )


# --- The reason, in words ---------------------------------------------------------------------------------

_PAST_THE_LINE = {
    Reason.NEVER_WAITS: (Why.NEVER_WAITS, "The other is on the list of ids that never wait."),
    Reason.RESUMED: (
        Why.RESUMED,
        "The other had a place already, and had never got the answer.",
    ),
}


def _explained(own: _Course, admission: LogEntry, moves: Iterable[LogEntry]) -> Overtaking:
    why, reason = _reason(own, admission, moves)
    return Overtaking(
        position=admission.joined_position,  # type: ignore[attr-defined]
        ticket_id=admission.ticket_id or "",
        client_id=admission.client_id,  # type: ignore[attr-defined]
        admitted_at=admission.at,
        why=why,
        reason=reason,
    )


def _reason(own: _Course, admission: LogEntry, moves: Iterable[LogEntry]) -> tuple[Why, str]:
    if admission.reason == Reason.BY_HAND:
        return Why.BY_HAND, f"The other was admitted by hand{_by(admission)}."
    if admission.reason in _PAST_THE_LINE:
        return _PAST_THE_LINE[Reason(admission.reason)]
    # It was the other's turn, as it was to be if this one could not be admitted at that moment …
    stretch = own.stretch_at(admission.seq)
    if stretch is not None:
        return stretch.why, _said(stretch, admission.at)
    # … or was not in front of it any more.
    move = next((entry for entry in reversed(list(moves)) if entry.seq < admission.seq), None)
    position = own.position_at(admission.seq)
    if move is not None and move.position is not None and position is not None and move.position < position:
        return Why.MOVED, f"The other was moved to the front{_by(move)}, {_at(move.at, admission.at)}."
    return Why.UNKNOWN, "The log does not say why."


def _said(stretch: _Stretch, now: datetime) -> str:
    began = _at(stretch.began.at, now)
    until = f"from {began} to {_at(stretch.ended.at, now)}" if stretch.ended else f"since {began}"
    if stretch.why == Why.AWAY:
        return f"This one had no connection, {until}."
    back = f", and was put back ({stretch.ended.note})" if stretch.ended and stretch.ended.note else ""
    return f"This one was logging in itself, {until}{back}."


def _by(entry: LogEntry) -> str:
    """`` by alice``, as the end of the note says."""
    _, found, actor = entry.note.partition("by ")
    return f" by {actor}" if found else ""


def _at(at: datetime, now: datetime) -> str:
    """``14:05:09``, in UTC, with the day where that is not the admission's."""
    return f"{at:%H:%M:%S}" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M:%S}"
