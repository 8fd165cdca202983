"""What the notifications keep: what was sent, to whom, how far they got with it, and what could not be read.

Ids of users are texts, as the accounts behind them have them: those of this site, or of another service.
Protocol: docs/protocols/notifications.md.
"""

import re
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from notifications import rules
from realtime.ledger import LedgerRow
from realtime.wire import encode_json

MAX_USER_ID_LENGTH = 64
MAX_TYPE_LENGTH = 64
MAX_TITLE_LENGTH = 200
MAX_BODY_LENGTH = 4_000
MAX_DATA_BYTES = 32 * 1024
MAX_NAME_LENGTH = 64
MAX_URL_LENGTH = 500
MAX_REASON_LENGTH = 500
MAX_TOPIC_LENGTH = 249
MAX_KEY_LENGTH = 200


class Ledger(LedgerRow):
    """Whoever writes locks its only row first."""

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="notifications_one_ledger")]


class Source(models.TextChoices):
    KAFKA = "kafka", "Kafka"
    HTTP = "http", "HTTP"
    ADMIN = "admin", "Admin"


class FromKafka(models.Model):
    """Where in Kafka something came from; no partition and no offset for what came another way."""

    topic = models.CharField(max_length=MAX_TOPIC_LENGTH, blank=True, editable=False)
    partition = models.IntegerField(null=True, editable=False)
    offset = models.BigIntegerField(null=True, editable=False)

    class Meta:
        abstract = True


class SentKind(models.TextChoices):
    NOTIFICATION = "notification", "Notification"
    UPDATE = "update_subscription", "Update of subscriptions"


class Sent(FromKafka):
    """What another service, or somebody of the staff, had us tell. Never changed.

    Of an update of subscriptions `subscription_ids` and `reload` are set, and `data` is its data.
    `request_key` is whose request it was and what they call it, so that it is not done twice; null for who
    did not say. `request_digest` is of what they asked for.
    """

    kind = models.CharField(max_length=20, choices=SentKind)
    source = models.CharField(max_length=8, choices=Source)
    actor = models.CharField("sent by", max_length=150, blank=True)
    type = models.CharField(max_length=MAX_TYPE_LENGTH, blank=True)
    title = models.CharField(max_length=MAX_TITLE_LENGTH, blank=True)
    body = models.CharField(max_length=MAX_BODY_LENGTH, blank=True)
    data = models.TextField(default="null")
    subscription_ids = models.JSONField(default=list)
    reload = models.BooleanField(default=False)
    recipient_count = models.PositiveIntegerField("recipients", default=0)
    created_at = models.DateTimeField()
    request_key = models.CharField(
        max_length=MAX_KEY_LENGTH, null=True, blank=True, unique=True, editable=False
    )
    request_digest = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "sent"
        indexes = [models.Index(fields=["type", "id"], name="notifications_sent_of_type")]
        constraints = [
            models.UniqueConstraint(fields=["topic", "partition", "offset"], name="notifications_sent_once")
        ]

    def __str__(self) -> str:
        return self.title or self.type or f"Update {self.pk}"


class NotificationStatus(models.IntegerChoices):
    UNSEEN = rules.Status.UNSEEN, "Unseen"
    UNREAD = rules.Status.UNREAD, "Unread"
    READ = rules.Status.READ, "Read"


class Notification(models.Model):
    """Something that was sent, for one user. `type` is that of what was sent, here to be counted by."""

    id = models.BigIntegerField(primary_key=True)
    user_id = models.CharField("user", max_length=MAX_USER_ID_LENGTH)
    type = models.CharField(max_length=MAX_TYPE_LENGTH)
    status = models.PositiveSmallIntegerField(choices=NotificationStatus, default=NotificationStatus.UNSEEN)
    sent = models.ForeignKey(Sent, on_delete=models.PROTECT, related_name="notifications")

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["user_id", "id"], name="notifications_list"),
            models.Index(fields=["user_id", "status", "type"], name="notifications_count"),
        ]

    def __str__(self) -> str:
        return f"{self.type} for {self.user_id}"


class EntryKind(models.TextChoices):
    NOTIFIED = "notified", "Notified"
    MARKED = "marked", "Marked"
    UPDATED = "updated", "Updated"


