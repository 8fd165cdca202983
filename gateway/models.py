"""What the gateway keeps: accounts, channels, who is in them, messages, and the journal of what happened.

Ids of accounts, channels and messages have 64 bits, are ordered by time and never given twice: they come from
one row (`Ledger`), which stays locked until what has them is committed. So they also become visible in order.
Protocol: docs/protocols/gateway.md.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q

from gateway import rules
from realtime import people
from realtime.ledger import LedgerRow

MAX_NAME_LENGTH = people.MAX_NAME_LENGTH
MAX_TITLE_LENGTH = 200
MAX_DESCRIPTION_LENGTH = 2_000
MAX_TOPIC_LENGTH = 100
MAX_URL_LENGTH = 500
MAX_CONTENT_LENGTH = 4_000


class Ledger(LedgerRow):
    """Whoever writes locks its only row first."""

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="gateway_one_ledger")]


class Account(models.Model):
    """Somebody who uses the gateway, as others see them. `user` is what they log in with."""

    id = models.BigIntegerField(primary_key=True)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="gateway_account"
    )
    display_name = models.CharField(max_length=MAX_NAME_LENGTH)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.display_name


class ChannelType(models.IntegerChoices):
    QUESTION = rules.ChannelType.QUESTION, "Question"
    STREAM = rules.ChannelType.STREAM, "Stream"
    DIRECT = rules.ChannelType.DIRECT, "Direct message"


class Channel(models.Model):
    """Where messages are posted. Anyone may post to a question or a stream, and is then a member."""

    id = models.BigIntegerField(primary_key=True)
    type = models.PositiveSmallIntegerField(choices=ChannelType)
    title = models.CharField(max_length=MAX_TITLE_LENGTH, blank=True)
    description = models.CharField(max_length=MAX_DESCRIPTION_LENGTH, blank=True)
    topic = models.CharField(max_length=MAX_TOPIC_LENGTH, blank=True)
    stream_url = models.CharField("stream URL", max_length=MAX_URL_LENGTH, blank=True)
    author = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="channels")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.title or f"{self.get_type_display()} {self.pk}"


class Member(models.Model):
    """Somebody who gets the messages of a channel."""

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="members")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="memberships")
    joined_at = models.DateTimeField()

    class Meta:
        ordering = ["channel_id", "account_id"]
        constraints = [models.UniqueConstraint(fields=["channel", "account"], name="gateway_one_membership")]

    def __str__(self) -> str:
        return f"{self.account} in {self.channel}"


class MessageType(models.IntegerChoices):
    POST = 0, "Post"
    ANSWER = 1, "Answer"


class Message(models.Model):
    """What somebody posted. Never changed."""

    id = models.BigIntegerField(primary_key=True)
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="messages")
    author = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="messages")
    type = models.PositiveSmallIntegerField(choices=MessageType)
    content = models.CharField(max_length=MAX_CONTENT_LENGTH)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["channel", "id"], name="gateway_channel_messages")]

    def __str__(self) -> str:
        return self.content[:60]


class EntryKind(models.TextChoices):
    MESSAGE = "message", "Message"
    JOINED = "joined", "Joined"
    LEFT = "left", "Left"


class JournalEntry(models.Model):
    """What happened, in order: `seq` counts up without gaps."""

    seq = models.BigIntegerField(primary_key=True)
    kind = models.CharField(max_length=8, choices=EntryKind)
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="journal")
    account = models.ForeignKey(Account, null=True, on_delete=models.PROTECT, related_name="journal")
    message = models.OneToOneField(Message, null=True, on_delete=models.PROTECT, related_name="entry")

    class Meta:
        ordering = ["seq"]
        verbose_name_plural = "journal entries"

    def __str__(self) -> str:
        return f"{self.seq}: {self.get_kind_display()}"


class LiveConnection(models.Model):
    """No table: the connections there are now, as the admin lists them and permissions name them."""

    class Meta:
        managed = False
        default_permissions = ("view",)
        permissions = [("disconnect_liveconnection", "Can end connections")]

    def __str__(self) -> str:
        return "live connections"
