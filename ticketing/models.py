"""What the ticket desk keeps: staff, tables, visitors, tickets, devices, and the journal of what happened.

The rules that must hold whoever writes are constraints here: a table has one open pick, a member of staff
one table, a ticket being served one owner. The services never run into them, since they write one after
the other (`Journal`); they are for everything else that can reach a database.
Protocol: docs/protocols/ticketing.md.
"""

from django.conf import settings
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from ticketing import rules

# Table numbers are read out and typed; four digits are more than any hall has.
MAX_TABLE_NUMBER = 9_999
# As RFC 5321 has it, and as long as a name that still fits on a slip and a screen.
MAX_EMAIL_LENGTH = 254
MAX_NAME_LENGTH = 200


class Staff(models.Model):
    """Somebody who serves visitors. Signs in with the account `user`."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="ticketing_staff",
        help_text="The account this person signs in with.",
    )
    name = models.CharField(max_length=100, help_text="As colleagues see it.")
    is_active = models.BooleanField(
        "active", default=True, help_text="Off: cannot sign in to the desk any more; the table is let go."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "staff"

    def __str__(self) -> str:
        return self.name


class Table(models.Model):
    """A place where visitors are served: a counter, a desk, a room."""

    number = models.PositiveSmallIntegerField(
        unique=True,
        validators=[MaxValueValidator(MAX_TABLE_NUMBER)],
        help_text="What staff and displays know it by. It cannot be changed later.",
    )
    name = models.CharField(
        max_length=60, blank=True, help_text="As displays show and speak it; empty: Table and its number."
    )
    is_active = models.BooleanField("active", default=True, help_text="Off: nobody can pick it.")

    class Meta:
        ordering = ["number"]

    def __str__(self) -> str:
        return self.name or f"Table {self.number}"


class DeviceKind(models.TextChoices):
    KIOSK = rules.KIOSK, "Kiosk"
    DISPLAY = rules.DISPLAY, "Display"


class Device(models.Model):
    """A kiosk or a display. Its token, of which only the digest is kept, lets it in."""

    kind = models.CharField(max_length=8, choices=DeviceKind)
    name = models.CharField(max_length=60, unique=True, help_text="Where it stands.")
    prefix = models.CharField(
        "number prefix",
        max_length=3,
        blank=True,
        validators=[RegexValidator(r"^[A-Z]{0,3}\Z", "Up to three letters A to Z.")],
        help_text="A kiosk's tickets are numbered in a series of this letter; empty: the usual one.",
    )
    is_active = models.BooleanField("active", default=True, help_text="Off: it is not let in any more.")
    # SHA-256 is enough for 256 random bits: there is nothing to guess.
    token_digest = models.CharField(max_length=64, unique=True, editable=False)
    token_start = models.CharField(max_length=8, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["kind", "name"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.name}"


class Visitor(models.Model):
    """Somebody who has taken tickets. Known by address, whatever its case."""

    email = models.CharField("email address", max_length=MAX_EMAIL_LENGTH)
    email_key = models.CharField(max_length=MAX_EMAIL_LENGTH, unique=True, editable=False)
    name = models.CharField(max_length=MAX_NAME_LENGTH)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name


class TicketState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    SERVING = "serving", "Being served"
    COMPLETED = "completed", "Completed"
    CANCELLED = "cancelled", "Cancelled"
    NO_SHOW = "no_show", "Did not show up"


_OPEN = Q(state__in=[TicketState.WAITING, TicketState.SERVING])


class Ticket(models.Model):
    """One visit. Name and address are the visitor's at that time, until they are erased.

    `number` counts from 1 in each series (`prefix`) of each day; with the prefix it is what people read.
    """

    visitor = models.ForeignKey(Visitor, on_delete=models.SET_NULL, null=True, related_name="tickets")
    email = models.CharField("email address", max_length=MAX_EMAIL_LENGTH, blank=True)
    name = models.CharField(max_length=MAX_NAME_LENGTH, blank=True)
    day = models.DateField()
    prefix = models.CharField(max_length=3, blank=True)
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=9, choices=TicketState, default=TicketState.WAITING)
    staff = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, blank=True, related_name="tickets")
    table = models.ForeignKey(Table, on_delete=models.PROTECT, null=True, blank=True, related_name="tickets")
    kiosk = models.ForeignKey(Device, on_delete=models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField()
    # The first time; a ticket that goes back to the line has waited until then all the same.
    claimed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    # Place in the journal of the last call: a table shows the ticket it called last.
    called_seq = models.BigIntegerField(null=True, blank=True, editable=False)
    # What the sender calls this request, so that one sent twice makes one ticket.
    request_key = models.CharField(max_length=64, null=True, blank=True, unique=True, editable=False)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["day", "prefix", "number"], name="ticketing_ticket_number"),
            models.CheckConstraint(
                name="ticketing_ticket_one_owner",
                condition=Q(state=TicketState.WAITING, staff=None, ended_at=None)
                | Q(state=TicketState.SERVING, staff__isnull=False, ended_at=None)
                | (~_OPEN & Q(ended_at__isnull=False)),
            ),
        ]
        indexes = [
            # The line, and what is being served: each a small part of all tickets there ever were.
            models.Index(fields=["id"], condition=Q(state="waiting"), name="ticketing_waiting"),
            models.Index(fields=["staff"], condition=Q(state="serving"), name="ticketing_serving"),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The number people see: ``A-017``."""
        return rules.ticket_label(self.prefix, self.number)