class JournalEntry(models.Model):
    """What happened, in order: `seq` counts up without gaps.

    Of ``notified`` the recipients are the notifications from `first_id` to `last_id`; of ``marked`` `ids` are
    those that changed, null if there were too many to be told one by one.
    """

    seq = models.BigIntegerField(primary_key=True)
    kind = models.CharField(max_length=8, choices=EntryKind)
    sent = models.ForeignKey(Sent, null=True, on_delete=models.PROTECT, related_name="journal")
    first_id = models.BigIntegerField(null=True)
    last_id = models.BigIntegerField(null=True)
    user_id = models.CharField(max_length=MAX_USER_ID_LENGTH, blank=True)
    origin = models.CharField(max_length=64, blank=True)
    ids = models.JSONField(null=True)

    class Meta:
        ordering = ["seq"]
        verbose_name_plural = "journal entries"

    def __str__(self) -> str:
        return f"{self.seq}: {self.get_kind_display()}"


class DeadLetter(FromKafka):
    """A message of Kafka that says nothing we know. Kept to be looked at, and tried again."""

    value = models.BinaryField()
    reason = models.CharField(max_length=MAX_REASON_LENGTH)
    created_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolution = models.CharField(max_length=MAX_REASON_LENGTH, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["topic", "partition", "offset"], name="notifications_dead_once")
        ]

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


TEMPLATE_NAME_PATTERN = rf"[A-Za-z][A-Za-z0-9_-]{{0,{MAX_NAME_LENGTH - 1}}}"
_is_name = RegexValidator(r"^[A-Za-z][A-Za-z0-9_-]*\Z", "Letters, digits, _ and -, a letter first.")
# PostgreSQL has no text with it, not in JSON either.
_nul = re.compile(rb"(?<!\\)(\\\\)*\\u0000")


def _wrong_names(template: Any) -> str:
    """What is wrong with the ``{names}`` in a template, as a sentence; "" for nothing."""
    malformed = rules.malformed_names(template)
    return f"{malformed[0][:40]} is no name: letters, digits, _ and -, a letter first." if malformed else ""


class Template(models.Model):
    """A text to be sent again and again, with ``{names}`` in it for what differs."""

    name = models.CharField(max_length=MAX_NAME_LENGTH, unique=True, validators=[_is_name])
    type = models.CharField(max_length=MAX_TYPE_LENGTH)
    title = models.CharField(max_length=MAX_TITLE_LENGTH, blank=True)
    body = models.CharField(max_length=MAX_BODY_LENGTH, blank=True)
    data = models.JSONField(null=True, blank=True, help_text="JSON, for programs.")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def parts(self) -> list[Any]:
        """Title, body and data: what may have names in it."""
        return [self.title, self.body, self.data]

    def clean(self) -> None:
        wrong = {field: _wrong_names(getattr(self, field)) for field in ("title", "body", "data")}
        data = encode_json(self.data)
        if len(data) > MAX_DATA_BYTES:
            wrong["data"] = f"It may have at most {MAX_DATA_BYTES} bytes."
        elif _nul.search(data):
            wrong["data"] = "It has a NUL character."
        _raise(wrong)


class Method(models.TextChoices):
    GET = "GET", "GET"
    POST = "POST", "POST"
    PUT = "PUT", "PUT"
    PATCH = "PATCH", "PATCH"
    DELETE = "DELETE", "DELETE"


class BackendCommand(models.Model):
    """A command that another service answers over HTTP: configuration, not code."""

    name = models.CharField(max_length=MAX_NAME_LENGTH, unique=True, validators=[_is_name])
    method = models.CharField(max_length=6, choices=Method, default=Method.GET)
    url = models.CharField(
        "URL",
        max_length=MAX_URL_LENGTH,
        help_text="With {names} for the command's options, as https://api.example.org/tournaments/{id}. "
        "Options that are not in it go into the query, or into the body of a POST, PUT or PATCH.",
    )
    needs_user = models.BooleanField(
        "needs a user", default=True, help_text="Answered to whoever has authenticated, with their token."
    )
    subscribes = models.BooleanField(
        default=False, help_text="Who asks is told of updates from then on, until they unsubscribe."
    )
    is_active = models.BooleanField("active", default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        wrong = {"url": _wrong_names(self.url)}
        if self.name in (*rules.OWN_COMMANDS, rules.RESOURCE):
            wrong["name"] = "This is the name of a command that is answered here."
        if not _has_host(self.url):
            wrong["url"] = "An address that begins with http:// or https:// and a host."
        _raise(wrong)


def _has_host(url: str) -> bool:
    try:
        address = urlsplit(url)
        named = bool(address.hostname) and address.port != 0
    except ValueError:
        return False
    return address.scheme in ("http", "https") and named and "{" not in address.netloc


def _raise(wrong: dict[str, str]) -> None:
    """Say what is wrong with which field, if anything is."""
    if problems := {field: words for field, words in wrong.items() if words}:
        raise ValidationError(problems)
