"""What the login queue keeps: its policy, the line, tickets, sessions, and the log of who was let in and why.

The rules that must hold whoever writes are constraints here: an id has one open ticket, a place in line one
ticket, a ticket one session. The services never run into them, since they write one after the other (`Line`).
Protocol: docs/protocols/queue.md.
"""

from __future__ import annotations

from datetime import timedelta

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from queue import rules
from realtime.ids import random_id

# Of what clients say about themselves; the protocol has the same bounds.
MAX_CLIENT_ID_LENGTH = 128
MAX_PLATFORM_LENGTH = 32
MAX_COUNT = 1_000_000_000
MAX_SECONDS = 7 * 86_400

# What `new_ticket_id` and `new_session_id` make.
TICKET_ID_PATTERN = "[A-Za-z0-9_-]{16}"
# By its id, or by its credential's SHA-256 in hexadecimal, which whoever issued it can tell.
SESSION_ID_PATTERN = "(?:s_[A-Za-z0-9_-]{16}|[0-9a-f]{64})"


def new_ticket_id() -> str:
    """Nobody can guess one."""
    return random_id("", 16)


def new_session_id() -> str:
    return random_id("s_", 16)


def _count(
    default: int, text: str, *, minimum: int = 0, maximum: int = MAX_COUNT
) -> models.IntegerField[int, int]:
    bounds = [MinValueValidator(minimum), MaxValueValidator(maximum)]
    return models.IntegerField(default=default, validators=bounds, help_text=text)


class Policy(models.Model):
    """Who is let in, and how fast. The only row has the id 1."""

    enabled = models.BooleanField(
        default=True, help_text="Off: everyone is let in at once, whatever the capacity."
    )
    paused = models.BooleanField(
        default=False, help_text="On: nobody is let in, also with the queue off. The line stays and grows."
    )
    capacity = _count(1_000, "Sessions that the main server can take at once.")
    admit_per_interval = _count(500, "At most so many are let in during one interval.", minimum=1)
    interval_s = _count(10, "Seconds of that interval.", minimum=1, maximum=MAX_SECONDS)
    stats_interval_s = _count(5, "Seconds between two updates to everyone in line.", minimum=1, maximum=3_600)
    ticket_stale_s = _count(
        300,
        "Somebody whose connection is lost keeps the place for so many seconds.",
        minimum=1,
        maximum=MAX_SECONDS,
    )
    session_stale_s = _count(
        300, "A session without a sign of life for so many seconds is over.", minimum=1, maximum=MAX_SECONDS
    )
    initial_avg_wait_s = _count(180, "The mean wait, in seconds, that is told before anybody was let in.")
    avg_wait_window = _count(50, "The mean wait is that of so many tickets.", minimum=1, maximum=10_000)
    message = models.CharField(max_length=500, blank=True, help_text="Shown to people who wait.")
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "policy"
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="queue_one_policy")]

    def __str__(self) -> str:
        return "Policy of the login queue"

    @property
    def rules(self) -> rules.Policy:
        """The policy as `queue.rules` takes it."""
        return rules.Policy(
            enabled=self.enabled,
            paused=self.paused,
            capacity=self.capacity,
            admit_per_interval=self.admit_per_interval,
            interval_s=self.interval_s,
        )


class Line(models.Model):
    """The state of the line besides its tickets. Whoever changes the line locks its only row first.

    Attributes:
        last_position: the highest position ever given.
        last_seq: of the log.
        tokens, tokens_at: how many may be let in at once, and when that was so (`rules.refilled`).
        reported, reported_at: what the main server said last about its sessions, and for when; None: it does
            not say, and ours are counted.
        failing: the last login met a main server that does not work (`rules.places`).
    """

    last_position = models.BigIntegerField(default=0)
    last_seq = models.BigIntegerField(default=0)
    tokens = models.FloatField(null=True)
    tokens_at = models.DateTimeField(null=True)
    reported = models.IntegerField(null=True)
    reported_at = models.DateTimeField(null=True)
    failing = models.BooleanField(default=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="queue_one_line")]

    def __str__(self) -> str:
        return "The line"


