"""Accounts in the admin: whose they are, their tokens, the channels they are in, their connections.

A face: changes go through the services, so connections notice at once.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.decorators import display

from gateway.admin.connections import connections_of
from gateway.admin.links import channel_url, link, messages_url, unbroken
from gateway.models import Account
from gateway.selectors.overview import overview_of_accounts
from gateway.services.accounts import account_of, rename_account
from gateway.services.tokens import issue_token, revoke_all
from realtime.admin_times import minute
from realtime.admin_tokens import TokensAdmin

# On an account's page. Who is in more is found from the channel.
MAX_CHANNELS_SHOWN = 100


@admin.register(Account)
class AccountAdmin(TokensAdmin):
    """An account stays: what it posted says whose it is. Switching off is done at its user."""

    list_display = ("display_name", "username", "state", "channels", "tokens", "created")
    list_filter = ("user__is_active",)
    search_fields = ("display_name", "user__username", "=id")
    search_help_text = "Part of a name or a username, or an id"
    autocomplete_fields = ("user",)
    readonly_fields = ("account_id", "user_link", "state", "created", "messages_link")
    change_form_outer_after_template = "admin/gateway/account/page.html"
    show_full_result_count = False

    no_tokens = "Logging in makes one, and a program can be given one here."
    token_use = (
        "A program sends it with Identify, or to the HTTP API as Authorization: Bearer <token>. Whoever has "
        "it acts as this account."
    )
    revoking_words = (
        "Connections made with it are closed at once. Tokens belong to the user: they also sign in to other "
        "services of this server, such as the ticket desk."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        return overview_of_accounts()

    def get_fields(self, request: HttpRequest, obj: Account | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("user", "display_name")
        return ("display_name", "user_link", "state", "account_id", "created", "messages_link")

    def get_form(
        self, request: HttpRequest, obj: Account | None = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm[Account]]:
        form: type[forms.ModelForm[Account]] = super().get_form(request, obj, change, **kwargs)
        if obj is None and "display_name" in form.base_fields:
            name = form.base_fields["display_name"]
            name.required, name.help_text = False, "Empty: as the user is called."
        return form

    def save_model(self, request: HttpRequest, obj: Account, form: Any, change: bool) -> None:
        if change:
            rename_account(account=obj, display_name=obj.display_name)
            return
        made = account_of(obj.user, display_name=obj.display_name)
        obj.pk, obj.display_name, obj.created_at = made.pk, made.display_name, made.created_at

    # --- Columns and fields ---------------------------------------------------------------------------

    @admin.display(description="username", ordering="user__username")
    def username(self, account: Account) -> str:
        """What they log in with."""
        return account.user.get_username()

    @display(description="state", label={"active": "success", "switched off": "danger"})  # type: ignore[untyped-decorator]
    def state(self, account: Account) -> str:
        """Whether they can log in."""
        return "active" if account.user.is_active else "switched off"

    @admin.display(description="channels")
    def channels(self, account: Account) -> int:
        """How many they are in."""
        count: int = getattr(account, "channel_count", 0)
        return count

    @admin.display(description="valid tokens")
    def tokens(self, account: Account) -> int:
        """Each login makes one."""
        count: int = getattr(account, "token_count", 0)
        return count

    @admin.display(description="created", ordering="id")
    def created(self, account: Account) -> SafeString:
        """When it was made."""
        return unbroken(minute(account.created_at))

    @admin.display(description="id")
    def account_id(self, account: Account) -> str:
        """As clients have it."""
        return str(account.pk)

    @admin.display(description="user")
    def user_link(self, account: Account) -> SafeString:
        """Where a password is set, and somebody switched off."""
        url = reverse("admin:auth_user_change", args=[account.user_id])
        return link(url, f"{account.user.get_username()}: password, switching off")

    @admin.display(description="messages")
    def messages_link(self, account: Account) -> SafeString:
        """What they wrote."""
        return link(messages_url(author=account.pk), "All that they wrote")

    # --- The page -------------------------------------------------------------------------------------

    def may_have_token(self, row: Account) -> bool:
        return row.user.is_active

    def issue(self, row: Account, expiry: timedelta | None) -> str:
        return issue_token(account=row, expiry=expiry)

    def revoke_all(self, row: Account) -> int:
        return revoke_all(account=row)

    def row_context(self, request: HttpRequest, row: Account) -> dict[str, Any]:
        """Two queries, and a question to every process."""
        members = row.memberships.select_related("channel").order_by("-pk")[:MAX_CHANNELS_SHOWN]
        shown = [
            {
                "url": channel_url(member.channel_id),
                "title": str(member.channel),
                "type": member.channel.get_type_display(),
                "joined": minute(member.joined_at),
            }
            for member in members
        ]
        return {
            **super().row_context(request, row),
            "memberships": shown,
            "more_memberships": max(self.channels(row) - len(shown), 0),
            "may_see_channels": request.user.has_perm("gateway.view_channel"),
            **connections_of(request, row),
        }
