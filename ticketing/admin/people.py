"""Staff in the admin: who may sign in to the desk, and their tokens.

A face: changes go through the services, so whoever is signed out notices at once.
"""

from datetime import timedelta, tzinfo
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from knox.models import AuthToken
from unfold.decorators import display

from realtime.admin_times import NONE
from realtime.admin_tokens import TokensAdmin
from ticketing.models import Staff
from ticketing.selectors.figures import zone
from ticketing.selectors.tickets import list_staff
from ticketing.services.people import issue_token, revoke_tokens, save_staff

# The package's own page shows and deletes tokens past the services; here they belong to their staff.
admin.site.unregister(AuthToken)


@admin.register(Staff)
class StaffAdmin(TokensAdmin):
    """Whoever leaves is deactivated: the tickets they served still say so."""

    list_display = ("name", "account", "state", "where", "tokens")
    list_filter = ("is_active",)
    search_fields = ("name", "user__username", "user__email")
    search_help_text = "Part of a name or of the account's name or address"
    autocomplete_fields = ("user",)
    fields = ("user", "name", "is_active", "where", "tickets_link")
    readonly_fields = ("where", "tickets_link")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Staff]:
        return list_staff()

    def get_fields(self, request: HttpRequest, obj: Staff | None = None) -> tuple[str, ...]:
        return self.fields if obj else self.fields[:3]

    def get_readonly_fields(self, request: HttpRequest, obj: Staff | None = None) -> tuple[str, ...]:
        # The tickets of one person must not become another's.
        return (*self.readonly_fields, "user") if obj else self.readonly_fields

    def save_model(self, request: HttpRequest, obj: Staff, form: Any, change: bool) -> None:
        save_staff(staff=obj)

    # --- Columns --------------------------------------------------------------------------------------

    @admin.display(description="account", ordering="user__username")
    def account(self, staff: Staff) -> str:
        """What they sign in with."""
        return staff.user.get_username()

    @display(  # type: ignore[untyped-decorator]
        description="state",
        ordering="is_active",
        label={"active": "success", "account off": "warning", "inactive": "danger"},
    )
    def state(self, staff: Staff) -> str:
        """Whether they can sign in; the account may be switched off on its own."""
        if not staff.is_active:
            return "inactive"
        return "active" if staff.user.is_active else "account off"

    @admin.display(description="at table", ordering="table_number")
    def where(self, staff: Staff) -> str:
        """Where they sit now."""
        number = getattr(staff, "table_number", None)
        return NONE if number is None else str(number)

    @admin.display(description="valid tokens", ordering="token_count")
    def tokens(self, staff: Staff) -> int:
        """Each sign-in of a page makes one."""
        count: int = getattr(staff, "token_count", 0)
        return count

    @admin.display(description="tickets")
    def tickets_link(self, staff: Staff) -> SafeString:
        """What they served."""
        url = reverse("admin:ticketing_ticket_changelist", query={"staff__id__exact": staff.pk})
        return format_html('<a class="text-link" href="{}">All that they called</a>', url)

    # --- Tokens ---------------------------------------------------------------------------------------

    no_tokens = "Signing in at the staff page makes one."
    token_use = (
        "The staff page asks for one when somebody signs in with a password; a program of this "
        "person sends it with pick, or to the HTTP API as Authorization: Token <token>."
    )
    revoking_words = "Pages that are open lose the table after the grace period and have to sign in again."

    def may_have_token(self, row: Staff) -> bool:
        return row.is_active and row.user.is_active

    def zone(self) -> tzinfo:
        return zone()

    def issue(self, row: Staff, expiry: timedelta | None) -> str:
        return issue_token(staff=row, expiry=expiry)

    def revoke_all(self, row: Staff) -> int:
        return revoke_tokens(staff=row)