class Process(models.Model):
    """A server process that holds connections. Without a sign of life, what it held is let go."""

    process_id = models.CharField(max_length=40, primary_key=True)
    seen_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.process_id


class TicketState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    ADMITTED = "admitted", "Logging in"
    ENTERED = "entered", "Let in"
    REFUSED = "refused", "Refused by the main server"
    STALE = "stale", "Did not come back"
    REMOVED = "removed", "Removed"


_OPEN = Q(state__in=[TicketState.WAITING, TicketState.ADMITTED])
_WAITING = Q(state=TicketState.WAITING)


class LoginKind(models.IntegerChoices):
    FACEBOOK = 0, "Facebook"
    GOOGLE = 1, "Google"
    APPLE = 2, "Apple"
    LINE = 3, "LINE"
    DEVICE = 4, "Device"


class Ticket(models.Model):
    """A place in line.

    Attributes:
        holder, connection: the process and the connection that wait with it; "": nobody does, it is inactive.
        inactive_since: when the last connection was lost; None while there is one.
        resting: the main server failed when it was to be logged in; it is passed over until its client asks.
        replaces: the id of the session whose place it takes, of a client that never got its answer.
        wait_ms: from joining to being admitted.
    """

    ticket_id = models.CharField(max_length=16, primary_key=True, default=new_ticket_id)
    client_id = models.CharField("client", max_length=MAX_CLIENT_ID_LENGTH, db_index=True)
    platform = models.CharField(max_length=MAX_PLATFORM_LENGTH)
    login_type = models.PositiveSmallIntegerField(choices=LoginKind)
    position = models.BigIntegerField()
    state = models.CharField(max_length=8, choices=TicketState, default=TicketState.WAITING)
    holder = models.CharField(max_length=40, blank=True)
    connection = models.CharField(max_length=40, blank=True)
    resting = models.BooleanField(default=False)
    replaces = models.CharField(max_length=20, blank=True)
    joined_at = models.DateTimeField()
    inactive_since = models.DateTimeField(null=True, blank=True)
    admitted_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    wait_ms = models.BigIntegerField(null=True, blank=True)
    status_code = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="What the main server refused the login with."
    )

    class Meta:
        ordering = ["-joined_at", "-position"]
        constraints = [
            models.UniqueConstraint(fields=["client_id"], condition=_OPEN, name="queue_one_open_ticket"),
            models.UniqueConstraint(fields=["position"], condition=_WAITING, name="queue_one_place_each"),
        ]
        indexes = [
            # The next to be admitted, however many are away.
            models.Index(
                fields=["position"], condition=_WAITING & ~Q(holder="") & Q(resting=False), name="queue_next"
            ),
            models.Index(fields=["inactive_since"], condition=_WAITING, name="queue_inactive"),
            models.Index(fields=["holder"], condition=_OPEN, name="queue_held"),
            models.Index(fields=["admitted_at"], name="queue_admitted_at"),
            models.Index(fields=["joined_at"], name="queue_joined_at"),
            models.Index(fields=["ended_at"], condition=~Q(ended_at=None), name="queue_ended_at"),
            models.Index(fields=["state"], condition=Q(state=TicketState.ADMITTED), name="queue_logging_in"),
        ]

    def __str__(self) -> str:
        return f"Ticket {self.position}"


