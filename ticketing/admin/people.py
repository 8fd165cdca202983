"""Staff in the admin: who may sign in to the desk, and their tokens.

A face: changes go through the services, so whoever is signed out notices at once.
"""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from knox.models import AuthToken
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from realtime.admin_base import ServiceAdmin
from realtime.admin_times import NONE
from ticketing.admin.times import moment
from ticketing.models import Staff
from ticketing.selectors.tickets import list_staff
from ticketing.services.people import DEFAULT_TOKEN_EXPIRY, issue_token, revoke_tokens, save_staff

# The package's own page shows and deletes tokens past the services; here they belong to their staff.
admin.site.unregister(AuthToken)

_EXPIRIES: dict[str, tuple[str, timedelta | None]] = {
    "day": ("16 hours: a working day", DEFAULT_TOKEN_EXPIRY),
    "month": ("30 days", timedelta(days=30)),
    "never": ("until it is revoked", None),
}


class TokenForm(forms.Form):
    """How long a new token is to be valid."""

    expiry = forms.ChoiceField(
        label="Valid for",
        choices=[(key, words) for key, (words, _) in _EXPIRIES.items()],
        widget=UnfoldAdminSelectWidget(),
    )


@admin.register(Staff)
class StaffAdmin(ServiceAdmin):
    """Whoever leaves is deactivated: the tickets they served still say so."""

    list_display = ("name", "account", "state", "where", "tokens")
    list_filter = ("is_active",)
    search_fields = ("name", "user__username", "user__email")
    search_help_text = "Part of a name or of the account's name or address"
    autocomplete_fields = ("user",)
    fields = ("user", "name", "is_active", "where", "tickets_link")
    readonly_fields = ("where", "tickets_link")
    change_form_outer_after_template = "admin/ticketing/staff/tokens.html"

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

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/token/", view(self.issue_view), name="ticketing_staff_issue"),
            path("<int:pk>/revoke/", view(self.revoke_view), name="ticketing_staff_revoke"),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        staff = self.get_object(request, object_id)
        context: dict[str, Any] = {}
        if staff is not None:
            context = {
                "tokens": [_token_row(token) for token in _tokens_of(staff)],
                "token_form": TokenForm(),
                "may_manage_tokens": self.holds(request, "change"),
                "may_have_token": staff.is_active and staff.user.is_active,
            }
        response: HttpResponse = super().change_view(
            request, object_id, form_url, {**(extra_context or {}), **context}
        )
        return response

    def issue_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """``POST``: make a token and show it, this once."""
        staff: Staff = self.target(request, pk, "change")
        form = TokenForm(request.POST)
        if request.method != "POST" or not form.is_valid():
            return self.to_row(staff)
        if not (staff.is_active and staff.user.is_active):
            messages.error(request, f"{staff} is not active: a token would open nothing.")
            return self.to_row(staff)
        words, expiry = _EXPIRIES[form.cleaned_data["expiry"]]
        token = issue_token(staff=staff, expiry=expiry)
        self.log_change(request, staff, f"Token issued, valid {words}.")
        return self.page(
            request,
            "secret",
            title="The new token",
            owner=staff.name,
            what="token",
            secrets=[("Token", token)],
            use="The staff page asks for one when somebody signs in with a password; a program of this "
            "person sends it with pick, or to the HTTP API as Authorization: Token <token>.",
            back=self.row_url(staff),
            back_words=f"Back to {staff.name}",
        )

    def revoke_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """``POST``: make all tokens invalid, then show the person; ``GET`` asks first."""
        staff: Staff = self.target(request, pk, "change")
        if request.method == "POST":
            count = revoke_tokens(staff=staff)
            self.log_change(request, staff, "Tokens revoked.")
            messages.success(request, f"Revoked: {count}.")
            return self.to_row(staff)
        return self.confirmation(
            request,
            title=f"Sign {staff.name} out everywhere?",
            text="All tokens become invalid. Pages that are open lose the table after the grace period and "
            "have to sign in again.",
            yes="Revoke all tokens",
            back=self.row_url(staff),
        )


def _tokens_of(staff: Staff) -> "QuerySet[Any]":
    tokens: QuerySet[Any] = AuthToken.objects.filter(user=staff.user_id).order_by("-created")
    return tokens


def _token_row(token: Any) -> dict[str, Any]:
    return {
        "start": token.token_key,
        "created": moment(token.created),
        "ends": moment(token.expiry) if token.expiry else "never",
        "valid": token.expiry is None or token.expiry > timezone.now(),
    }