class Pick(models.Model):
    """A member of staff at a table, from picking it to letting it go."""

    table = models.ForeignKey(Table, on_delete=models.PROTECT, related_name="picks")
    staff = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="picks")
    picked_at = models.DateTimeField()
    # The process that holds the connection pushes this on; once it has passed, the table is let go.
    held_until = models.DateTimeField()
    is_paused = models.BooleanField(default=False)
    released_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["table"], condition=Q(released_at=None), name="ticketing_one_pick_a_table"
            ),
            models.UniqueConstraint(
                fields=["staff"], condition=Q(released_at=None), name="ticketing_one_table_a_staff"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.staff} at {self.table}"


class Journal(models.Model):
    """The numbering of `TicketEvent`, in one row (id 1).

    Every change of the desk locks it first and until its commit. So changes happen one after the other,
    and whoever reads event n can read every event below it.
    """

    last_seq = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"at {self.last_seq}"


class EventKind(models.TextChoices):
    CREATED = "created", "Ticket taken"
    CLAIMED = "claimed", "Called"
    RECALLED = "recalled", "Called again"
    RELEASED = "released", "Back to the line"
    TRANSFERRED = "transferred", "Handed on"
    COMPLETED = "completed", "Completed"
    CANCELLED = "cancelled", "Cancelled"
    NO_SHOW = "no_show", "Did not show up"
    PICKED = "picked", "Table picked"
    RETURNED = "returned", "Came back to the table"
    UNPICKED = "unpicked", "Table let go"
    PAUSED = "paused", "Table paused"
    RESUMED = "resumed", "Table resumed"
    TABLE_CHANGED = "table_changed", "Table changed"
    STAFF_CHANGED = "staff_changed", "Name changed"


class TicketEvent(models.Model):
    """One thing that happened to a ticket or a table: the timeline people read, the journal processes follow.

    `staff` and `table` are whose and where; `left_table` the table that was left by moving to another;
    `actor` says in words who did it; `origin` is the connection that asked, which is answered at this place.
    Without the visitor's data, so that erasing that needs no change here.
    """

    seq = models.BigIntegerField(primary_key=True)
    kind = models.CharField(max_length=13, choices=EventKind)
    at = models.DateTimeField()
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, null=True, related_name="events")
    staff = models.ForeignKey(Staff, on_delete=models.SET_NULL, null=True, related_name="+")
    table = models.ForeignKey(Table, on_delete=models.SET_NULL, null=True, related_name="+")
    left_table = models.ForeignKey(Table, on_delete=models.SET_NULL, null=True, related_name="+")
    pick = models.ForeignKey(Pick, on_delete=models.SET_NULL, null=True, related_name="+")
    actor = models.CharField(max_length=100, blank=True)
    origin = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering = ["seq"]
        verbose_name = "journal entry"
        verbose_name_plural = "journal"

    def __str__(self) -> str:
        return f"{self.seq} {self.kind}"


class DeskFigures(Ticket):
    """No rows of its own: how the desk does, as the admin shows it and a permission names it."""

    class Meta:
        proxy = True
        default_permissions = ("view",)
        verbose_name = verbose_name_plural = "figures"
