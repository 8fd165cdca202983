"""What broadcast channels keep: policies, and the events of channels with history.

A channel needs no row to exist: emitting or listening makes it. Rows are only for what an operator
decides about it (`ChannelPolicy`) and for what has to survive (`Stream`, `Event`).
Protocol: docs/protocols/broadcast.md.
"""

from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models

from broadcast.rules import CHANNEL_NAME_PATTERN, DEFAULT_POLICY_NAME

# A replay is read and sent in one piece; this bounds both its memory and its time.
MAX_HISTORY_EVENTS = 10_000
# Ten years: far beyond use, and well within what dates can be reckoned with.
MAX_HISTORY_AGE_S = 315_360_000


class Access(models.TextChoices):
    OPEN = "open", "Anyone"
    KEY = "key", "API key with the scope"
    CLOSED = "closed", "No one"


class ChannelPolicy(models.Model):
    """What is allowed on a channel and how much of it is kept. The policy ``*`` is for all others."""

    channel = models.CharField(
        max_length=128,
        unique=True,
        validators=[
            RegexValidator(rf"^(\*|{CHANNEL_NAME_PATTERN})\Z", "1 to 128 of A–Z a–z 0–9 . _ : ~ - or *")
        ],
        help_text=f"A channel's name, or {DEFAULT_POLICY_NAME} for all without a policy of their own.",
    )
    emit = models.CharField(
        "who may emit",
        max_length=8,
        choices=Access,
        default=Access.KEY,
        help_text="An API key needs the scope broadcast:emit, or broadcast:emit:news.* for a pattern.",
    )
    listen = models.CharField(
        "who may listen",
        max_length=8,
        choices=Access,
        default=Access.OPEN,
        help_text="An API key needs the scope broadcast:listen, or broadcast:listen:news.* for a pattern.",
    )
    history_size = models.PositiveIntegerField(
        "events kept",
        default=0,
        validators=[MaxValueValidator(MAX_HISTORY_EVENTS)],
        help_text=f"How many of the latest events listeners can catch up on, up to {MAX_HISTORY_EVENTS}.",
    )
    history_age_s = models.PositiveIntegerField(
        "kept for (seconds)",
        default=86_400,
        validators=[MaxValueValidator(MAX_HISTORY_AGE_S)],
        help_text="Events older than this are not given out any more; 0 sets no age limit.",
    )

    class Meta:
        ordering = ["channel"]
        verbose_name_plural = "channel policies"

    def __str__(self) -> str:
        return self.channel


class Stream(models.Model):
    """The numbering of one channel's kept events: dense, and in the order of their commits.

    The row is updated in the transaction that inserts the events, so its lock is held until they are
    visible: whoever reads number n can read every number below it.
    """

    channel = models.CharField(max_length=128, unique=True)
    last_seq = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.channel} at {self.last_seq}"


class Event(models.Model):
    """One event of a channel with history. `payload` is the JSON text exactly as it was sent out.

    It is empty for an event that went to particular clients: a replay would show it to the others.
    Its place is kept all the same, so that one of them can say that it was the last it saw.
    """

    channel = models.CharField(max_length=128)
    seq = models.BigIntegerField()
    event_id = models.CharField(max_length=40)
    payload = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["channel", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["channel", "seq"], name="broadcast_event_seq"),
            models.UniqueConstraint(fields=["channel", "event_id"], name="broadcast_event_id"),
        ]
        indexes = [models.Index(fields=["created_at"], name="broadcast_event_age")]

    def __str__(self) -> str:
        return f"{self.channel} {self.event_id}"


class LiveChannel(models.Model):
    """No table: the channels that have listeners now, as the admin lists them and permissions name them."""

    class Meta:
        managed = False
        default_permissions = ("view",)
        permissions = [
            ("emit_livechannel", "Can emit events from the admin"),
            ("kick_livechannel", "Can remove listeners from channels"),
        ]

    def __str__(self) -> str:
        return "live channels"