class Session(models.Model):
    """Somebody who was let in, for as long as it takes a place in the main server.

    Attributes:
        jwt_digest: SHA-256 of the credential, by which its bearer is recognised. The credential is not kept.
        delivered: the client has confirmed that it got its answer.
        logins: how often one was made for this place, of a client that did not get its answer.
    """

    session_id = models.CharField(max_length=20, primary_key=True, default=new_session_id)
    ticket = models.OneToOneField(Ticket, on_delete=models.PROTECT, related_name="session")
    client_id = models.CharField("client", max_length=MAX_CLIENT_ID_LENGTH, db_index=True)
    platform = models.CharField(max_length=MAX_PLATFORM_LENGTH)
    jwt_digest = models.CharField(max_length=64, db_index=True, editable=False)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField(help_text="The last sign of life.")
    ended_at = models.DateTimeField(null=True, blank=True)
    expired = models.BooleanField(default=False, help_text="It ended for want of a sign of life.")
    delivered = models.BooleanField(default=False)
    logins = models.PositiveSmallIntegerField(default=1)

    class Meta:
        ordering = ["-started_at"]
        indexes = [
            models.Index(fields=["started_at"], condition=Q(ended_at=None), name="queue_alive"),
            models.Index(fields=["seen_at"], condition=Q(ended_at=None), name="queue_seen"),
        ]

    def __str__(self) -> str:
        return f"Session {self.session_id}"

    @property
    def lasted(self) -> timedelta | None:
        return self.ended_at - self.started_at if self.ended_at else None


class LogKind(models.TextChoices):
    JOINED = "joined", "Joined the line"
    LEFT = "left", "Connection lost"
    RETURNED = "returned", "Came back"
    ADMITTED = "admitted", "Admitted"
    PUT_BACK = "put_back", "Put back in place"
    ENTERED = "entered", "Let in"
    REFUSED = "refused", "Refused by the main server"
    FAILED = "failed", "Main server failed"
    STALE = "stale", "Did not come back"
    REMOVED = "removed", "Removed"
    MOVED = "moved", "Moved to the front"
    SESSION_ENDED = "session_ended", "Session ended"
    SESSION_EXPIRED = "session_expired", "Session expired"
    POLICY = "policy", "Policy changed"
    REPORTED = "reported", "Main server reported"


class Reason(models.TextChoices):
    """Why somebody was admitted."""

    TURN = "turn", "It was their turn"
    QUEUE_OFF = "queue_off", "The queue was off"
    NEVER_WAITS = "never_waits", "Never waits"
    BY_HAND = "by_hand", "By hand"
    RESUMED = "resumed", "Had a place, and never got the answer"


class LogEntry(models.Model):
    """What happened to the line, in order. Rows are added, never changed.

    Attributes:
        occupied, capacity: places taken after an admission or a report, and how many there are.
        line_left: after an admission, whether somebody was left in line who could have been admitted.
        note: who did it, or what was changed, in words.
    """

    seq = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField(db_index=True)
    kind = models.CharField(max_length=16, choices=LogKind)
    ticket = models.ForeignKey(Ticket, null=True, on_delete=models.PROTECT, related_name="log")
    position = models.BigIntegerField(null=True)
    reason = models.CharField(max_length=12, choices=Reason, blank=True)
    occupied = models.IntegerField(null=True)
    capacity = models.IntegerField(null=True)
    line_left = models.BooleanField(null=True)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["seq"]
        verbose_name = "log entry"
        verbose_name_plural = "admission log"
        indexes = [
            models.Index(fields=["seq"], condition=Q(kind=LogKind.ADMITTED), name="queue_log_admitted"),
        ]

    def __str__(self) -> str:
        return f"{self.seq}: {self.get_kind_display()}"


class NeverWaits(models.Model):
    """An id that is let in at once, whatever the capacity: staff, testers, guests of honour."""

    client_id = models.CharField("id", max_length=MAX_CLIENT_ID_LENGTH, primary_key=True)
    note = models.CharField(max_length=200, blank=True, help_text="Who it is.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["client_id"]
        verbose_name = "id that never waits"
        verbose_name_plural = "ids that never wait"

    def __str__(self) -> str:
        return self.client_id


class UsedToken(models.Model):
    """A provider's token that has logged somebody in: another client may not use it as well."""

    digest = models.CharField(max_length=64, primary_key=True)
    client_id = models.CharField(max_length=MAX_CLIENT_ID_LENGTH)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.digest[:8]
